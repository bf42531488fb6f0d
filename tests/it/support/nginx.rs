//! A real nginx before several servers, on a free port and a folder of its own.

use super::{
    eventually,
    installed::{free_port, installed},
};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// See the module. Killed and reaped when dropped.
pub(crate) struct TestNginx {
    /// Where it listens.
    pub(crate) address: String,
    process: Child,
    _folder: TempDir,
}

impl TestNginx {
    /// Starts it; `None` on a machine without it.
    pub(crate) async fn start(servers: &[&str]) -> Option<Self> {
        let (program, folder) = (installed("nginx")?, TempDir::new().expect("a folder"));
        let address = format!("127.0.0.1:{}", free_port());
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration(&address, servers)).expect("it can be written");
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
            _folder: folder,
        };
        eventually("nginx listens", || async {
            TcpStream::connect(&nginx.address).await.ok()
        })
        .await;
        Some(nginx)
    }
}

impl Drop for TestNginx {
    fn drop(&mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it can be reaped");
    }
}

/// One process, so that ending it ends all of it. A server that does not let a connection in is left alone for a second;
/// what was already sent is not sent again.
fn configuration(address: &str, servers: &[&str]) -> String {
    let servers: String = servers
        .iter()
        .map(|server| format!("server {server} max_fails=1 fail_timeout=1s;\n"))
        .collect();
    let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {kind};\n"))
        .collect();
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
