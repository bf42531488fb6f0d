//! The servers under load: started on their core, ended with their handle, weighed from outside.

use crate::process::{Cpu, Family, memory_kib, signal};
use anyhow::{Context as _, ensure};
use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::{Command as Blocking, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// How long a server may take to say where it listens.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take to end when it is asked to.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// Where the servers to compare with are.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/node");

/// Which core is whose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pins {
    pub(crate) server: usize,
    pub(crate) load: usize,
}

impl Pins {
    /// Keeps this process away from the servers' core.
    pub(crate) fn pin_this_process(self) -> anyhow::Result<()> {
        let pinned = Blocking::new("taskset")
            .args([
                "-pc",
                &self.load.to_string(),
                &std::process::id().to_string(),
            ])
            .stdout(Stdio::null())
            .status()
            .context("cannot run taskset: install util-linux")?;
        ensure!(
            pinned.success(),
            "core {} is not there: choose another with --load-core",
            self.load
        );
        Ok(())
    }
}

/// How servers are started.
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) pins: Pins,
    /// The base address of a server that plays the model.
    pub(crate) ai: String,
}

/// A running server; ended when dropped.
pub(crate) struct Server {
    child: Child,
    /// How it was started.
    command: Command,
    pub(crate) address: SocketAddr,
    /// Its stores, and what it and its children write for a while; removed with it.
    folder: TempDir,
    /// Kept open, so that it can go on writing.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Launch {
    /// Starts quiz-stats on an empty data directory, with limits that do not get in the way, and nothing else changed.
    pub(crate) async fn quiz_stats(&self) -> anyhow::Result<Server> {
        self.quiz_stats_with(&[]).await
    }

    /// As [`Self::quiz_stats`], with further settings, named as in the environment.
    pub(crate) async fn quiz_stats_with(
        &self,
        settings: &[(&str, String)],
    ) -> anyhow::Result<Server> {
        let folder = TempDir::new()?;
        let mut command = self.pinned(self.program.as_os_str().to_owned());
        command.args(["serve", "--data-dir"]).arg(folder.path());
        command
            .env("OPENAI_BASE_URL", &self.ai)
            .env("OPENAI_MODEL", "stub");
        for (key, value) in [
            ("SERVER__PORT", "0"),
            ("LOG__LEVEL", "warn"),
            ("RATE_LIMITER__GENERAL_PER_SECOND", "1000000"),
            ("RATE_LIMITER__GENERAL_BURST", "1000000"),
            ("RATE_LIMITER__ANALYZE_PER_SECOND", "1000000"),
            ("RATE_LIMITER__ANALYZE_BURST", "1000000"),
            // Shows of 40 s cannot queue behind one another for as long as a round has requests.
            ("TIMELINE__WHEN_BUSY", "replace"),
            ("SERVER__MAX_CONNECTIONS", "1000000"),
            ("SERVER__MAX_CONNECTIONS_PER_ADDRESS", "1000000"),
            ("BROADCASTER__MAX_VIEWERS", "1000000"),
            ("BROADCASTER__MAX_VIEWERS_PER_ADDRESS", "1000000"),
            ("BROADCASTER__MAX_ARRIVALS_PER_SECOND", "1000000"),
        ] {
            command.env(format!("QUIZ_STATS__{key}"), value);
        }
        for (key, value) in settings {
            command.env(format!("QUIZ_STATS__{key}"), value);
        }
        Server::start(command, folder).await
    }

    /// Starts one of the Node servers.
    pub(crate) async fn node(&self, script: &str, args: &[&str]) -> anyhow::Result<Server> {
        self.script("node", script, args).await
    }

    /// Starts one of the Bun servers.
    pub(crate) async fn bun(&self, script: &str) -> anyhow::Result<Server> {
        let program = format!("{SCRIPTS}/node_modules/bun/bin/bun.exe");
        self.script(&program, script, &[]).await
    }

    async fn script(&self, program: &str, script: &str, args: &[&str]) -> anyhow::Result<Server> {
        let installed = fs::exists(format!("{SCRIPTS}/node_modules"))?;
        ensure!(
            installed,
            "run `npm ci` in benches/node first, or measure --alone"
        );
        let mut command = self.pinned(program.into());
        command
            .arg(script)
            .args(args)
            .current_dir(SCRIPTS)
            .env("NODE_ENV", "production");
        Server::start(command, TempDir::new()?).await
    }

    /// Starts this program as the server that is the floor.
    pub(crate) async fn floor(&self, args: &[&str]) -> anyhow::Result<Server> {
        let mut command = self.pinned(std::env::current_exe()?.into_os_string());
        command.arg("floor").args(args);
        Server::start(command, TempDir::new()?).await
    }

    fn pinned(&self, program: std::ffi::OsString) -> Command {
        let mut command = Command::new("taskset");
        command
            .args(["-c", &self.pins.server.to_string()])
            .arg(program);
        command
    }
}

impl Server {
    async fn start(mut command: Command, folder: TempDir) -> anyhow::Result<Self> {
        command
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let mut output = BufReader::new(child.stdout.take().context("no output")?).lines();
        let line = timeout(START_LIMIT, output.next_line())
            .await
            .context("it did not start in time")??;
        let line = line.context("it ended at once")?;
        let address = line
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split('/').next());
        let address = address
            .and_then(|address| address.parse().ok())
            .with_context(|| format!("no address in {line:?}"))?;
        Ok(Self {
            child,
            command,
            address,
            folder,
            _output: output,
        })
    }

    fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the server has ended")
    }

    /// Returns the processor time it has used so far, with that of threads that have ended.
    pub(crate) fn cpu(&self) -> anyhow::Result<Cpu> {
        Cpu::of(self.pid()?)
    }

    /// Returns its proportional memory in KiB: its own pages, and its part of the shared ones.
    pub(crate) fn pss_kib(&self) -> anyhow::Result<u64> {
        memory_kib(self.pid()?, "Pss:")
    }

    /// Returns its resident memory in KiB.
    pub(crate) fn rss_kib(&self) -> anyhow::Result<u64> {
        memory_kib(self.pid()?, "Rss:")
    }

    /// Returns it with all that it has started.
    pub(crate) fn family(&self) -> anyhow::Result<Family> {
        Ok(Family {
            root: self.pid()?,
            folder: self.folder.path().to_owned(),
        })
    }

    /// Kills it, and starts it again with the same stores at the same address.
    pub(crate) async fn restart(mut self) -> anyhow::Result<Self> {
        self.child.kill().await?;
        let mut command = self.command;
        command.env("QUIZ_STATS__SERVER__PORT", self.address.port().to_string());
        Self::start(command, self.folder).await
    }

    /// Ends it, and waits until it is gone.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end, and waits until nothing that it has started is left.
    pub(crate) async fn stop_family(mut self) -> anyhow::Result<()> {
        let members = self.family()?.members();
        signal("TERM", self.pid()?)?;
        if timeout(STOP_LIMIT, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Family::ended(&members).await
    }
}
