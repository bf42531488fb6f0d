//! One connection to Chromium's DevTools: many calls at once, and the events of each page to whoever opened it.
//!
//! spider_chrome gives the protocol's types and its connection. Its own handler attaches to everything, answers paused
//! requests by lists of its own and waits for events nobody here needs (docs/adr/0007), so this small task takes its place.

use super::error::BrowserError;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::Value;
use spider_chrome::{
    Command, Connection,
    cdp::browser_protocol::target::SessionId,
    types::{CallId, EventMessage, Message, Method, MethodId, Response},
};
use std::{borrow::Cow, collections::HashMap};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// Calls that may wait to be written.
const MAX_CALLS: usize = 1_024;
/// Events of one page that may wait to be read. A page that makes more is told that it makes too many requests.
pub(super) const MAX_EVENTS: usize = 4_096;

/// What Chromium tells of its own accord.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    /// Its name, such as `Page.loadEventFired`.
    pub(super) method: String,
    session_id: Option<String>,
    /// What it says.
    #[serde(default)]
    pub(super) params: Value,
}

impl Method for Event {
    fn identifier(&self) -> MethodId {
        Cow::Owned(self.method.clone())
    }
}

impl EventMessage for Event {
    fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }
}

/// What the connection's task is asked to do.
enum Order {
    Call {
        method: MethodId,
        session: Option<SessionId>,
        params: Value,
        reply: oneshot::Sender<Result<Value, BrowserError>>,
    },
    /// Send the events of a session here, until the receiver is gone.
    Listen(SessionId, mpsc::Sender<Event>),
}

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Cdp {
    orders: mpsc::Sender<Order>,
    closed: CancellationToken,
}

impl Cdp {
    /// Connects to the address that Chromium listens on.
    ///
    /// # Errors
    /// [`BrowserError::Unavailable`].
    pub(super) async fn connect(address: &str, deadline: Instant) -> Result<Self, BrowserError> {
        let connecting = Connection::<Event>::connect_with_retries(address, 0);
        let connection = match timeout_at(deadline, connecting).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => {
                return Err(BrowserError::Unavailable(format!(
                    "Chromium does not answer: {error}"
                )));
            }
            Err(_) => {
                return Err(BrowserError::Unavailable(
                    "Chromium does not answer in time".to_owned(),
                ));
            }
        };
        let (orders, waiting) = mpsc::channel(MAX_CALLS);
        let closed = CancellationToken::new();
        let gone = closed.clone().drop_guard();
        tokio::spawn(async move {
            let _gone = gone;
            Task::new(connection).run(waiting).await;
        });
        Ok(Self { orders, closed })
    }

    /// Is ready once the connection has ended, which is when Chromium has.
    pub(super) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Gives a command, to a page's session or to the browser, and waits for what it returns.
    ///
    /// # Errors
    /// See [`BrowserError`].
    pub(super) async fn call<C: Command>(
        &self,
        session: Option<&SessionId>,
        command: C,
        deadline: Instant,
    ) -> Result<C::Response, BrowserError> {
        let name = command.identifier();
        let answer = self.start(session, command).await?;
        let value = match timeout_at(deadline, answer).await {
            Ok(Ok(outcome)) => outcome?,
            Ok(Err(_)) => return Err(BrowserError::Gone),
            Err(_) => return Err(BrowserError::TimedOut),
        };
        C::response_from_value(value).map_err(|error| refused(&name, error.to_string()))
    }

    /// Gives a command without waiting for what becomes of it.
    pub(super) fn tell<C: Command>(&self, session: Option<&SessionId>, command: C) {
        let Ok(params) = serde_json::to_value(&command) else {
            return;
        };
        let order = Order::Call {
            method: command.identifier(),
            session: session.cloned(),
            params,
            reply: oneshot::channel().0,
        };
        if self.orders.try_send(order).is_err() {
            debug!(command = %command.identifier(), "Chromium was not told");
        }
    }

    /// Has the events of a session sent to `events` from now on.
    ///
    /// # Errors
    /// [`BrowserError::Gone`].
    pub(super) async fn listen(
        &self,
        session: SessionId,
        events: mpsc::Sender<Event>,
    ) -> Result<(), BrowserError> {
        let sent = self.orders.send(Order::Listen(session, events)).await;
        sent.map_err(|_| BrowserError::Gone)
    }

    async fn start<C: Command>(
        &self,
        session: Option<&SessionId>,
        command: C,
    ) -> Result<oneshot::Receiver<Result<Value, BrowserError>>, BrowserError> {
        let method = command.identifier();
        let params =
            serde_json::to_value(&command).map_err(|error| refused(&method, error.to_string()))?;
        let (reply, answer) = oneshot::channel();
        let order = Order::Call {
            method,
            session: session.cloned(),
            params,
            reply,
        };
        match self.orders.send(order).await {
            Ok(()) => Ok(answer),
            Err(_) => Err(BrowserError::Gone),
        }
    }
}

fn refused(command: &MethodId, reason: String) -> BrowserError {
    BrowserError::Refused {
        command: command.to_string(),
        reason,
    }
}

/// The one who holds the connection.
struct Task {
    connection: Connection<Event>,
    waiting: HashMap<CallId, (MethodId, oneshot::Sender<Result<Value, BrowserError>>)>,
    listeners: HashMap<String, mpsc::Sender<Event>>,
}

impl Task {
    fn new(connection: Connection<Event>) -> Self {
        Self {
            connection,
            waiting: HashMap::new(),
            listeners: HashMap::new(),
        }
    }

    /// Works until the connection ends, or nobody can give an order any more.
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.follow(order),
                    None => return,
                },
                message = self.connection.next() => match message {
                    Some(Ok(message)) => self.read(*message),
                    // Both ways the other end is gone; whoever waits is told by the reply that is dropped.
                    Some(Err(_)) | None => return,
                },
            }
        }
    }

    fn follow(&mut self, order: Order) {
        match order {
            Order::Call {
                method,
                session,
                params,
                reply,
            } => {
                match self
                    .connection
                    .submit_command(method.clone(), session, params)
                {
                    Ok(id) => drop(self.waiting.insert(id, (method, reply))),
                    Err(error) => drop(reply.send(Err(refused(&method, error.to_string())))),
                }
            }
            Order::Listen(session, events) => {
                self.listeners.retain(|_, events| !events.is_closed());
                self.listeners.insert(session.into(), events);
            }
        }
    }

    fn read(&mut self, message: Message<Event>) {
        match message {
            Message::Response(Response { id, result, error }) => {
                let Some((method, reply)) = self.waiting.remove(&id) else {
                    return;
                };
                let outcome = match error {
                    Some(error) => Err(refused(&method, error.message)),
                    None => Ok(result.unwrap_or_default()),
                };
                // Whoever asked may have gone on.
                let _ = reply.send(outcome);
            }
            Message::Event(event) => {
                let Some(session) = event.session_id.as_deref() else {
                    return;
                };
                let gone = match self.listeners.get(session) {
                    // A page that floods loses its listener, and so its place: see `MAX_EVENTS`.
                    Some(events) => events
                        .try_send(event)
                        .err()
                        .map(|error| error.into_inner().session_id),
                    None => None,
                };
                if let Some(Some(session)) = gone {
                    self.listeners.remove(&session);
                }
            }
        }
    }
}
