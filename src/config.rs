//! Configuration: one documented struct per section, every key with its default in `config/default.toml`.

use secrecy::SecretString;
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf};

/// Everything that can be set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `[server]`
    pub server: Server,
    /// `[auth]`
    pub auth: Auth,
    /// `[limits]`
    pub limits: Limits,
    /// `[ai]`
    pub ai: Ai,
    /// `[local_model]`
    pub local_model: LocalModel,
    /// `[rate_limiter]`
    pub rate_limiter: RateLimiter,
    /// `[cache]`
    pub cache: Cache,
    /// `[journal]`
    pub journal: Journal,
    /// `[director]`
    pub director: Director,
    /// `[broadcaster]`
    pub broadcaster: Broadcaster,
    /// `[analyses]`
    pub analyses: Analyses,
    /// `[timeline]`
    pub timeline: Timeline,
    /// `[supervisor]`
    pub supervisor: Supervisor,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `[log]`
    pub log: Log,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
        impl Default for $name {
            fn default() -> Self { Self { $($field: $default,)* } }
        }
    };
}

section!(
    /// The listener and the process.
    Server {
        /// Address to listen on; `None`: 127.0.0.1 without an API key, 0.0.0.0 with one.
        host: Option<std::net::IpAddr> = None,
        /// Port; 0 takes a free one. Alias `BACKEND_PORT`.
        port: u16 = 3000,
        /// Where the embedded stores and the model weights live.
        data_dir: PathBuf = PathBuf::from("data"),
        /// Milliseconds that running work may take after SIGTERM before it is cut off.
        drain_timeout_ms: u64 = 10_000,
        /// Milliseconds a client may take to send a request's header, also the keep-alive idle time.
        header_timeout_ms: u64 = 10_000,
        /// Milliseconds a client may take to send a request's body.
        body_timeout_ms: u64 = 10_000,
        /// Most connections at once; more are closed at accept.
        max_connections: usize = 20_000,
    }
);
section!(
    /// Who may do what.
    Auth {
        /// The key that guards every state-changing call. Alias `API_KEY`.
        api_key: Option<SecretString> = None,
    }
);
section!(
    /// What a request may hold.
    Limits {
        /// Largest request body in bytes.
        max_body_bytes: usize = 1_048_576,
        /// Most questions in one request.
        max_questions: usize = 200,
        /// Longest question text in characters.
        max_question_chars: usize = 4_000,
        /// Longest option text in characters.
        max_option_chars: usize = 1_000,
    }
);
section!(
    /// The AI client: which model, how patient, how many at once.
    Ai {
        /// Key for the OpenAI-compatible server. Alias `OPENAI_API_KEY`.
        api_key: Option<SecretString> = None,
        /// Base address, such as `http://127.0.0.1:11434/v1`. Alias `OPENAI_BASE_URL`.
        base_url: Option<String> = None,
        /// Model name on that server. Alias `OPENAI_MODEL`.
        model: String = "gpt-5.4-nano".to_owned(),
        /// Calls at the same time.
        concurrency: usize = 8,
        /// Questions that may wait for a call or run.
        mailbox_capacity: usize = 1_024,
        /// Milliseconds for one call.
        call_timeout_ms: u64 = 30_000,
        /// Milliseconds to connect to the server.
        connect_timeout_ms: u64 = 5_000,
        /// Tries after the first, per question.
        max_retries: u32 = 3,
        /// First back-off in milliseconds; doubles, with full jitter.
        retry_base_ms: u64 = 250,
        /// Longest back-off in milliseconds.
        retry_max_ms: u64 = 8_000,
        /// Failures in a row that open the circuit.
        circuit_failures: u32 = 5,
        /// Milliseconds the circuit stays open before one trial call.
        circuit_open_ms: u64 = 10_000,
    }
);
section!(
    /// The model in the process, used when no server is configured.
    LocalModel {
        /// Catalogue name, path of a GGUF file, or `auto` for the best one present in `data_dir/models`.
        model: String = "auto".to_owned(),
        /// Threads for the forward pass; 0 takes one per core.
        threads: usize = 0,
    }
);
section!(
    /// Limits per client.
    RateLimiter {
        /// Requests per second and client on all API routes.
        general_per_second: u32 = 5,
        /// Burst on all API routes.
        general_burst: u32 = 10,
        /// Analyses per second and client.
        analyze_per_second: u32 = 1,
        /// Burst of analyses.
        analyze_burst: u32 = 3,
        /// Messages that may wait.
        mailbox_capacity: usize = 4_096,
        /// Milliseconds a request waits for a verdict before it is refused as overloaded.
        wait_ms: u64 = 100,
    }
);
section!(
    /// Answers already known.
    Cache {
        /// Answers held in memory.
        max_entries: u64 = 100_000,
        /// Days an answer stays valid.
        ttl_days: u64 = 30,
        /// Messages that may wait.
        mailbox_capacity: usize = 4_096,
        /// Milliseconds an analysis waits for the cache before it asks the model itself.
        wait_ms: u64 = 500,
    }
);
section!(
    /// The event stream of each channel.
    Journal {
        /// Events kept per channel.
        max_events: u64 = 1_000,
        /// Bytes kept per channel.
        max_bytes: u64 = 4_194_304,
        /// Hours an event is kept.
        max_age_hours: u64 = 24,
        /// Messages that may wait.
        mailbox_capacity: usize = 4_096,
        /// Most appends in one commit.
        max_batch: usize = 512,
        /// Milliseconds a publisher waits before it is told `overloaded`.
        wait_ms: u64 = 2_000,
    }
);
section!(
    /// What each channel is playing.
    Director {
        /// Messages that may wait.
        mailbox_capacity: usize = 1_024,
        /// Milliseconds a caller waits before it is told `overloaded`.
        wait_ms: u64 = 2_000,
        /// Shows that may queue on one channel.
        max_queued_shows: usize = 32,
        /// Channels with something to play at once.
        max_channels: usize = 10_000,
    }
);
section!(
    /// The fan-out.
    Broadcaster {
        /// Messages that may wait.
        mailbox_capacity: usize = 4_096,
        /// Milliseconds a new viewer waits for its place before 503.
        wait_ms: u64 = 2_000,
        /// Bytes queued per viewer before it is closed as too slow (4008).
        max_queue_bytes: usize = 262_144,
        /// Latest events held in memory per channel for quick recovery.
        recent_events: usize = 256,
        /// Milliseconds between pings.
        ping_interval_ms: u64 = 25_000,
        /// Milliseconds without any frame from a viewer before it is closed (4009).
        pong_timeout_ms: u64 = 60_000,
        /// Largest frame a viewer may send, in bytes.
        max_inbound_bytes: usize = 65_536,
        /// Messages a viewer may send per second.
        max_inbound_per_second: u32 = 20,
        /// Viewers at once.
        max_viewers: usize = 10_000,
        /// Channels one viewer may follow.
        max_channels_per_viewer: usize = 8,
    }
);
section!(
    /// Running analyses.
    Analyses {
        /// Analyses at once.
        max_running: usize = 64,
        /// Questions of one analysis asked at once.
        parallel_questions: usize = 8,
        /// Milliseconds for a whole analysis.
        timeout_ms: u64 = 120_000,
        /// Finished analyses kept for `GET /api/analyses`.
        keep: usize = 1_000,
        /// Hours an idempotency key is remembered.
        idempotency_hours: u64 = 24,
        /// Messages that may wait.
        mailbox_capacity: usize = 1_024,
        /// Milliseconds a request waits to be started before 503.
        wait_ms: u64 = 1_000,
    }
);
section!(
    /// The show's default timing, and what a busy channel does.
    Timeline {
        /// Milliseconds from 0 to the answer.
        rise_ms: u64 = 1_500,
        /// Milliseconds the answer stands.
        hold_ms: u64 = 7_000,
        /// Milliseconds back to 0.
        fall_ms: u64 = 1_500,
        /// Milliseconds of rest before the next answer.
        rest_ms: u64 = 15_000,
        /// Value of the finale.
        finale_value: u32 = 10,
        /// Milliseconds the finale stands.
        finale_hold_ms: u64 = 15_000,
        /// What a second show on a busy channel does: `queue`, `replace` or `reject`.
        when_busy: crate::timeline::WhenBusy = crate::timeline::WhenBusy::Queue,
    }
);
section!(
    /// Restarts.
    Supervisor {
        /// Restarts allowed within the window before the process exits.
        max_restarts: usize = 5,
        /// The window in milliseconds.
        window_ms: u64 = 60_000,
        /// First back-off in milliseconds; doubles, with jitter.
        backoff_base_ms: u64 = 100,
        /// Longest back-off in milliseconds.
        backoff_max_ms: u64 = 10_000,
    }
);
section!(
    /// Prometheus.
    Metrics {
        /// A listener of its own for `/metrics`, such as `127.0.0.1:9100`; without it the main listener serves it.
        bind: Option<SocketAddr> = None,
    }
);
section!(
    /// Logs.
    Log {
        /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,quiz_stats=debug`. Alias `LOG_LEVEL`.
        level: String = "info".to_owned(),
        /// `text` or `json`.
        format: String = "text".to_owned(),
    }
);
