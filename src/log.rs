//! Logs: one line per event on standard error, as text for people or JSON for machines. Panics are logged too.

use crate::config::{Format, Log, Tracing};
#[cfg(feature = "otlp")]
use crate::trace::otlp::Exporter;
use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::IsTerminal as _,
    panic::PanicHookInfo,
};
use thiserror::Error;
#[cfg(feature = "otlp")]
use tracing::Level;
#[cfg(feature = "otlp")]
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{
    Layer as _, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// Why logging could not start.
#[derive(Debug, Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error("log.level = {level:?}: {problem}")]
    BadFilter {
        /// The filter as given.
        level: String,
        /// What would be right.
        problem: String,
    },
    /// Spans cannot be sent.
    #[cfg(feature = "otlp")]
    #[error("tracing.otlp_endpoint: {0}")]
    Otlp(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Another logger was there first.
    #[error("logging is set up already")]
    Taken,
}

/// Starts logging for the whole process and has panics logged instead of printed.
///
/// Returns what must live as long as spans are to be sent; dropping it sends those that are left.
///
/// # Errors
/// A filter that cannot be read, or a second call.
pub fn init(settings: &Log, tracing: Option<&Tracing>) -> Result<Spans, LogError> {
    let filter =
        crate::config::log_filter(&settings.level).map_err(|problem| LogError::BadFilter {
            level: settings.level.clone(),
            problem,
        })?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    #[cfg(feature = "otlp")]
    let exporter = match tracing {
        Some(tracing) => Exporter::start(tracing)?,
        None => None,
    };
    #[cfg(feature = "otlp")]
    let exported = exporter.as_ref().map(|exporter| {
        let own = Targets::new().with_target(env!("CARGO_CRATE_NAME"), Level::INFO);
        exporter.layer().with_filter(own)
    });
    #[cfg(not(feature = "otlp"))]
    let exported = tracing.and(None::<tracing_subscriber::layer::Identity>);
    // What is sent does not depend on what is logged.
    let registry = tracing_subscriber::registry().with(exported);
    let taken = match settings.format {
        Format::Json => registry
            .with(
                lines
                    .json()
                    .flatten_event(true)
                    .with_current_span(false)
                    .with_filter(filter),
            )
            .try_init()
            .is_err(),
        // The library turns colours on by itself unless NO_COLOR is set; a file or a pipe must not get them either.
        Format::Text if std::io::stderr().is_terminal() => {
            registry.with(lines.with_filter(filter)).try_init().is_err()
        }
        Format::Text => registry
            .with(lines.with_ansi(false).with_filter(filter))
            .try_init()
            .is_err(),
    };
    if taken {
        return Err(LogError::Taken);
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(Spans {
        #[cfg(feature = "otlp")]
        _exporter: exporter,
    })
}

/// What sends spans, where any are sent.
#[derive(Debug)]
pub struct Spans {
    #[cfg(feature = "otlp")]
    _exporter: Option<Exporter>,
}

/// Logs where it happened. The message stands in the log only when it is a literal of the source code: a formatted one
/// may hold what must not be logged.
fn log_panic(info: &PanicHookInfo<'_>) {
    let message = info
        .payload()
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("(formatted, withheld)");
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(message, location, thread, %backtrace, "panicked");
    } else {
        tracing::error!(message, location, thread, "panicked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_logged_with_its_place_and_without_formatted_values() {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let lines = fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let secret = String::from("hunter2");
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(log_panic));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            let _caught = std::panic::catch_unwind(|| panic!("the key is {secret}"));
            let _caught = std::panic::catch_unwind(|| panic!("a literal"));
        });
        std::panic::set_hook(before);
        let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
        assert!(
            text.contains("ERROR") && text.contains("src/log.rs:"),
            "{text}"
        );
        assert!(
            text.contains("a literal") && text.contains("withheld"),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn a_bad_filter_is_an_error_not_silence() {
        for level in ["inof", "info,quiz_stats=loud", ""] {
            let settings = Log {
                level: level.to_owned(),
                ..Log::default()
            };
            assert!(
                matches!(init(&settings, None), Err(LogError::BadFilter { .. })),
                "{level:?}"
            );
        }
    }
}
