//! The real program on a free port and a folder of its own.

use super::{Reply, StubAi, eventually, soon};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// What the log says of a panic.
const PANIC: &str = "panicked";

/// A server to be.
pub(crate) struct Setup {
    args: Vec<&'static str>,
    settings: BTreeMap<String, String>,
    data: Arc<TempDir>,
}

/// See the module. Killed and reaped when dropped; a panic in its log then fails the test.
pub(crate) struct TestServer {
    setup: Setup,
    process: Option<Child>,
    http: reqwest::Client,
    /// Where it listens, such as `127.0.0.1:34567`.
    pub(crate) address: String,
    log: Arc<Mutex<String>>,
}

impl Setup {
    /// Sets a key of the configuration, such as `journal.max_events`.
    pub(crate) fn set(mut self, key: &str, value: impl ToString) -> Self {
        let name = format!("QUIZ_STATS__{}", key.replace('.', "__").to_uppercase());
        self.settings.insert(name, value.to_string());
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.settings.insert(name.to_owned(), value.to_string());
        self
    }

    /// Adds arguments to `serve`.
    pub(crate) fn args(mut self, args: &[&'static str]) -> Self {
        self.args.extend(args);
        self
    }

    /// Starts the server and waits until it is ready.
    pub(crate) async fn start(self) -> TestServer {
        let mut server = self.bind().await;
        server.wait_until_ready().await;
        server
    }

    /// Starts the server and returns when it listens, ready or not.
    pub(crate) async fn bind(self) -> TestServer {
        let http = reqwest::Client::builder().no_proxy();
        let mut server = TestServer {
            setup: self,
            process: None,
            http: http.build().expect("a client"),
            address: String::new(),
            log: Arc::default(),
        };
        server.launch().await;
        server
    }

    /// Runs it to its end, for a start that must fail.
    pub(crate) async fn run_to_end(self) -> (Option<i32>, String) {
        let mut command = self.command();
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = soon("the end of the process", output)
            .await
            .unwrap()
            .expect("the program runs");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quiz-stats"));
        command
            .arg("serve")
            .args(&self.args)
            .env_clear()
            .envs(&self.settings)
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl TestServer {
    /// Describes a server whose questions go to `ai`, and whose limits are out of the way.
    pub(crate) fn with(ai: &StubAi) -> Setup {
        Self::without_ai()
            .set("ai.base_url", ai.base_url())
            .set("ai.model", "scripted")
    }

    /// Describes a server that was told of no model.
    pub(crate) fn without_ai() -> Setup {
        let data = Arc::new(TempDir::new().expect("a folder"));
        // The first call makes it the process's provider; every other finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let setup = Setup {
            args: Vec::new(),
            settings: BTreeMap::new(),
            data: Arc::clone(&data),
        };
        [
            "general_per_second",
            "general_burst",
            "analyze_per_second",
            "analyze_burst",
        ]
        .into_iter()
        .fold(setup, |setup, key| {
            setup.set(&format!("rate_limiter.{key}"), 100_000)
        })
        .set("server.port", 0)
        .set("server.data_dir", data.path().display())
        // Which questions are asked in every rotation is a matter of chance.
        .set("ai.prior_sample_percent", 0)
    }

    /// Starts a server whose questions go to `ai`.
    pub(crate) async fn start(ai: &StubAi) -> Self {
        Self::with(ai).start().await
    }

    async fn launch(&mut self) {
        let mut process = self.setup.command().spawn().expect("the program starts");
        let (stdout, stderr) = (
            process.stdout.take().unwrap(),
            process.stderr.take().unwrap(),
        );
        let (said, address) = oneshot::channel();
        let mut said = Some(said);
        read_lines(stdout, move |line| {
            let address = ["stage: http://", "scraper: http://"]
                .iter()
                .find_map(|start| line.strip_prefix(start))
                .and_then(|rest| rest.split('/').next());
            if let (Some(address), Some(said)) = (address, said.take_if(|_| address.is_some())) {
                let _ = said.send(address.to_owned());
            }
        });
        let log = Arc::clone(&self.log);
        read_lines(stderr, move |line| {
            *log.lock().unwrap() += &format!("{line}\n");
        });
        self.process = Some(process);
        match soon("the server's address", address).await {
            Ok(address) => self.address = address,
            Err(_) => panic!("the server ended before it listened"),
        }
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn wait_until_ready(&mut self) {
        eventually("the server is ready", || async {
            (self.get("/readyz").await.status == 200).then_some(())
        })
        .await;
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("it runs");
            process.wait().expect("it can be reaped");
        }
    }

    /// Starts it again where it was, on the same folder and port.
    pub(crate) async fn start_again(&mut self) {
        assert!(self.process.is_none(), "it still runs");
        let port = self.address.rsplit(':').next().unwrap().to_owned();
        self.setup
            .settings
            .insert("QUIZ_STATS__SERVER__PORT".into(), port);
        self.launch().await;
        self.wait_until_ready().await;
    }

    /// Asks it to stop, as an orchestrator does.
    pub(crate) fn terminate(&self) {
        let pid = self.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Returns the id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    /// Returns how much memory of its own the process has, in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        let path = format!("/proc/{}/smaps_rollup", self.id());
        let rollup = std::fs::read_to_string(path).unwrap();
        let own = rollup
            .lines()
            .find_map(|line| line.strip_prefix("Pss_Anon:"));
        let own = own.expect("Linux tells it").trim().trim_end_matches(" kB");
        own.parse().unwrap()
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("it runs");
        eventually("the process ends", || {
            let ended = process.try_wait().expect("it can be asked");
            async move { ended }
        })
        .await
    }

    /// Returns the folder with its stores.
    pub(crate) fn data_dir(&self) -> &std::path::Path {
        self.setup.data.path()
    }

    /// Returns what it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.http
            .request(method, format!("http://{}{path}", self.address))
    }

    /// Begins the handshake of a WebSocket.
    pub(crate) fn upgrade(&self, path: &str) -> reqwest::RequestBuilder {
        let request = self.request("GET", path);
        [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
        .into_iter()
        .fold(request, |request, (name, value)| {
            request.header(name, value)
        })
    }

    /// Gets a path.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::to(self.request("GET", path)).await
    }

    /// Posts JSON to a path.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::to(self.request("POST", path).json(body)).await
    }

    /// Posts an analysis that must succeed, and returns its answer.
    pub(crate) async fn analyze(&self, body: &Value) -> Value {
        self.post("/api/analyze", body).await.expect(200)
    }

    /// Returns the value of a metric, 0 when it has none; `series` is its name with its labels.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let text = self.get("/metrics").await;
        let line = text
            .text()
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("a number"))
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // One that has ended already is only reaped.
            let _ = process.kill();
            let _ = process.wait();
        }
        let log = self.log();
        if std::thread::panicking() {
            eprintln!("the server's log:\n{log}");
        } else {
            assert!(!log.contains(PANIC), "the server panicked:\n{log}");
        }
    }
}

fn read_lines(from: impl Read + Send + 'static, mut take: impl FnMut(&str) + Send + 'static) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            take(&line);
        }
    });
}
