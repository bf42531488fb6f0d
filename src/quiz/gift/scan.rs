//! Blocks of a GIFT file, places in them, and search that passes over escaped characters.

use crate::quiz::problem::Position;

/// One question's lines without the comments between them.
#[derive(Debug)]
pub(super) struct Block {
    text: String,
    /// Where each line begins in `text`, and its number in the file.
    lines: Vec<(usize, usize)>,
}

/// A part of a block, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Returns the blocks of `text`: lines between blank ones, without comments and commands such as `$CATEGORY`.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut block = Block {
        text: String::new(),
        lines: Vec::new(),
    };
    for (index, line) in text.lines().chain([""]).enumerate() {
        let bare = line.trim_start();
        if bare.is_empty() {
            if !block.text.trim().is_empty() {
                blocks.push(std::mem::replace(
                    &mut block,
                    Block {
                        text: String::new(),
                        lines: Vec::new(),
                    },
                ));
            }
            continue;
        }
        let is_command = bare.starts_with('$') && block.lines.is_empty();
        if !is_command && !bare.starts_with("//") {
            block.lines.push((block.text.len(), index + 1));
            block.text.push_str(line);
            block.text.push('\n');
        }
    }
    blocks
}

impl Block {
    /// Returns the whole block, without white space around it.
    pub(super) fn whole(&self) -> Span {
        Span {
            start: 0,
            end: self.text.len(),
        }
        .and_trim(self)
    }

    /// Returns the text of `span`.
    pub(super) fn text(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    /// Returns the line and column of a byte.
    pub(super) fn position(&self, at: usize) -> Position {
        let index = self
            .lines
            .partition_point(|&(start, _)| start <= at)
            .saturating_sub(1);
        let (start, line) = self.lines.get(index).copied().unwrap_or((0, 1));
        Position {
            line,
            column: self.text[start..at].chars().count() + 1,
        }
    }

    /// Returns where `wanted`, plain ASCII, first stands in `span` without a backslash before it.
    pub(super) fn find(&self, span: Span, wanted: &str) -> Option<usize> {
        self.unescaped(span)
            .find(|&at| self.text.as_bytes()[at..span.end].starts_with(wanted.as_bytes()))
    }

    /// Returns every place in `span` where one of `wanted`, plain ASCII, stands without a backslash before it.
    pub(super) fn find_all(&self, span: Span, wanted: &[u8]) -> Vec<usize> {
        self.unescaped(span)
            .filter(|&at| wanted.contains(&self.text.as_bytes()[at]))
            .collect()
    }

    /// Returns the places of the bytes that no backslash stands before and that are none.
    fn unescaped(&self, span: Span) -> impl Iterator<Item = usize> {
        let mut escaped = false;
        (span.start..span.end).filter(move |&at| {
            let was_escaped = escaped;
            escaped = !was_escaped && self.text.as_bytes()[at] == b'\\';
            !was_escaped && !escaped
        })
    }
}

impl Span {
    /// Returns the part from `count` bytes on.
    pub(super) fn after(self, count: usize) -> Self {
        Self {
            start: (self.start + count).min(self.end),
            ..self
        }
    }

    /// Returns the part without the white space around it.
    pub(super) fn and_trim(self, block: &Block) -> Self {
        let text = block.text(self);
        let start = self.start + (text.len() - text.trim_start().len());
        let end = self.end - (text.len() - text.trim_end().len());
        Self {
            start: start.min(end),
            end,
        }
    }
}
