//! Frames of the same site that the page's own script may not look into, because they are of another origin.

use super::{error::BrowserError, tab::Tab};
use crate::{
    extract::{Snapshot, element_script},
    site::same_site,
};
use spider_chrome::cdp::{
    browser_protocol::{
        dom::DescribeNodeParams,
        page::{FrameId, FrameTree, GetFrameTreeParams},
    },
    js_protocol::runtime::EvaluateParams,
};
use std::collections::HashMap;
use url::Url;

/// Most frames that are looked into.
const MAX_FRAMES: usize = 20;

impl Tab<'_> {
    /// Puts the content of such frames in their places.
    pub(super) async fn attach_frames(
        &mut self,
        snapshot: &mut Snapshot,
    ) -> Result<(), BrowserError> {
        let Ok(page) = Url::parse(&snapshot.url) else {
            return Ok(());
        };
        for _ in 0..MAX_FRAMES {
            let Some(place) = snapshot.unread_frame() else {
                break;
            };
            let inner = match self.frame_at(snapshot, place, &page).await {
                Ok(Some(frame)) => self.snapshot_of(frame).await,
                Ok(None) => Ok(Snapshot::default()),
                Err(error) => Err(error),
            };
            match inner {
                Ok(inner) => snapshot.attach_frame(place, inner),
                // It went away, or is in a process of its own.
                Err(BrowserError::Refused { .. }) => {
                    snapshot.attach_frame(place, Snapshot::default());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns the frame in an element, if it is of the same site as the page.
    async fn frame_at(
        &mut self,
        snapshot: &Snapshot,
        place: usize,
        page: &Url,
    ) -> Result<Option<FrameId>, BrowserError> {
        let Some((world, own)) = snapshot
            .origin(place)
            .and_then(|(frame, own)| Some((self.world_of(frame)?, own)))
        else {
            return Ok(None);
        };
        let mut evaluate = EvaluateParams::new(element_script(own));
        evaluate.context_id = Some(world);
        let element = self.call(evaluate, self.step()).await?.result.object_id;
        let describe = DescribeNodeParams {
            object_id: element,
            ..DescribeNodeParams::default()
        };
        let Some(frame) = self.call(describe, self.step()).await?.node.frame_id else {
            return Ok(None);
        };
        let tree = self
            .call(GetFrameTreeParams::default(), self.step())
            .await?
            .frame_tree;
        let mut addresses = HashMap::new();
        collect(&tree, &mut addresses);
        let of_page =
            addresses
                .get(frame.as_ref())
                .is_some_and(|address| match Url::parse(address) {
                    // What has no address of its own comes from the page.
                    Ok(address) => {
                        matches!(address.scheme(), "about" | "data") || same_site(&address, page)
                    }
                    Err(_) => false,
                });
        Ok(of_page.then_some(frame))
    }
}

fn collect(tree: &FrameTree, into: &mut HashMap<String, String>) {
    into.insert(tree.frame.id.as_ref().to_owned(), tree.frame.url.clone());
    for child in tree.child_frames.iter().flatten() {
        collect(child, into);
    }
}
