//! A command of the real program, as a person or a script runs it.

use super::{StubAi, eventually, soon};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread::JoinHandle,
};
use tokio::sync::mpsc;

/// What is to be run, with nothing of the tester's environment.
pub(crate) struct Program {
    args: Vec<String>,
    env: BTreeMap<&'static str, String>,
    input: &'static str,
    is_read: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Said {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A program that runs. Killed and reaped when dropped.
pub(crate) struct Running {
    process: Child,
    lines: mpsc::Receiver<String>,
    stderr: Option<JoinHandle<String>>,
}

impl Program {
    /// Describes a command on a folder of its own.
    pub(crate) fn new(folder: &Path, args: &[&str]) -> Self {
        Self {
            args: args.iter().map(ToString::to_string).collect(),
            env: BTreeMap::new(),
            input: "",
            is_read: true,
        }
        .env("QUIZ_STATS__SERVER__DATA_DIR", folder.display())
    }

    /// Has it ask `ai`, each question as often as the answer needs and no more: which ones are asked in every rotation is a
    /// matter of chance.
    pub(crate) fn asking(self, ai: &StubAi) -> Self {
        self.env("OPENAI_BASE_URL", ai.base_url())
            .env("OPENAI_MODEL", "scripted")
            .env("QUIZ_STATS__AI__PRIOR_SAMPLE_PERCENT", 0)
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl ToString) -> Self {
        self.env.insert(name, value.to_string());
        self
    }

    /// Gives it something on standard input.
    pub(crate) fn input(self, input: &'static str) -> Self {
        Self { input, ..self }
    }

    /// Closes its standard output, as `head` does that has seen enough.
    pub(crate) fn unread(self) -> Self {
        Self {
            is_read: false,
            ..self
        }
    }

    /// Starts it.
    pub(crate) fn start(self) -> Running {
        let mut process = Command::new(env!("CARGO_BIN_EXE_quiz-stats"))
            .args(self.args)
            .env_clear()
            .envs(self.env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = process.stdin.take().unwrap();
        // A program that does not read its input has ended by now.
        let _ = stdin.write_all(self.input.as_bytes());
        let (sender, lines) = mpsc::channel(1_000);
        let stdout = process.stdout.take().filter(|_| self.is_read);
        std::thread::spawn(move || {
            let lines = stdout
                .map(BufReader::new)
                .into_iter()
                .flat_map(BufRead::lines);
            // A test that is over reads no more.
            lines
                .map_while(Result::ok)
                .all(|line| sender.blocking_send(line).is_ok())
        });
        let mut stderr = process.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).expect("it is UTF-8");
            text
        });
        Running {
            process,
            lines,
            stderr: Some(stderr),
        }
    }

    /// Runs it to its end.
    pub(crate) async fn run(self) -> Said {
        self.start().ended().await
    }
}

impl Running {
    /// Returns its next line.
    pub(crate) async fn line(&mut self) -> String {
        let line = soon("the program's next line", self.lines.recv()).await;
        line.expect("it goes on")
    }

    /// Skips lines up to the first that holds `text`, and returns that one.
    pub(crate) async fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.line().await;
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Sends it a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> Said {
        let status = eventually("the program ends", || {
            let ended = self.process.try_wait().expect("it can be asked");
            async move { ended }
        })
        .await;
        let stderr = self.stderr.take().expect("taken here alone");
        let mut stdout = String::new();
        while let Some(line) = self.lines.recv().await {
            stdout += &(line + "\n");
        }
        Said {
            code: status.code(),
            stdout,
            stderr: stderr.join().expect("it was read"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is only reaped.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
