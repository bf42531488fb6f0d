//! A scripted model behind an OpenAI-compatible server: its answers, delays and failures are the test's.

use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What the model is asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The text of the question.
    pub(crate) question: String,
    /// The options in their order.
    pub(crate) options: Vec<String>,
    /// Whether several options may be right.
    pub(crate) multiple: bool,
    /// The value of the `Authorization` header.
    pub(crate) authorization: String,
    /// The whole body of the request.
    pub(crate) body: Value,
}

/// What it answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: String,
    body: String,
    delay: Duration,
}

impl Answer {
    /// Chooses the options that say that they are right, the first when none does.
    pub(crate) fn right(asked: &Asked) -> Self {
        let is_right = |option: &String| option.starts_with("right");
        let first = asked.options.iter().position(is_right).unwrap_or(0);
        if asked.body["logprobs"] == true {
            return Self::letters(asked, first, 0.9);
        }
        let entries: Vec<_> = (1..)
            .zip(&asked.options)
            .filter_map(|(number, option)| match asked.multiple {
                true if is_right(option) => Some(json!({ "option": number, "confidence": 0.95 })),
                true => Some(json!({ "option": number, "confidence": 0.05 })),
                false => {
                    (number == first + 1).then(|| json!({ "option": number, "confidence": 0.9 }))
                }
            })
            .collect();
        Self::text(&json!({ "options": entries }).to_string())
    }

    /// The letter of the option at `index` as a token of probability `p`; the others share the rest.
    pub(crate) fn letters(asked: &Asked, index: usize, p: f64) -> Self {
        let rest = (1.0 - p) / (asked.options.len() - 1) as f64;
        let top: Vec<_> = (0..)
            .zip('A'..='Z')
            .take(asked.options.len())
            .map(|(place, letter)| {
                let p = if place == index { p } else { rest };
                json!({ "token": letter, "logprob": p.ln() })
            })
            .collect();
        Self::status(
            200,
            &json!({
                "id": "x", "object": "chat.completion", "created": 1, "model": "scripted",
                "choices": [{
                    "index": 0, "message": { "role": "assistant", "content": "A" }, "finish_reason": "length",
                    "logprobs": { "content": [{ "token": "A", "logprob": -0.1, "top_logprobs": top }] },
                }],
                "usage": { "prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101 },
            })
            .to_string(),
        )
    }

    /// A completion with this text.
    pub(crate) fn text(text: &str) -> Self {
        Self::status(
            200,
            &json!({
                "id": "x", "object": "chat.completion", "created": 1, "model": "scripted",
                "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }],
                "usage": { "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110 },
            })
            .to_string(),
        )
    }

    /// Any status and body.
    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: String::new(),
            body: body.to_owned(),
            delay: Duration::ZERO,
        }
    }

    /// An error in OpenAI's form.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::status(
            status,
            &json!({ "error": { "message": "scripted", "type": code, "code": code } }).to_string(),
        )
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    /// After a while.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

type Script = Box<dyn Fn(&Asked) -> Answer + Send + Sync>;

struct Shared {
    script: Mutex<Arc<Script>>,
    asked: Mutex<Vec<Asked>>,
    held: watch::Sender<bool>,
}

/// See the module.
pub(crate) struct StubAi {
    base_url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl StubAi {
    /// Starts a model that knows every right option.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let script: Script = Box::new(Answer::right);
        let shared = Arc::new(Shared {
            script: Mutex::new(Arc::new(script)),
            asked: Mutex::default(),
            held: watch::Sender::new(false),
        });
        let task = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let shared = Arc::clone(&shared);
                    // A client may hang up at any moment; that is what some tests are about.
                    tokio::spawn(async move { drop(serve(stream, &shared).await) });
                }
            }
        });
        Self {
            base_url,
            shared,
            task,
        }
    }

    /// Returns what goes into `OPENAI_BASE_URL`.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Answers like this from now on.
    pub(crate) fn script(&self, script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap() = Arc::new(Box::new(script));
    }

    /// Keeps every answer back until [`Self::release`].
    pub(crate) fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    /// Lets the answers go.
    pub(crate) fn release(&self) {
        self.shared.held.send_replace(false);
    }

    /// Returns what was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Returns how many calls have come so far.
    pub(crate) fn calls(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }

    /// Waits until this many calls have come in all.
    pub(crate) async fn called(&self, times: usize) {
        super::eventually("the model is asked", || async {
            (self.calls() >= times).then_some(())
        })
        .await;
    }
}

impl Drop for StubAi {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let Some(asked) = read(&mut stream).await? else {
        return Ok(());
    };
    shared.asked.lock().unwrap().push(asked.clone());
    let script = Arc::clone(&shared.script.lock().unwrap());
    let answer = script(&asked);
    tokio::time::sleep(answer.delay).await;
    // The sender lives as long as the stub.
    let _ = shared.held.subscribe().wait_for(|held| !held).await;
    let Answer {
        status,
        headers,
        body,
        ..
    } = answer;
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// Reads one request; `None` when the client hung up in the middle of it.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            return Ok(Some(asked(head, body)));
        }
    }
}

fn asked(head: &str, body: Value) -> Asked {
    let authorization = head.lines().find_map(|line| {
        line.split_once(": ")
            .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    });
    let messages = |index: usize| {
        let content = &body["messages"][index]["content"];
        content
            .as_str()
            .or(content[0]["text"].as_str())
            .expect("a prompt")
    };
    let data = messages(1)
        .lines()
        .nth(1)
        .expect("the question stands on the second line");
    let data: Value = serde_json::from_str(data).expect("the question is JSON");
    let options = data["options"].as_array().expect("options");
    Asked {
        question: data["question"].as_str().expect("a text").to_owned(),
        options: options
            .iter()
            .map(|option| option["text"].as_str().expect("a text").to_owned())
            .collect(),
        multiple: messages(0).contains("One or more options are right"),
        authorization: authorization.map_or_else(String::new, |(_, value)| value.to_owned()),
        body,
    }
}
