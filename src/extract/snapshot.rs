//! What a person sees of a page: a flat list of nodes in document order, each with its parent before it.
//!
//! `assets/page/snapshot.js` makes it in a browser, [`Snapshot::of_html`] from a plain response. Flat, because a nested form
//! would be as deep as the page, and deeper than JSON readers go.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Most nodes that are looked at; the script stops there too.
pub(super) const MAX_NODES: usize = 50_000;

/// A page as it was seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// Its address.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its nodes in document order.
    pub nodes: Vec<Node>,
    /// Inline scripts that may hold the key.
    pub scripts: Vec<String>,
    /// Whether scripts may change what a plain response shows; only known for those.
    pub scripted: bool,
    /// Whether there was more than is kept.
    pub truncated: bool,
}

/// An element, or a piece of text when `tag` is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// The parent's place in the list; negative for the topmost.
    #[serde(rename = "p")]
    pub parent: i64,
    /// Tag, lower case.
    #[serde(rename = "t")]
    pub tag: String,
    /// Text.
    #[serde(rename = "x")]
    pub text: String,
    /// Attributes.
    #[serde(rename = "a")]
    pub attributes: BTreeMap<String, String>,
    /// Bits: 1 hidden, 2 checked, 4 on lines of its own, 8 disabled, 16 to be clicked.
    #[serde(rename = "f")]
    pub flags: u8,
    /// Frame, and place in the list of that frame, where the element is remembered by the script.
    #[serde(skip)]
    pub(super) origin: Option<(u32, u32)>,
}

/// Nobody sees it.
pub(super) const HIDDEN: u8 = 1;
/// A control that is chosen.
pub(super) const CHECKED: u8 = 2;
/// It stands on lines of its own.
pub(super) const BLOCK: u8 = 4;
/// A control that cannot be used.
pub(super) const DISABLED: u8 = 8;
/// Something happens when it is clicked, as far as its looks say.
pub(super) const CLICKABLE: u8 = 16;

impl Snapshot {
    /// Notes that all nodes come from one frame, whose script remembers them by their places.
    pub fn set_frame(&mut self, frame: u32) {
        for (own, node) in (0..).zip(&mut self.nodes) {
            node.origin = Some((frame, own));
        }
    }

    /// Returns the frame of a node and its place there, for scripts.
    pub fn origin(&self, node: usize) -> Option<(u32, u32)> {
        self.nodes.get(node)?.origin
    }

    /// Returns the place of a frame that the script could not look into and nobody has yet.
    pub fn unread_frame(&self) -> Option<usize> {
        self.nodes.iter().position(is_unread_frame)
    }

    /// Puts the content of a frame in its place; an empty one only closes it.
    pub fn attach_frame(&mut self, id: usize, inner: Self) {
        let room = MAX_NODES.saturating_sub(self.nodes.len());
        if !self.nodes.get(id).is_some_and(is_unread_frame) {
            return;
        }
        self.truncated |= inner.truncated || inner.nodes.len() > room;
        let (at, count) = (id + 1, inner.nodes.len().min(room));
        let shift = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
        for node in &mut self.nodes[at..] {
            if node.parent > shift(id) {
                node.parent += shift(count);
            }
        }
        let moved = inner.nodes.into_iter().take(count).map(|mut node| {
            node.parent = match node.parent {
                top if top < 0 => shift(id),
                inside => inside.saturating_add(shift(at)),
            };
            node
        });
        self.nodes.splice(at..at, moved.collect::<Vec<_>>());
        self.nodes[id].attributes.remove("src");
        self.scripts.extend(inner.scripts);
    }
}

fn is_unread_frame(node: &Node) -> bool {
    matches!(node.tag.as_str(), "iframe" | "frame") && node.attributes.contains_key("src")
}

