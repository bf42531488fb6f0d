//! A real Redis on a free port and a folder of its own.

use super::{
    eventually,
    installed::{free_port, installed},
    soon,
};
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What no log may show.
pub(crate) const PASSWORD: &str = "hunter2hunter2";

/// See the module. Killed and reaped when dropped.
pub(crate) struct TestRedis {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    /// Where it speaks with other nodes; `None` for a server of its own.
    cluster_port: Option<u16>,
    process: Option<Child>,
}

impl TestRedis {
    /// Starts it; `None`, with the reason printed, on a machine without it. A machine that checks changes must have it.
    pub(crate) async fn start() -> Option<Self> {
        let mut redis = Self::new(None)?;
        redis.start_again().await;
        Some(redis)
    }

    /// Starts three that share the keys among them.
    pub(crate) async fn start_cluster() -> Option<Vec<Self>> {
        let mut nodes = Vec::new();
        for slots in ["0 5460", "5461 10922", "10923 16383"] {
            let mut node = Self::new(Some(free_port()))?;
            node.start_again().await;
            node.command(&format!("CLUSTER ADDSLOTSRANGE {slots}"))
                .await;
            nodes.push(node);
        }
        for other in &nodes[1..] {
            let (port, cluster_port) = (other.port, other.cluster_port.expect("a node"));
            let meet = format!("CLUSTER MEET 127.0.0.1 {port} {cluster_port}");
            nodes[0].command(&meet).await;
        }
        for node in &nodes {
            eventually("the cluster stands", || async {
                let nodes = node.command("CLUSTER NODES").await;
                let info = node.command("CLUSTER INFO").await;
                let stands =
                    info.contains("cluster_state:ok") && nodes.matches("connected").count() == 3;
                (stands && info.contains("cluster_known_nodes:3")).then_some(())
            })
            .await;
        }
        Some(nodes)
    }

    fn new(cluster_port: Option<u16>) -> Option<Self> {
        Some(Self {
            program: installed("redis-server")?,
            folder: TempDir::new().expect("a folder"),
            port: free_port(),
            cluster_port,
            process: None,
        })
    }

    /// Starts it on what it wrote before, and waits until it answers.
    pub(crate) async fn start_again(&mut self) {
        assert!(self.process.is_none(), "it still runs");
        let port = self.port.to_string();
        let settings = [
            ("--port", port.as_str()),
            ("--bind", "127.0.0.1"),
            ("--requirepass", PASSWORD),
            ("--save", ""),
            ("--appendonly", "yes"),
            ("--appendfsync", "always"),
        ];
        let cluster_port = self.cluster_port.unwrap_or_default().to_string();
        let of_cluster = [
            ("--cluster-enabled", "yes"),
            ("--cluster-port", cluster_port.as_str()),
            ("--masterauth", PASSWORD),
        ];
        let of_cluster = of_cluster.iter().filter(|_| self.cluster_port.is_some());
        let process = Command::new(&self.program)
            .args(
                settings
                    .iter()
                    .chain(of_cluster)
                    .flat_map(|(name, value)| [name, value]),
            )
            .arg("--dir")
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        self.process = Some(process);
        eventually("redis answers", || async {
            self.say("PING").await?.contains("PONG").then_some(())
        })
        .await;
    }

    /// Copies what it has written, for [`TestRedis::go_back_to`].
    pub(crate) fn copy(&self) -> TempDir {
        let copy = TempDir::new().expect("a folder");
        copy_files(self.folder.path(), copy.path());
        copy
    }

    /// Puts an older copy in the place of what it has written; it must not run.
    pub(crate) fn go_back_to(&self, copy: &TempDir) {
        assert!(self.process.is_none(), "it still runs");
        copy_files(copy.path(), self.folder.path());
    }

    /// Returns what goes into `REDIS_URL`.
    pub(crate) fn url(&self) -> String {
        let scheme = match self.cluster_port {
            Some(_) => "redis-cluster",
            None => "redis",
        };
        format!("{scheme}://:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("it runs");
            process.wait().expect("it can be reaped");
        }
    }

    /// Sends it a signal, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Has it execute a command, and returns the beginning of its answer.
    pub(crate) async fn command(&self, command: &str) -> String {
        let answer = soon("redis' answer", self.say(command)).await;
        answer.expect("redis answers")
    }

    async fn say(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        let text = format!("AUTH {PASSWORD}\r\n{command}\r\nQUIT\r\n");
        stream.write_all(text.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn copy_files(from: &Path, to: &Path) {
    let said = Command::new("cp")
        .arg("-r")
        .arg(from.join("."))
        .arg(to)
        .status();
    assert!(said.expect("cp runs").success());
}
