//! The site whose pages are read: one quiz of 20 questions in several shapes, served from memory.

use std::{cell::RefCell, collections::HashMap, net::SocketAddr, rc::Rc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};

/// How many questions each page has.
pub(crate) const QUESTIONS: usize = 20;
/// The quiz in the response itself, without any script.
pub(crate) const PLAIN: &str = "/plain";
/// An empty page, whose script asks for the quiz once the page has loaded, and builds it.
pub(crate) const BUILT: &str = "/built";
/// The quiz beside a clock that never stands still: the page never comes to rest.
pub(crate) const RESTLESS: &str = "/restless";
/// What follows is any name: the first visit to it is not answered for a while, further ones are at once.
pub(crate) const HELD: &str = "/held/";

/// For how long a first visit to [`HELD`] is not answered: longer than anything that is measured with it.
const HOLD: Duration = Duration::from_secs(25);
const OPTIONS: usize = 4;
const CAPITALS: [(&str, &str); QUESTIONS] = [
    ("Albania", "Tirana"),
    ("Bolivia", "Sucre"),
    ("Canada", "Ottawa"),
    ("Denmark", "Copenhagen"),
    ("Egypt", "Cairo"),
    ("Finland", "Helsinki"),
    ("Ghana", "Accra"),
    ("Hungary", "Budapest"),
    ("Iceland", "Reykjavik"),
    ("Jordan", "Amman"),
    ("Kenya", "Nairobi"),
    ("Latvia", "Riga"),
    ("Malta", "Valletta"),
    ("Norway", "Oslo"),
    ("Oman", "Muscat"),
    ("Peru", "Lima"),
    ("Qatar", "Doha"),
    ("Romania", "Bucharest"),
    ("Senegal", "Dakar"),
    ("Turkey", "Ankara"),
];

type Visits = Rc<RefCell<HashMap<String, usize>>>;

/// See the module. Serves for as long as the process lives.
pub(crate) struct Site {
    address: SocketAddr,
    visits: Visits,
}

impl Site {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, visits) = (listener.local_addr()?, Visits::default());
        let seen = Rc::clone(&visits);
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A visitor may hang up at any moment.
                let visit = answer(stream, Rc::clone(&seen));
                tokio::task::spawn_local(async move { drop(visit.await) });
            }
        });
        Ok(Self { address, visits })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns how often a path was asked for.
    pub(crate) fn visits(&self, path: &str) -> usize {
        self.visits.borrow().get(path).copied().unwrap_or(0)
    }
}

async fn answer(mut stream: TcpStream, visits: Visits) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let visit = {
        let mut visits = visits.borrow_mut();
        let count = visits.entry(path.clone()).or_default();
        *count += 1;
        *count
    };
    let (status, kind, body) = match path.as_str() {
        PLAIN => ("200 OK", "text/html", page(&questions(), "")),
        BUILT => ("200 OK", "text/html", page("", BUILD)),
        RESTLESS => ("200 OK", "text/html", page(&questions(), TICK)),
        "/quiz.json" => ("200 OK", "application/json", json()),
        held if held.starts_with(HELD) => {
            if visit == 1 {
                sleep(HOLD).await;
            }
            ("200 OK", "text/html", page(&questions(), ""))
        }
        // No robots.txt, no icon.
        _ => ("404 Not Found", "text/plain", String::new()),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

const BUILD: &str = "<script>addEventListener('load', async () => {
  const quiz = await (await fetch('/quiz.json')).json();
  document.querySelector('form').innerHTML = quiz.map(({ question, answers }, i) =>
    `<fieldset><legend>${i + 1}. ${question}</legend>${answers.map((answer) =>
      `<p><label><input type=radio name=q${i}> ${answer}</label></p>`).join('')}</fieldset>`).join('');
});</script>";

const TICK: &str = "<script>setInterval(() => document.querySelector('h1').textContent = Date.now(), 50);</script>";

fn page(form: &str, script: &str) -> String {
    format!(
        "<!doctype html><html lang=en><title>Capitals</title><style>body {{ font-family: sans-serif }}</style>
         <h1>Capitals</h1><p>Choose one answer each.</p><form>{form}</form>{script}"
    )
}

/// Each question with its options, the right one not always at the same place.
fn quiz() -> impl Iterator<Item = (String, [&'static str; OPTIONS])> {
    CAPITALS.iter().enumerate().map(|(number, (country, _))| {
        let options =
            std::array::from_fn(|option| CAPITALS[(number + 5 * (option + number)) % QUESTIONS].1);
        (format!("What is the capital of {country}?"), options)
    })
}

fn questions() -> String {
    let question = |(number, (question, options)): (usize, (String, [&str; OPTIONS]))| {
        let options = options.map(|option| {
            format!("<p><label><input type=radio name=q{number}> {option}</label></p>")
        });
        let (number, options) = (number + 1, options.concat());
        format!("<fieldset><legend>{number}. {question}</legend>{options}</fieldset>")
    };
    quiz().enumerate().map(question).collect()
}

fn json() -> String {
    let quiz = quiz()
        .map(|(question, answers)| serde_json::json!({ "question": question, "answers": answers }));
    serde_json::Value::Array(quiz.collect()).to_string()
}
