//! A small website of the test's own making, and a port that nobody may come near.

use super::{TestServer, server::Setup};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What the site was asked.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// Path and query.
    pub(crate) path: String,
    /// The whole head.
    pub(crate) head: String,
}

/// What it answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
    delay: Duration,
    /// Sent again and again after the body, without end.
    endless: bool,
}

impl Answer {
    /// A page.
    pub(crate) fn page(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            body: body.into().into_bytes(),
            ..Self::default()
        }
        .header("content-type", "text/html; charset=utf-8")
    }

    /// Any status, without a body.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// Somewhere else.
    pub(crate) fn redirect(to: &str) -> Self {
        Self::status(302).header("location", to)
    }

    /// With a header, in place of one of that name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let others = self
            .headers
            .lines()
            .filter(|line| !line.starts_with(&format!("{name}: ")));
        let others: String = others.map(|line| format!("{line}\r\n")).collect();
        self.headers = format!("{others}{name}: {value}\r\n");
        self
    }

    /// After a while.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// With a body that never ends.
    pub(crate) fn endless(self) -> Self {
        Self {
            endless: true,
            ..self
        }
    }
}

type Script = Box<dyn Fn(&Visit) -> Answer + Send + Sync>;

/// See the module.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    visits: Arc<Mutex<Vec<Visit>>>,
    task: JoinHandle<()>,
}

impl Site {
    /// Starts a site on a free port of 127.0.0.1. `robots.txt` is missing unless the script has it.
    pub(crate) async fn start(script: impl Fn(&Visit) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let visits = Arc::new(Mutex::new(Vec::new()));
        let (script, seen): (Arc<Script>, _) = (Arc::new(Box::new(script)), Arc::clone(&visits));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
                // A visitor may hang up at any moment.
                tokio::spawn(async move { drop(serve(stream, &script, &seen).await) });
            }
        });
        Self {
            address,
            visits,
            task,
        }
    }

    /// A site with one page at every path but `robots.txt`.
    pub(crate) async fn with_page(body: &str) -> Self {
        let body = body.to_owned();
        Self::start(move |visit| match visit.path.as_str() {
            "/robots.txt" => Answer::status(404),
            _ => Answer::page(body.clone()),
        })
        .await
    }

    /// Returns an address on the site.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the paths that were asked for so far.
    pub(crate) fn paths(&self) -> Vec<String> {
        let visits = self.visits.lock().unwrap();
        visits.iter().map(|visit| visit.path.clone()).collect()
    }

    /// Returns what was asked so far.
    pub(crate) fn visits(&self) -> Vec<Visit> {
        self.visits.lock().unwrap().clone()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    script: &Script,
    seen: &Mutex<Vec<Visit>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
        // Somebody who wants to talk TLS.
        if head[0] < b' ' {
            return stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let visit = Visit { path, head };
    seen.lock().unwrap().push(visit.clone());
    let answer = script(&visit);
    tokio::time::sleep(answer.delay).await;
    let length = match answer.endless {
        true => String::new(),
        false => format!("content-length: {}\r\n", answer.body.len()),
    };
    let head = format!(
        "HTTP/1.1 {} Scripted\r\n{}{length}connection: close\r\n\r\n",
        answer.status, answer.headers
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&answer.body).await?;
    if !answer.endless {
        return stream.shutdown().await;
    }
    loop {
        stream.write_all(&[b' '; 65_536]).await?;
    }
}

/// Ports that must stay untouched: whoever connects is counted.
pub(crate) struct Canary {
    /// Where they are.
    pub(crate) addresses: Vec<SocketAddr>,
    touched: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<()>>,
}

impl Canary {
    /// Listens on these addresses, as far as the machine has them.
    pub(crate) async fn listen(addresses: &[&str]) -> Self {
        let touched = Arc::new(AtomicUsize::new(0));
        let (mut bound, mut tasks) = (Vec::new(), Vec::new());
        for address in addresses {
            // IPv6 may be off.
            let Ok(listener) = TcpListener::bind(address).await else {
                continue;
            };
            bound.push(listener.local_addr().unwrap());
            let touched = Arc::clone(&touched);
            tasks.push(tokio::spawn(async move {
                loop {
                    if listener.accept().await.is_ok() {
                        touched.fetch_add(1, Ordering::SeqCst);
                    }
                }
            }));
        }
        Self {
            addresses: bound,
            touched,
            tasks,
        }
    }

    /// Returns how many have come.
    pub(crate) fn touched(&self) -> usize {
        self.touched.load(Ordering::SeqCst)
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Describes a server that may visit `sites`, and loopback only there; it knows of no Chromium.
pub(crate) fn visitor_of(sites: &[&Site]) -> Setup {
    let ports = sites.iter().map(|site| site.address.port().to_string());
    TestServer::without_ai()
        .set("egress.ports", ports.collect::<Vec<_>>().join(","))
        .set("egress.allowed_addresses", "127.0.0.1")
        .set("scraper.politeness_ms", 0)
}

/// As [`visitor_of`], with Chromium; `None` on a machine without it.
pub(crate) fn visitor_with_browser(sites: &[&Site]) -> Option<Setup> {
    let program = super::browser::find_or_skip()?;
    Some(visitor_of(sites).set("scraper.chromium", program.display()))
}
