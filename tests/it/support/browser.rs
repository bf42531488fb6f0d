//! A real Chromium, driven through spider_chrome.

use super::{PATIENCE, TestServer, eventually, soon};
use futures_util::StreamExt;
use quiz_stats::timeline::Timeline;
use serde::Deserialize;
use spider_chrome::{
    Browser, BrowserConfig, Page,
    cdp::{
        browser_protocol::{
            dom::SetFileInputFilesParams,
            emulation::MediaFeature,
            log::{EnableParams, EventEntryAdded, LogEntryLevel},
        },
        js_protocol::runtime::{
            ConsoleApiCalledType, EvaluateParams, EventConsoleApiCalled, EventExceptionThrown,
        },
    },
    handler::viewport::Viewport,
    page::ScreenshotParams,
    types::Command,
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// What it is called.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const FLAGS: [&str; 7] = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// See the module. Killed when dropped. One page each: a page behind another one is hidden, and draws nothing.
pub(crate) struct TestBrowser {
    browser: Browser,
    events: JoinHandle<()>,
    _profile: TempDir,
}

/// A stage that is being watched.
pub(crate) struct Stage {
    page: Page,
    complaints: Arc<Mutex<Vec<String>>>,
    listeners: Vec<JoinHandle<()>>,
}

/// What `window.quizStats.sample()` returns.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sample {
    pub(crate) value: f64,
    pub(crate) server_time: f64,
    pub(crate) segment: Option<serde_json::Value>,
    pub(crate) timeline_id: Option<String>,
    pub(crate) connected: bool,
}

/// A frame that a screen has drawn.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Frame {
    /// The number on it.
    pub(crate) value: f64,
    /// The show that it belongs to.
    pub(crate) timeline_id: Option<String>,
    /// The server's time that it was drawn for.
    pub(crate) server_time: f64,
    /// When that was by the clock of this machine.
    pub(crate) at: f64,
    /// Lowest round trip that the page's clock then rested on; `None` before it was measured.
    pub(crate) round_trip_ms: Option<f64>,
}

impl TestBrowser {
    /// Starts Chromium; `None` on a machine without it.
    pub(crate) async fn start() -> Option<Self> {
        Self::start_with_window(1_280, 720).await
    }

    /// As [`Self::start`], with a window of another size.
    pub(crate) async fn start_with_window(width: u32, height: u32) -> Option<Self> {
        let program = find_or_skip()?;
        let profile = TempDir::new().expect("a folder");
        let config = BrowserConfig::builder()
            .chrome_executable(program)
            .no_sandbox()
            .new_headless_mode()
            .user_data_dir(profile.path())
            .window_size(width, height)
            .viewport(Viewport {
                width,
                height,
                ..Viewport::default()
            })
            .respect_https_errors()
            .launch_timeout(3 * PATIENCE)
            .args(FLAGS)
            .build()
            .expect("a configuration");
        let (browser, mut handler) = Browser::launch(config).await.expect("Chromium starts");
        // The stream ends with the browser; until then nothing moves unless somebody polls it.
        let events = tokio::spawn(async move { while handler.next().await.is_some() {} });
        Some(Self {
            browser,
            events,
            _profile: profile,
        })
    }

    /// Opens a stage and waits until it is connected.
    pub(crate) async fn stage(&self, server: &TestServer, path: &str) -> Stage {
        self.stage_with(server, path, &[]).await
    }

    /// As [`Self::stage`], with media features such as `prefers-reduced-motion`.
    pub(crate) async fn stage_with(
        &self,
        server: &TestServer,
        path: &str,
        media: &[(&str, &str)],
    ) -> Stage {
        let stage = self.open(server, path, media, None).await;
        stage.connected().await;
        stage
    }

    /// As [`Self::stage`], for one that is not let in.
    pub(crate) async fn stranger(&self, server: &TestServer, path: &str) -> Stage {
        self.open(server, path, &[], None).await
    }

    /// As [`Self::stage`], with a script that runs before those of the page.
    pub(crate) async fn stage_after(&self, script: &str, server: &TestServer, path: &str) -> Stage {
        let stage = self.open(server, path, &[], Some(script)).await;
        stage.connected().await;
        stage
    }

