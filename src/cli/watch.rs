//! `quiz-stats watch`: the show in the terminal, or one line per event where there is none.

mod digits;
mod frame;
mod link;
mod offset;
mod screen;
mod view;

use super::{address, print_on, signals::Signals};
use crate::{clock::Clock, config::Settings};
use anyhow::{Context as _, bail};
use clap::Args;
use link::News;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use reqwest::Url;
use screen::{Link, Screen};
use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

/// Time between two pictures; terminals are no quicker.
const FRAME: Duration = Duration::from_millis(33);
/// Messages that may wait for the screen.
const QUEUE: usize = 256;

const EXAMPLES: &str = "\
Examples:
  quiz-stats watch                                 the server on this machine
  quiz-stats watch https://quiz.example --channel hall
  quiz-stats watch wss://quiz.example/ws?channel=hall
  API_KEY=… quiz-stats watch https://quiz.example  where watching takes a key
  quiz-stats watch | tee show.log                  one line per event, without a terminal

q, Esc or Ctrl-C quits. A server that restarts is found again, and nothing is missed.";

/// Arguments of `watch`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct WatchArgs {
    /// The server's address, http:// or ws://; its key comes from API_KEY [default: the configured listener]
    #[arg(value_name = "URL", value_parser = address::http_or_websocket)]
    url: Option<Url>,
    /// The channel to follow [default: the address's, or "default"]
    #[arg(long, value_parser = super::channel)]
    channel: Option<String>,
}

pub(super) async fn run(args: &WatchArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let (url, channel) = target(args, settings);
    let (clock, key) = (Clock::start(), settings.auth.api_key.clone());
    let (sender, news) = mpsc::channel(QUEUE);
    let link = tokio::spawn(link::follow(url, key, clock, sender));
    let screen = Screen::new(channel);
    let done = if io::stdout().is_terminal() {
        let mut signals = Signals::listen()?;
        let mut terminal = ratatui::try_init().context("cannot take over the terminal")?;
        let done = signals.or(play(&mut terminal, screen, news, clock)).await;
        ratatui::restore();
        done.map_err(Into::into).flatten()
    } else {
        tell(screen, news).await
    };
    // The news' receiver is gone, so the link closes its connection and ends.
    link.await.context("the connection's task failed")?;
    done.map(|()| ExitCode::SUCCESS)
}

/// Returns the WebSocket's address and the channel in it.
fn target(args: &WatchArgs, settings: &Settings) -> (Url, String) {
    let given = args.url.clone();
    let mut url = given.unwrap_or_else(|| address::local(settings.listen_addr()));
    // A page's address is not the WebSocket's yet.
    let scheme = match url.scheme() {
        "http" => Some("ws"),
        "https" => Some("wss"),
        _ => None,
    };
    let is_page = scheme.is_some() && !url.path().ends_with("/ws");
    if is_page || url.path() == "/" {
        url = address::below(&url, "ws");
    }
    if let Some(scheme) = scheme {
        url.set_scheme(scheme)
            .expect("all four schemes are of the same sort");
    }
    let of_url = url
        .query_pairs()
        .find(|(name, _)| name == "channel")
        .map(|(_, value)| value.into_owned());
    let channel = args
        .channel
        .clone()
        .or_else(|| of_url.clone())
        .unwrap_or_else(|| "default".to_owned());
    if of_url.as_ref() != Some(&channel) {
        let others: Vec<_> = url
            .query_pairs()
            .filter(|(name, _)| name != "channel")
            .map(|(k, v)| (k.into_owned(), v.into_owned()))
            .collect();
        url.query_pairs_mut()
            .clear()
            .extend_pairs(others)
            .append_pair("channel", &channel);
    }
    (url, channel)
}

/// Draws the show until `q`.
async fn play(
    terminal: &mut ratatui::DefaultTerminal,
    mut screen: Screen,
    mut news: mpsc::Receiver<News>,
    clock: Clock,
) -> anyhow::Result<()> {
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            Some(news) = news.recv() => {
                take(&mut screen, news)?;
            }
            _ = frames.tick() => {
                while event::poll(Duration::ZERO).context("cannot read the keyboard")? {
                    if is_quit(&event::read().context("cannot read the keyboard")?) {
                        return Ok(());
                    }
                }
                terminal.draw(|frame| view::draw(frame, &screen, clock.now_ms())).context("cannot draw")?;
            }
        }
    }
}