/// The tree over a snapshot: children and ends of subtrees, computed once.
pub(super) struct Tree<'a> {
    pub(super) nodes: &'a [Node],
    children: Vec<Vec<usize>>,
    /// The first place behind each node's subtree.
    ends: Vec<usize>,
    parents: Vec<Option<usize>>,
    ids: HashMap<&'a str, usize>,
    labels: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let nodes = &snapshot.nodes[..snapshot.nodes.len().min(MAX_NODES)];
        let mut children = vec![Vec::new(); nodes.len()];
        let mut parents = vec![None; nodes.len()];
        // The node before and all that it is in. A list that a page has tampered with may name anything: only one of
        // these can be the parent of the next, or a subtree would not be one range of the list.
        let mut open: Vec<usize> = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            let named = usize::try_from(node.parent).ok();
            let level = named.and_then(|named| open.binary_search(&named).ok());
            open.truncate(level.map_or(0, |level| level + 1));
            parents[at] = open.last().copied();
            if let Some(parent) = parents[at] {
                children[parent].push(at);
            }
            open.push(at);
        }
        let mut ends: Vec<_> = (1..=nodes.len()).collect();
        for at in (0..nodes.len()).rev() {
            if let Some(parent) = parents[at] {
                ends[parent] = ends[parent].max(ends[at]);
            }
        }
        let (mut ids, mut labels) = (HashMap::new(), HashMap::<_, Vec<_>>::new());
        for (at, node) in nodes.iter().enumerate() {
            if let Some(id) = node.attributes.get("id").filter(|id| !id.is_empty()) {
                ids.entry(id.as_str()).or_insert(at);
            }
            if let Some(id) = node.attributes.get("for").filter(|_| node.tag == "label") {
                labels.entry(id.as_str()).or_default().push(at);
            }
        }
        Self {
            nodes,
            children,
            ends,
            parents,
            ids,
            labels,
        }
    }

    pub(super) fn node(&self, at: usize) -> &'a Node {
        &self.nodes[at]
    }

    pub(super) fn tag(&self, at: usize) -> &'a str {
        &self.nodes[at].tag
    }

    pub(super) fn attribute(&self, at: usize, name: &str) -> &'a str {
        self.nodes[at]
            .attributes
            .get(name)
            .map_or("", String::as_str)
    }

    pub(super) fn is_hidden(&self, at: usize) -> bool {
        self.nodes[at].flags & HIDDEN != 0
    }

    /// Returns whether an element stands on lines of its own.
    pub(super) fn is_block(&self, at: usize) -> bool {
        !self.is_text(at) && self.nodes[at].flags & BLOCK != 0
    }

    pub(super) fn is_text(&self, at: usize) -> bool {
        self.nodes[at].tag.is_empty()
    }

    pub(super) fn children(&self, at: usize) -> &[usize] {
        &self.children[at]
    }

    pub(super) fn parent(&self, at: usize) -> Option<usize> {
        self.parents[at]
    }

    /// Returns the first place behind the subtree of `at`.
    pub(super) fn end(&self, at: usize) -> usize {
        self.ends[at]
    }

    pub(super) fn contains(&self, outer: usize, inner: usize) -> bool {
        (outer..self.ends[outer]).contains(&inner)
    }

    /// Returns the ancestors of `at`, the nearest first.
    pub(super) fn ancestors(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.parent(at), |&at| self.parent(at))
    }

    /// Returns the innermost node that contains both.
    pub(super) fn common(&self, a: usize, b: usize) -> Option<usize> {
        std::iter::once(a)
            .chain(self.ancestors(a))
            .find(|&outer| self.contains(outer, b))
    }

    /// Returns class, id and role in one lower-case text, for words that name what an element is there for.
    pub(super) fn names(&self, at: usize) -> String {
        let names = ["class", "id", "role", "name"].map(|name| self.attribute(at, name));
        names.join(" ").to_lowercase()
    }

    /// Returns whether one of the element's classes is `class`.
    pub(super) fn has_class(&self, at: usize, class: &str) -> bool {
        self.attribute(at, "class")
            .split_whitespace()
            .any(|own| own == class)
    }

    /// Returns the first element with this id.
    pub(super) fn by_id(&self, id: &str) -> Option<usize> {
        self.ids.get(id).copied()
    }

    /// Returns the labels that name the element with this id.
    pub(super) fn labels_for(&self, id: &str) -> &[usize] {
        self.labels.get(id).map_or(&[], Vec::as_slice)
    }

    /// Returns the element itself and those around it, the nearest first.
    pub(super) fn with_ancestors(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::once(at).chain(self.ancestors(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(parent: i64, tag: &str) -> Node {
        Node {
            parent,
            tag: tag.to_owned(),
            ..Node::default()
        }
    }

    #[test]
    fn a_frame_takes_its_place() {
        let mut frame = element(0, "iframe");
        frame.attributes.insert("src".into(), "http://a/".into());
        let mut page = Snapshot {
            nodes: vec![
                element(-1, "body"),
                frame,
                element(0, "div"),
                element(2, "p"),
            ],
            ..Snapshot::default()
        };
        assert_eq!(page.unread_frame(), Some(1));
        page.set_frame(0);
        let inner = Snapshot {
            nodes: vec![element(-1, "body"), element(0, "b")],
            ..Snapshot::default()
        };
        page.attach_frame(1, inner);
        let seen: Vec<_> = page
            .nodes
            .iter()
            .map(|node| (node.tag.as_str(), node.parent))
            .collect();
        assert_eq!(
            seen,
            [
                ("body", -1),
                ("iframe", 0),
                ("body", 1),
                ("b", 2),
                ("div", 0),
                ("p", 4)
            ]
        );
        assert_eq!((page.unread_frame(), page.origin(5)), (None, Some((0, 3))));
        assert_eq!(page.origin(2), None);
    }

    #[test]
    fn a_list_that_was_tampered_with_makes_a_tree_all_the_same() {
        let names = [7, 1, 1, 9, 0];
        let page = Snapshot {
            nodes: names.map(|parent| element(parent, "p")).to_vec(),
            ..Snapshot::default()
        };
        let tree = Tree::new(&page);
        let parents: Vec<_> = (0..names.len()).map(|at| tree.parent(at)).collect();
        // 1 names itself, 3 what comes later, 4 what has ended.
        assert_eq!(parents, [None, None, Some(1), None, None]);
        assert_eq!((tree.end(1), tree.end(3)), (3, 4));
    }
}
