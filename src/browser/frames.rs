//! Frames of the same site that the page's own script may not look into, because they are of another origin.

use super::{error::BrowserError, tab::Tab};
use crate::extract::{Snapshot, element_script};
use spider_chrome::cdp::{
    browser_protocol::{
        dom::DescribeNodeParams,
        page::{FrameId, FrameTree, GetFrameTreeParams},
    },
    js_protocol::runtime::EvaluateParams,
};
use std::collections::HashMap;
use url::{Host, Url};

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

/// Returns whether two addresses belong to one site: the same name, or the same registered domain.
///
/// The registered domain is taken to be the last two labels, three where the last two look like `co.uk`. Where that is
/// wrong, a page gets to show a frame that it has embedded itself.
fn same_site(a: &Url, b: &Url) -> bool {
    let (Some(host), Some(other)) = (a.host(), b.host()) else {
        return false;
    };
    match (host, other) {
        (Host::Domain(host), Host::Domain(other)) => registered(host) == registered(other),
        (host, other) => host == other,
    }
}

fn registered(host: &str) -> &str {
    let labels: Vec<_> = host.trim_end_matches('.').rsplit('.').collect();
    let second_level = [
        "ac", "co", "com", "edu", "gob", "gov", "net", "or", "org", "sch", "school",
    ];
    let count = match labels.as_slice() {
        [top, second, ..] if top.len() == 2 && second_level.contains(second) => 3,
        _ => 2,
    };
    let length: usize = labels.iter().take(count).map(|label| label.len() + 1).sum();
    let host = host.trim_end_matches('.');
    &host[host.len().saturating_sub(length.saturating_sub(1))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_registered_domains() {
        let same = |a: &str, b: &str| same_site(&Url::parse(a).unwrap(), &Url::parse(b).unwrap());
        assert!(same("https://quiz.example/", "http://quiz.example:8080/x"));
        assert!(same(
            "https://a.school.example",
            "https://b.c.school.example"
        ));
        assert!(same("https://a.school.co.uk", "https://school.co.uk"));
        assert!(
            same("http://127.0.0.1/", "http://127.0.0.1:81/")
                && same("http://localhost/", "http://localhost:1/")
        );
        assert!(
            !same("https://a.co.uk", "https://b.co.uk")
                && !same("https://a.example", "https://a.test")
        );
        assert!(
            !same("http://127.0.0.1/", "http://127.0.0.2/")
                && !same("http://1.0.0.1/", "http://0.1/")
        );
        assert!(!same("data:text/html,x", "https://a.example"));
    }
}
