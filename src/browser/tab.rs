//! One page, in a browser context of its own: nothing is shared with any other page, and everything ends with it.

use super::{
    cdp::{Cdp, Event, MAX_EVENTS},
    error::BrowserError,
    events::Heard,
};
use crate::{
    extract::{self, Snapshot},
    page::{Permit, Picture},
};
use serde::de::DeserializeOwned;
use spider_chrome::{
    Command,
    cdp::{
        browser_protocol::{
            browser::{BrowserContextId, SetDownloadBehaviorBehavior, SetDownloadBehaviorParams},
            fetch::{self, RequestPattern},
            inspector,
            network::{self, ResourceType},
            page::{
                self, CaptureScreenshotFormat, CaptureScreenshotParams, CreateIsolatedWorldParams,
                FrameId, GetLayoutMetricsParams, NavigateParams, Viewport,
            },
            target::{
                AttachToTargetParams, CreateBrowserContextParams, CreateTargetParams,
                DisposeBrowserContextParams, SessionId,
            },
        },
        js_protocol::runtime::{EvaluateParams, ExecutionContextId, TimeDelta},
    },
};
use std::{pin::pin, time::Duration};
use tokio::{sync::mpsc, time::Instant};

/// The name of the world that our scripts run in: the page's own scripts cannot see or change what they use.
const WORLD: &str = "quiz-stats";
/// How long a page that was given up may take to say that its process has died.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How a page is treated.
#[derive(Debug, Clone, Copy)]
pub struct TabConfig {
    /// Most requests that it may make.
    pub max_requests: u32,
    /// Longest that one of our scripts may run in it.
    pub script_timeout: Duration,
    /// The page is at rest when nothing has changed for so long, and nothing is under way that could change it.
    pub quiet: Duration,
    /// Whether it may load images.
    pub images: bool,
}

impl Default for TabConfig {
    fn default() -> Self {
        Self {
            max_requests: 1,
            script_timeout: Duration::from_secs(5),
            quiet: Duration::from_millis(100),
            images: false,
        }
    }
}

/// What came of going to an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The address after redirects.
    pub url: String,
    /// The HTTP status; 0 when none was heard of.
    pub status: i64,
    /// The media type, without parameters.
    pub mime: String,
    /// Why it cannot be shown, in Chromium's own word, such as `net::ERR_TIMED_OUT`.
    pub error: Option<String>,
}

/// See the module. Its context is disposed of when it is dropped, and all its targets with it.
#[derive(Debug)]
pub struct Tab<'a> {
    pub(super) cdp: Cdp,
    pub(super) config: TabConfig,
    /// Asked before it goes anywhere; without one, it may.
    pub(super) permit: Option<&'a dyn Permit>,
    context: BrowserContextId,
    pub(super) session: SessionId,
    pub(super) main: FrameId,
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) heard: Heard,
    /// Where our scripts ran for the latest snapshot, frame by frame, the page itself first.
    worlds: Vec<ExecutionContextId>,
}

impl<'a> Tab<'a> {
    /// See [`Chromium::open`](super::Chromium::open).
    pub(super) async fn open(
        cdp: Cdp,
        proxy: &str,
        config: TabConfig,
        permit: Option<&'a dyn Permit>,
        deadline: Instant,
    ) -> Result<Self, BrowserError> {
        let context = CreateBrowserContextParams {
            dispose_on_detach: Some(true),
            proxy_server: Some(proxy.to_owned()),
            proxy_bypass_list: Some("<-loopback>".to_owned()),
            ..CreateBrowserContextParams::default()
        };
        let context = cdp.call(None, context, deadline).await?.browser_context_id;
        let dispose = Dispose {
            cdp: cdp.clone(),
            context: Some(context.clone()),
        };
        let mut target = CreateTargetParams::new("about:blank");
        target.browser_context_id = Some(context.clone());
        let mut downloads = SetDownloadBehaviorParams::new(SetDownloadBehaviorBehavior::Deny);
        downloads.browser_context_id = Some(context.clone());
        let (target, _) = tokio::try_join!(
            cdp.call(None, target, deadline),
            cdp.call(None, downloads, deadline)
        )?;
        let target = target.target_id;
        let mut attach = AttachToTargetParams::new(target.clone());
        attach.flatten = Some(true);
        let session = cdp.call(None, attach, deadline).await?.session_id;
        let (sender, events) = mpsc::channel(MAX_EVENTS);
        cdp.listen(session.clone(), sender).await?;
        let of_type = |kind| RequestPattern {
            resource_type: Some(kind),
            ..RequestPattern::default()
        };
        // Most images and fonts are not even asked for: see the program's arguments. Icons are of the type `Other`.
        // Documents need a permit.
        let refused = [
            ResourceType::Document,
            ResourceType::Media,
            ResourceType::Font,
            ResourceType::Other,
        ];
        let images = (!config.images).then_some(ResourceType::Image);
        let paused = fetch::EnableParams {
            patterns: Some(refused.into_iter().chain(images).map(of_type).collect()),
            ..fetch::EnableParams::default()
        };
        let on = Some(&session);
        tokio::try_join!(
            cdp.call(on, page::EnableParams::default(), deadline),
            cdp.call(on, inspector::EnableParams::default(), deadline),
            cdp.call(on, network::EnableParams::default(), deadline),
            cdp.call(on, paused, deadline),
        )?;
        dispose.disarm();
        Ok(Self {
            cdp,
            config,
            permit,
            context,
            session,
            // A page's main frame has the id of its target.
            main: FrameId::new(target),
            events,
            heard: Heard::default(),
            worlds: Vec::new(),
        })
    }

