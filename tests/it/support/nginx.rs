//! A real nginx before several servers, on a free port and a folder of its own.

use super::{
    eventually,
    installed::{free_port, installed},
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// See the module. Killed and reaped when dropped.
pub(crate) struct TestNginx {
    /// Where it listens.
    pub(crate) address: String,
    process: Child,
    folder: TempDir,
}

impl TestNginx {
    /// Starts it; `None` on a machine without it.
    pub(crate) async fn start(servers: &[&str]) -> Option<Self> {
        let (program, folder) = (installed("nginx")?, TempDir::new().expect("a folder"));
        let address = format!("127.0.0.1:{}", free_port());
        let configuration = configuration(&address, servers);
        Some(Self::run(&program, folder, address, &configuration).await)
    }

    /// Starts it as in production, with the project's own files, before `servers`; it listens for TLS. `None` on a machine
    /// without it.
    pub(crate) async fn production(servers: &[&str]) -> Option<Self> {
        let (program, folder) = (installed("nginx")?, TempDir::new().expect("a folder"));
        certify(folder.path());
        for name in ["proxy.conf", "refusal.conf", "addresses.conf"] {
            std::fs::copy(project().join(name), folder.path().join(name)).expect("a copy");
        }
        let origins = "\"https://quiz.example\" $http_origin;";
        std::fs::write(folder.path().join("origins.conf"), origins).expect("it can be written");
        let address = format!("127.0.0.1:{}", free_port());
        let configuration = production(&address, servers);
        Some(Self::run(&program, folder, address, &configuration).await)
    }

    /// Returns the log's lines so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.folder.path().join("access.log")).expect("a log");
        let lines = log.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }

    /// Returns the certificate, which signs itself.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("tls.crt")).expect("a certificate")
    }

    async fn run(program: &Path, folder: TempDir, address: String, configuration: &str) -> Self {
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration).expect("it can be written");
        let process = Command::new(program)
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let nginx = Self {
            address,
            process,
            folder,
        };
        eventually("nginx listens", || async {
            TcpStream::connect(&nginx.address).await.ok()
        })
        .await;
        nginx
    }
}

impl Drop for TestNginx {
    fn drop(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it can be reaped");
    }
}

/// The folder with the project's files.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("nginx")
}

/// Makes a certificate for this machine, as the production of one machine does.
fn certify(folder: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/make-secrets");
    let made = Command::new(script)
        .arg(folder)
        .stdout(Stdio::null())
        .status();
    assert!(made.expect("the script runs").success());
}

/// The project's file with this test's addresses and folder in it; everything else is as it is in production.
fn production(address: &str, servers: &[&str]) -> String {
    let file = std::fs::read_to_string(project().join("nginx.prod.conf")).expect("the file");
    let servers: String = servers
        .iter()
        .map(|server| format!("server {server} max_fails=3 fail_timeout=2s;\n"))
        .collect();
    let of_tests = format!("daemon off;\nmaster_process off;\n{file}");
    let changes = [
        ("server backend:3000 max_fails=3 fail_timeout=2s;", servers),
        (
            "listen 443 ssl http2 default_server;",
            format!("listen {address} ssl http2;"),
        ),
        ("listen [::]:443 ssl http2 default_server;", String::new()),
        (
            "listen 80 default_server;",
            format!("listen 127.0.0.1:{};", free_port()),
        ),
        ("listen [::]:80 default_server;", String::new()),
        ("listen 8081;", format!("listen 127.0.0.1:{};", free_port())),
        ("pid /run/nginx.pid;", "pid nginx.pid;".to_owned()),
        ("/run/secrets/tls.crt", "tls.crt".to_owned()),
        ("/run/secrets/tls.key", "tls.key".to_owned()),
        (
            "include mime.types;",
            format!("include /etc/nginx/mime.types;\n{}", folders()),
        ),
        (
            "access_log /dev/stdout json;",
            "access_log access.log json;".to_owned(),
        ),
    ];
    changes
        .into_iter()
        .fold(of_tests, |text, (of_file, of_test)| {
            assert!(text.contains(of_file), "nginx.prod.conf has no '{of_file}'");
            text.replace(of_file, &of_test)
        })
}

/// Where it may write.
fn folders() -> String {
    ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {kind};\n"))
        .collect()
}

/// One process, so that ending it ends all of it. A server that does not let a connection in is passed over, and asked again
/// the next time: left alone for a while, it would be tried with single requests, and a WebSocket that happens to be the one
/// does not end and proves nothing. What was already sent is not sent again.
fn configuration(address: &str, servers: &[&str]) -> String {
    let servers: String = servers
        .iter()
        .map(|server| format!("server {server} max_fails=0;\n"))
        .collect();
    let folders = folders();
    format!(
        r"daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
access_log off;
{folders}
map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
upstream quiz_stats {{
{servers}
keepalive 16;
}}
server {{
    listen {address};
    location / {{
        proxy_pass http://quiz_stats;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_connect_timeout 2s;
    }}
}}
}}
"
    )
}