/// Prints one line per event until the reader of standard output has seen enough.
async fn tell(mut screen: Screen, mut news: mpsc::Receiver<News>) -> anyhow::Result<()> {
    while let Some(news) = news.recv().await {
        if let Some(line) = take(&mut screen, news)?
            && !print_on(&format!("{line}\n"))?
        {
            return Ok(());
        }
    }
    Ok(())
}

/// Takes over one piece of news and returns it in words when people should know.
fn take(screen: &mut Screen, news: News) -> anyhow::Result<Option<String>> {
    match news {
        News::Message(message, received_ms) => Ok(screen.apply(*message, received_ms)),
        News::Lost { why, until_ms } => {
            // Told once, not with every try.
            let line = (!matches!(screen.link, Link::Waiting { .. }))
                .then(|| format!("{why}; trying again"));
            screen.link = Link::Waiting { why, until_ms };
            Ok(line)
        }
        News::Refused(why) => bail!("{why}"),
    }
}

/// Raw mode keeps Ctrl-C from being a signal.
fn is_quit(event: &Event) -> bool {
    let Event::Key(KeyEvent {
        code,
        modifiers,
        kind: KeyEventKind::Press,
        ..
    }) = event
    else {
        return false;
    };
    matches!(code, KeyCode::Char('q') | KeyCode::Esc)
        || (*code == KeyCode::Char('c') && modifiers.contains(KeyModifiers::CONTROL))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: Option<&str>, channel: Option<&str>) -> (String, String) {
        let args = WatchArgs {
            url: url.map(|url| url.parse().unwrap()),
            channel: channel.map(str::to_owned),
        };
        let (url, channel) = target(&args, &Settings::default());
        (url.to_string(), channel)
    }

    #[test]
    fn any_address_of_the_server_leads_to_its_websocket() {
        let default = "ws://127.0.0.1:3000/ws?channel=default";
        assert_eq!(of(None, None), (default.into(), "default".into()));
        assert_eq!(of(None, Some("b")).0, "ws://127.0.0.1:3000/ws?channel=b");
        assert_eq!(
            of(Some("https://quiz.example"), None).0,
            "wss://quiz.example/ws?channel=default"
        );
        assert_eq!(
            of(Some("ws://h:1/ws?channel=a"), None),
            ("ws://h:1/ws?channel=a".into(), "a".into())
        );
        assert_eq!(
            of(Some("ws://h:1/ws?x=1&channel=a"), Some("b")).0,
            "ws://h:1/ws?x=1&channel=b"
        );
        assert_eq!(
            of(Some("http://h:1/ws"), None).0,
            "ws://h:1/ws?channel=default"
        );
        assert_eq!(
            of(Some("https://site.example/quiz/"), None).0,
            "wss://site.example/quiz/ws?channel=default"
        );
    }

    #[test]
    fn a_refusal_is_an_error_and_repeated_losses_are_told_once() {
        let mut screen = Screen::new("default");
        let lost = || News::Lost {
            why: "connection lost".into(),
            until_ms: 5,
        };
        assert_eq!(
            take(&mut screen, lost()).unwrap(),
            Some("connection lost; trying again".into())
        );
        assert_eq!(take(&mut screen, lost()).unwrap(), None);
        assert!(take(&mut screen, News::Refused("no".into())).is_err());
    }

    #[test]
    fn q_escape_and_control_c_quit() {
        let key = |code, modifiers| Event::Key(KeyEvent::new(code, modifiers));
        assert!(is_quit(&key(KeyCode::Char('q'), KeyModifiers::NONE)));
        assert!(is_quit(&key(KeyCode::Esc, KeyModifiers::NONE)));
        assert!(is_quit(&key(KeyCode::Char('c'), KeyModifiers::CONTROL)));
        assert!(!is_quit(&key(KeyCode::Char('c'), KeyModifiers::NONE)));
    }
}
