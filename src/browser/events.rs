//! What a page tells while it loads and runs: where it goes, what it asks for, whether it still lives.

use super::{
    cdp::Event,
    error::BrowserError,
    tab::{Loaded, Tab},
};
use spider_chrome::cdp::browser_protocol::{
    fetch::{ContinueRequestParams, FailRequestParams},
    network::ErrorReason,
    page::HandleJavaScriptDialogParams,
};
use std::{collections::HashSet, time::Duration};
use tokio::time::Instant;

/// What the events have told so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    requests: u32,
    /// Requests under way whose answers may change what is seen.
    pub(super) loading: HashSet<String>,
    pub(super) parsed: bool,
    pub(super) loaded: Loaded,
}

impl Tab<'_> {
    /// Takes events until `done` or `deadline`.
    pub(super) async fn pump(
        &mut self,
        deadline: Instant,
        done: impl Fn(&Heard) -> bool,
    ) -> Result<(), BrowserError> {
        while !done(&self.heard) {
            match tokio::time::timeout_at(deadline, self.events.recv()).await {
                Ok(event) => self.hear(event).await?,
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Takes one event in; `None` when there will be no more.
    pub(super) async fn hear(&mut self, event: Option<Event>) -> Result<(), BrowserError> {
        let Some(Event { method, params, .. }) = event else {
            // Either Chromium is gone, which shows within a moment, or this page has flooded us.
            let gone = tokio::time::timeout(Duration::from_millis(100), self.cdp.closed()).await;
            return Err(match gone {
                Ok(()) => BrowserError::Gone,
                Err(_) => BrowserError::TooManyRequests,
            });
        };
        let text = |name: &str| params[name].as_str().unwrap_or_default().to_owned();
        match method.as_str() {
            "Page.domContentEventFired" => self.heard.parsed = true,
            // A page that was kept from going elsewhere may have stopped on the way.
            "Page.frameStoppedLoading" if text("frameId") == self.main.as_ref() => {
                self.heard.parsed = true;
            }
            "Page.javascriptDialogOpening" => {
                let accept = text("type") == "beforeunload";
                self.cdp.tell(
                    Some(&self.session),
                    HandleJavaScriptDialogParams::new(accept),
                );
            }
            "Inspector.targetCrashed" | "Inspector.detached" => {
                return Err(BrowserError::PageCrashed);
            }
            "Fetch.requestPaused" => {
                let request = text("requestId");
                let url = params["request"]["url"].as_str().unwrap_or_default();
                let refused = match text("resourceType").as_str() {
                    "Document" => match self.permit {
                        Some(permit) if text("frameId") != self.main.as_ref() => {
                            let may = permit.may_show(url).await;
                            (!may).then_some(ErrorReason::BlockedByClient)
                        }
                        // A refused page stays where it is.
                        Some(permit) if !permit.may_visit(url).await => Some(ErrorReason::Aborted),
                        _ => None,
                    },
                    _ => Some(ErrorReason::BlockedByClient),
                };
                let session = Some(&self.session);
                match refused {
                    Some(reason) => {
                        let fail = FailRequestParams::new(request, reason);
                        self.cdp.tell(session, fail);
                    }
                    None => self.cdp.tell(session, ContinueRequestParams::new(request)),
                }
            }
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                if url.starts_with("data:") || url.starts_with("blob:") {
                    return Ok(());
                }
                if text("type") == "Document" && text("frameId") == self.main.as_ref() {
                    self.heard.loaded.url = url.to_owned();
                    self.heard.parsed = false;
                }
                self.heard.requests += 1;
                if self.heard.requests > self.config.max_requests {
                    return Err(BrowserError::TooManyRequests);
                }
                if matches!(
                    text("type").as_str(),
                    "Document" | "Script" | "Stylesheet" | "XHR" | "Fetch"
                ) {
                    self.heard.loading.insert(text("requestId"));
                }
            }
            "Network.loadingFinished" | "Network.loadingFailed" => {
                self.heard.loading.remove(&text("requestId"));
            }
            "Network.responseReceived"
                if text("type") == "Document" && text("frameId") == self.main.as_ref() =>
            {
                let response = &params["response"];
                let text = |name: &str| response[name].as_str().unwrap_or_default().to_owned();
                self.heard.loaded.status = response["status"].as_i64().unwrap_or_default();
                self.heard.loaded.mime = text("mimeType");
            }
            _ => {}
        }
        Ok(())
    }
}
