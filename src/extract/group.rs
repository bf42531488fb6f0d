//! Options that belong together, wherever they come from.

use super::{lines::Line, marker::Style, snapshot::Tree};
use std::ops::Range;

/// What options are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Radio buttons, or what acts as such.
    Radio,
    /// Checkboxes, or what acts as such.
    Checkbox,
    /// Buttons, links, or other things to click.
    Clickable,
    /// The entries of a drop-down list.
    List,
    /// Lines with markers.
    Lettered(Style),
}

impl Source {
    /// Returns whether options are chosen by controls that are there for nothing else.
    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Radio | Self::Checkbox)
    }
}

/// One option.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// What is clicked, or where the line begins.
    pub(super) at: usize,
    /// The outermost element that holds this option and no other.
    pub(super) item: usize,
    /// From where what it says begins to where that ends.
    pub(super) start: usize,
    pub(super) end: usize,
    /// What it says.
    pub(super) text: String,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) source: Source,
    pub(super) choices: Vec<Choice>,
    /// From the first option to the end of the last: nodes.
    pub(super) range: Range<usize>,
    /// The same in lines.
    pub(super) lines: Range<usize>,
    /// The innermost element that holds them all.
    pub(super) root: usize,
    /// Whether nobody sees them.
    pub(super) hidden: bool,
}

impl Group {
    pub(super) fn new(
        tree: &Tree<'_>,
        lines: &[Line],
        source: Source,
        choices: Vec<Choice>,
    ) -> Self {
        let starts = choices
            .iter()
            .map(|choice| choice.item.min(choice.at).min(choice.start));
        let ends = choices
            .iter()
            .map(|choice| tree.end(choice.item).max(tree.end(choice.at)));
        let range = starts.min().unwrap_or(0)..ends.max().unwrap_or(0);
        let mut places = choices.iter().map(|choice| choice.at);
        let first = places.next().unwrap_or(0);
        let root = places.fold(first, |outer, at| tree.common(outer, at).unwrap_or(0));
        let first = lines.partition_point(|line| line.at.end <= range.start);
        let last = lines.partition_point(|line| line.at.start < range.end);
        Self {
            source,
            choices,
            range,
            lines: first..last.max(first),
            root,
            hidden: false,
        }
    }

    /// Returns of what sort the group is, and how it is built.
    pub(super) fn shape(&self, tree: &Tree<'_>) -> String {
        format!("{:?}{}", self.source, self.built(tree))
    }

    /// Returns how the group is built: what kind of element its options and what holds them are.
    pub(super) fn built(&self, tree: &Tree<'_>) -> String {
        let item = self.choices.first().map_or(0, |choice| choice.item);
        let class = |at: usize| {
            tree.attribute(at, "class")
                .split_whitespace()
                .next()
                .unwrap_or_default()
        };
        format!(
            " {}.{} {}.{}",
            tree.tag(item),
            class(item),
            tree.tag(self.root),
            class(self.root)
        )
    }
}