    async fn open(
        &self,
        server: &TestServer,
        path: &str,
        media: &[(&str, &str)],
        script: Option<&str>,
    ) -> Stage {
        let page = self.browser.new_page("about:blank").await.expect("a page");
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let listeners = listen(&page, &complaints).await;
        let media = media
            .iter()
            .map(|(name, value)| MediaFeature::new(*name, *value))
            .collect();
        page.emulate_media_features(media)
            .await
            .expect("media features");
        if let Some(script) = script {
            page.evaluate_on_new_document(script)
                .await
                .expect("a script");
        }
        let stage = Stage {
            page,
            complaints,
            listeners,
        };
        let address = format!("http://{}{path}", server.address);
        soon("the page", stage.page.goto(address))
            .await
            .expect("the page loads");
        stage
    }

    /// Ends it in order.
    pub(crate) async fn close(mut self) {
        // One that does not end by itself is killed when dropped.
        let _ = tokio::time::timeout(PATIENCE, async {
            let _ = self.browser.close().await;
            let _ = self.browser.wait().await;
        })
        .await;
        self.events.abort();
    }
}

/// Returns where Chromium is; `None`, with the reason printed, on a machine without it. A machine that checks changes
/// must have it.
pub(crate) fn find_or_skip() -> Option<PathBuf> {
    let found = find();
    if found.is_none() {
        let missing = "there is no Chromium: install it, or set CHROMIUM to its path";
        assert!(variable("CI").is_none(), "{missing}");
        eprintln!("skipped: {missing}");
    }
    found
}

/// Returns where Chromium is: where `CHROMIUM` says, or else on the path.
fn find() -> Option<PathBuf> {
    if let Some(told) = variable("CHROMIUM") {
        return Some(PathBuf::from(told)).filter(|program| program.is_file());
    }
    let path = variable("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .find(|program| program.is_file())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment of the tests, not of the program"
)]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Collects whatever the page complains about.
async fn listen(page: &Page, complaints: &Arc<Mutex<Vec<String>>>) -> Vec<JoinHandle<()>> {
    page.execute(EnableParams::default())
        .await
        .expect("the log");
    let mut entries = page
        .event_listener::<EventEntryAdded>()
        .await
        .expect("log entries");
    let mut calls = page
        .event_listener::<EventConsoleApiCalled>()
        .await
        .expect("console calls");
    let mut throws = page
        .event_listener::<EventExceptionThrown>()
        .await
        .expect("exceptions");
    let note = |complaints: &Arc<Mutex<Vec<String>>>| {
        let complaints = Arc::clone(complaints);
        move |text: String| complaints.lock().unwrap().push(text)
    };
    let (of_log, of_console, of_throws) = (note(complaints), note(complaints), note(complaints));
    vec![
        tokio::spawn(async move {
            while let Some(event) = entries.next().await {
                if matches!(
                    event.entry.level,
                    LogEntryLevel::Error | LogEntryLevel::Warning
                ) {
                    of_log(event.entry.text.clone());
                }
            }
        }),
        tokio::spawn(async move {
            while let Some(event) = calls.next().await {
                if matches!(
                    event.r#type,
                    ConsoleApiCalledType::Error | ConsoleApiCalledType::Warning
                ) {
                    of_console(format!("{:?}", event.args));
                }
            }
        }),
        tokio::spawn(async move {
            while let Some(event) = throws.next().await {
                of_throws(event.exception_details.text.clone());
            }
        }),
    ]
}

impl Stage {
    /// Evaluates an expression; a promise is waited for.
    pub(crate) async fn evaluate<T: serde::de::DeserializeOwned>(&self, expression: &str) -> T {
        let parameters = EvaluateParams::builder()
            .expression(expression)
            .await_promise(true)
            .return_by_value(true)
            .build()
            .expect("an expression");
        let value = soon(
            "an answer of the page",
            self.page.evaluate_expression(parameters),
        )
        .await;
        value
            .unwrap_or_else(|error| panic!("{error} in {expression}"))
            .into_value()
            .unwrap_or_else(|error| panic!("{error} from {expression}"))
    }