    /// Goes to an address, and returns when its markup is read, or `deadline` has come and only a part of it is.
    ///
    /// # Errors
    /// See [`BrowserError`]; a page that cannot be loaded is none.
    pub async fn goto(&mut self, url: &str, deadline: Instant) -> Result<Loaded, BrowserError> {
        self.heard.parsed = false;
        self.heard.loaded.url = url.to_owned();
        let error = match self.call(NavigateParams::new(url), deadline).await {
            Ok(answer) => answer.error_text.filter(|error| !error.is_empty()),
            // The server has not even begun to answer.
            Err(BrowserError::TimedOut) => Some("net::ERR_TIMED_OUT".to_owned()),
            Err(error) => return Err(error),
        };
        match error.as_deref() {
            None => self.pump(deadline, |heard| heard.parsed).await?,
            // A process that dies at this moment looks like a download, until its death is told.
            Some("net::ERR_ABORTED") => {
                let moment = deadline.min(Instant::now() + LAST_WORDS);
                self.pump(moment, |_| false).await?;
            }
            Some(_) => {}
        }
        Ok(Loaded {
            error,
            ..self.heard.loaded.clone()
        })
    }

    /// Waits until nothing moves on the page any more, or until `deadline`.
    ///
    /// # Errors
    /// See [`BrowserError`]; a page that never rests is none.
    pub async fn settle(&mut self, deadline: Instant) -> Result<(), BrowserError> {
        loop {
            self.pump(deadline, |heard| heard.loading.is_empty())
                .await?;
            let left = deadline.saturating_duration_since(Instant::now());
            let script = extract::settle_script(self.config.quiet, left);
            let main = self.main.clone();
            let patience = left + self.config.script_timeout;
            let at_rest = match self.world(main).await {
                Ok(world) => self.evaluate::<bool>(world, script, patience).await,
                Err(error) => Err(error),
            };
            match at_rest {
                Ok(true) if self.heard.loading.is_empty() => return Ok(()),
                // It went somewhere else in the middle of it.
                Ok(_) | Err(BrowserError::Refused { .. }) if Instant::now() < deadline => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns what a person sees, frames of the same site included.
    ///
    /// # Errors
    /// See [`BrowserError`]; [`BrowserError::TimedOut`] when the page keeps its process busy.
    pub async fn snapshot(&mut self) -> Result<Snapshot, BrowserError> {
        self.worlds.clear();
        let main = self.main.clone();
        let mut snapshot = self.snapshot_of(main).await?;
        self.attach_frames(&mut snapshot).await?;
        Ok(snapshot)
    }

    /// Takes the snapshot of one frame, and remembers where.
    pub(super) async fn snapshot_of(&mut self, frame: FrameId) -> Result<Snapshot, BrowserError> {
        let world = self.world(frame).await?;
        let timeout = self.config.script_timeout;
        let mut snapshot: Snapshot = self
            .evaluate(world, extract::SNAPSHOT_SCRIPT.to_owned(), timeout)
            .await?;
        let number = u32::try_from(self.worlds.len()).unwrap_or(u32::MAX);
        snapshot.set_frame(number);
        self.worlds.push(world);
        Ok(snapshot)
    }

    /// Returns a picture of the page, of its first ten thousand pixels; `None` for one that is too large to be sent anywhere.
    ///
    /// # Errors
    /// See [`BrowserError`].
    pub async fn picture(&mut self, deadline: Instant) -> Result<Option<Picture>, BrowserError> {
        const MOST_PIXELS: f64 = 10_000.0;
        /// In base64; what most servers take is more.
        const MOST_BYTES: usize = 6 * 1_048_576;
        let size = self
            .call(GetLayoutMetricsParams::default(), deadline)
            .await?
            .css_content_size;
        let clip = Viewport {
            x: 0.0,
            y: 0.0,
            width: size.width.clamp(1.0, MOST_PIXELS),
            height: size.height.clamp(1.0, MOST_PIXELS),
            scale: 1.0,
        };
        let taking = CaptureScreenshotParams {
            format: Some(CaptureScreenshotFormat::Jpeg),
            quality: Some(70),
            clip: Some(clip),
            capture_beyond_viewport: Some(true),
            ..CaptureScreenshotParams::default()
        };
        let data: String = self.call(taking, deadline).await?.data.into();
        Ok((data.len() <= MOST_BYTES).then(|| Picture {
            base64: data.into(),
        }))
    }

    /// Clicks an element of the latest snapshot; whether it was still there.
    ///
    /// # Errors
    /// See [`BrowserError`].
    pub async fn click(&mut self, snapshot: &Snapshot, node: usize) -> Result<bool, BrowserError> {
        let Some((frame, own)) = snapshot.origin(node) else {
            return Ok(false);
        };
        let Some(world) = self.world_of(frame) else {
            return Ok(false);
        };
        let timeout = self.config.script_timeout;
        match self
            .evaluate(world, extract::click_script(own), timeout)
            .await
        {
            // It was replaced, with the page that it stood on.
            Err(BrowserError::Refused { .. }) => Ok(false),
            clicked => clicked,
        }
    }

    /// Sees that the page's process answers.
    pub(super) async fn prove(&mut self, deadline: Instant) -> Result<(), BrowserError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let main = self.main.clone();
        let world = self.world(main).await?;
        self.evaluate::<u8>(world, "1".to_owned(), left)
            .await
            .map(|_| ())
    }

    /// Returns where our scripts ran in a frame of the latest snapshot.
    pub(super) fn world_of(&self, frame: u32) -> Option<ExecutionContextId> {
        self.worlds.get(frame as usize).copied()
    }

    /// Gives a command to this page, and hears its events meanwhile.
    pub(super) async fn call<C: Command>(
        &mut self,
        command: C,
        deadline: Instant,
    ) -> Result<C::Response, BrowserError> {
        let (cdp, session) = (self.cdp.clone(), self.session.clone());
        let mut call = pin!(cdp.call(Some(&session), command, deadline));
        loop {
            tokio::select! {
                biased;
                event = self.events.recv() => self.hear(event).await?,
                outcome = &mut call => return outcome,
            }
        }
    }

    /// Returns a deadline for one of our own steps.
    pub(super) fn step(&self) -> Instant {
        Instant::now() + self.config.script_timeout
    }

    async fn world(&mut self, frame: FrameId) -> Result<ExecutionContextId, BrowserError> {
        let mut world = CreateIsolatedWorldParams::new(frame);
        world.world_name = Some(WORLD.to_owned());
        let deadline = self.step();
        Ok(self.call(world, deadline).await?.execution_context_id)
    }

    /// Evaluates an expression and returns its value.
    async fn evaluate<T: DeserializeOwned>(
        &mut self,
        world: ExecutionContextId,
        expression: String,
        limit: Duration,
    ) -> Result<T, BrowserError> {
        let mut evaluate = EvaluateParams::new(expression);
        evaluate.context_id = Some(world);
        evaluate.return_by_value = Some(true);
        evaluate.await_promise = Some(true);
        evaluate.timeout = Some(TimeDelta::new(limit.as_secs_f64() * 1_000.0));
        let returned = self.call(evaluate, Instant::now() + limit).await?;
        let refused = |reason: String| BrowserError::Refused {
            command: "Runtime.evaluate".to_owned(),
            reason,
        };
        if let Some(thrown) = returned.exception_details {
            return Err(refused(thrown.text));
        }
        let value = returned.result.value.unwrap_or_default();
        serde_json::from_value(value).map_err(|error| refused(error.to_string()))
    }
}

impl Drop for Tab<'_> {
    fn drop(&mut self) {
        self.cdp
            .tell(None, DisposeBrowserContextParams::new(self.context.clone()));
    }
}

/// Disposes of a context whose page did not come to be.
struct Dispose {
    cdp: Cdp,
    context: Option<BrowserContextId>,
}

impl Dispose {
    fn disarm(mut self) {
        self.context = None;
    }
}

impl Drop for Dispose {
    fn drop(&mut self) {
        if let Some(context) = self.context.take() {
            self.cdp
                .tell(None, DisposeBrowserContextParams::new(context));
        }
    }
}
