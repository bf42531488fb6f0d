//! Stands where Chromium would: this build has none (feature `browser`).

use super::{extractor::Extractor, trouble};
use crate::{
    actors::tree::Mailboxes,
    config::Settings,
    egress::Gate,
    extract::Extraction,
    page::{FailReason, PageError, Permit, Picture},
};
use reqwest::Url;
use tokio::time::Instant;

const ABSENT: &str = "pages that need scripts cannot be read: this program was built without the feature `browser`; \
    name a scraper in scraper.remote_url";

/// What Chromium would have shown.
pub(super) struct Rendered {
    pub(super) url: Url,
    pub(super) extraction: Extraction,
    pub(super) notes: Vec<String>,
    pub(super) picture: Option<Picture>,
    pub(super) render_ms: u64,
    pub(super) extract_ms: u64,
}

pub(super) struct Renderer;

impl Renderer {
    pub(super) fn new(_: &Settings, _: &Mailboxes, _: Extractor) -> Self {
        Self
    }

    pub(super) fn availability(&self) -> Result<(), String> {
        Err(ABSENT.to_owned())
    }

    pub(super) fn wants_picture(&self, _: &Extraction) -> bool {
        false
    }

    pub(super) async fn read(
        &self,
        _: &Gate,
        _: &Url,
        _: Option<&dyn Permit>,
        _: bool,
        _: Instant,
    ) -> Result<Rendered, PageError> {
        Err(trouble::failed(FailReason::NoBrowser, ABSENT.to_owned()))
    }
}