    /// Returns what it shows now.
    pub(crate) async fn sample(&self) -> Sample {
        self.evaluate("window.quizStats.sample()").await
    }

    /// Returns what it shows now, having checked it against the timeline.
    pub(crate) async fn agrees_with(&self, timeline: &Timeline) -> Sample {
        let sample = self.sample().await;
        // The page's clock has fractions of a millisecond; the number moves by no more than this within one.
        let steepest = timeline
            .segments
            .iter()
            .map(|segment| f64::from(segment.from.abs_diff(segment.to)) / segment.dur_ms as f64)
            .fold(0.0, f64::max);
        let at = |time: f64| timeline.value_at(time as u64);
        let expected = [at(sample.server_time), at(sample.server_time + 1.0)];
        let close = expected
            .iter()
            .any(|value| (value - sample.value).abs() <= steepest + 1e-9);
        assert!(close, "{sample:?}, expected {expected:?}");
        sample
    }

    /// Waits until it says that it is connected.
    pub(crate) async fn connected(&self) {
        eventually("the stage is connected", || async {
            let there: bool = self
                .evaluate("window.quizStats?.sample().connected === true")
                .await;
            there.then_some(())
        })
        .await;
    }

    /// Waits until an expression is true.
    pub(crate) async fn until(&self, expression: &str) {
        eventually(expression, || async {
            self.evaluate::<bool>(expression).await.then_some(())
        })
        .await;
    }

    /// Begins to note every frame that it draws; [`Self::frames`] returns them.
    pub(crate) async fn note_frames(&self) {
        let script = "
            window.noted = [];
            const note = () => {
                const { drawn } = window.quizStats.sample();
                if (drawn && drawn.at !== window.noted.at(-1)?.at) window.noted.push(drawn);
                requestAnimationFrame(note);
            };
            requestAnimationFrame(note);
            true";
        self.evaluate::<bool>(script).await;
    }

    /// Returns the frames noted so far.
    pub(crate) async fn frames(&self) -> Vec<Frame> {
        self.evaluate("window.noted").await
    }

    /// Presses a key of the keyboard, such as `Tab`.
    pub(crate) async fn press(&self, key: &str) {
        soon("a key", self.page.press_key(key))
            .await
            .expect("a key");
    }

    /// Types into whatever has the focus.
    pub(crate) async fn write(&self, text: &str) {
        soon("the keys", self.page.type_str(text))
            .await
            .expect("keys");
    }

    /// Sends a command of the DevTools protocol.
    pub(crate) async fn execute<C: Command>(&self, command: C) -> C::Response {
        let reply = soon("the command", self.page.execute(command)).await;
        reply.expect("a reply").result
    }

    /// Chooses a file in a field for files.
    pub(crate) async fn choose_file(&self, selector: &str, path: &Path) {
        let field = self.page.find_element(selector).await.expect("the field");
        let choice = SetFileInputFilesParams::builder()
            .file(path.to_str().expect("a path"))
            .backend_node_id(field.backend_node_id)
            .build()
            .expect("a choice");
        self.execute(choice).await;
    }

    /// Goes on with the tabulator until it is at what the selector names.
    pub(crate) async fn tab_to(&self, selector: &str) {
        for _ in 0..80 {
            self.press("Tab").await;
            let there = format!("document.activeElement.matches({selector:?})");
            if self.evaluate::<bool>(&there).await {
                return;
            }
        }
        panic!("the tabulator does not reach {selector}");
    }

    /// Returns a picture of it as PNG; without a ground of its own, it is seen through.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        let parameters = ScreenshotParams::builder().omit_background(true).build();
        soon("the picture", self.page.screenshot(parameters))
            .await
            .expect("a picture")
    }

    /// Saves a picture of it.
    pub(crate) async fn save(&self, path: &str) {
        std::fs::write(path, self.picture().await).expect("a place to write to");
    }

    /// Returns what it has complained about so far.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap().clone()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.listeners.iter().for_each(JoinHandle::abort);
    }
}
