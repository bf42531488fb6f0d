//! The tree that html5ever builds of a page: nodes in one list, which know their parents and children by place.

use html5ever::{
    Attribute, ParseOpts, QualName, parse_document,
    tendril::{StrTendril, TendrilSink},
    tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink},
};
use std::{
    borrow::Cow,
    cell::{Ref, RefCell},
};

/// The document's place.
pub(super) const ROOT: usize = 0;

/// A parsed page.
#[derive(Debug)]
pub(super) struct Dom(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    parent: Option<usize>,
    children: Vec<usize>,
    data: Data,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Data {
    /// An element's name and attributes.
    Element(QualName, Vec<Attribute>),
    Text(String),
    /// The document, a comment, or the content of a template.
    Other,
}

impl Dom {
    /// Parses a page; whatever it holds, there is a tree.
    pub(super) fn parse(html: &str) -> Self {
        let root = Entry {
            parent: None,
            children: Vec::new(),
            data: Data::Other,
        };
        let sink = Sink(RefCell::new(vec![root]));
        parse_document(sink, ParseOpts::default()).one(html)
    }

    pub(super) fn data(&self, at: usize) -> &Data {
        &self.0[at].data
    }

    pub(super) fn children(&self, at: usize) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.0[at].children.iter().copied()
    }

    /// Returns an element's name, or nothing for what is none.
    pub(super) fn tag(&self, at: usize) -> &str {
        match self.data(at) {
            Data::Element(name, _) => &name.local,
            _ => "",
        }
    }

    pub(super) fn attributes(&self, at: usize) -> impl Iterator<Item = (&str, &str)> {
        let all = match self.data(at) {
            Data::Element(_, attributes) => attributes.as_slice(),
            _ => &[],
        };
        all.iter().map(|a| (&*a.name.local, &*a.value))
    }

    pub(super) fn attribute(&self, at: usize, name: &str) -> Option<&str> {
        let mut all = self.attributes(at);
        all.find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Returns all places within `at`, parents first, in the order of the page.
    pub(super) fn within(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let mut waiting = vec![at];
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(self.children(next).rev());
            Some(next)
        })
    }

    /// Returns the text directly in an element.
    pub(super) fn text(&self, at: usize) -> String {
        let texts = self
            .children(at)
            .filter_map(|child| match self.data(child) {
                Data::Text(text) => Some(text.as_str()),
                _ => None,
            });
        texts.collect()
    }
}

/// What the parser writes to.
struct Sink(RefCell<Vec<Entry>>);

impl Sink {
    fn add(&self, data: Data) -> usize {
        let mut all = self.0.borrow_mut();
        all.push(Entry {
            parent: None,
            children: Vec::new(),
            data,
        });
        all.len() - 1
    }

    /// Puts a node or text among the children of `parent`, before the one at `index`.
    fn insert(&self, parent: usize, index: usize, child: NodeOrText<usize>) {
        let text = match child {
            NodeOrText::AppendNode(node) => {
                let mut all = self.0.borrow_mut();
                all[node].parent = Some(parent);
                return all[parent].children.insert(index, node);
            }
            NodeOrText::AppendText(text) => text,
        };
        let before = index
            .checked_sub(1)
            .map(|i| self.0.borrow()[parent].children[i]);
        if let Some(before) = before
            && let Data::Text(own) = &mut self.0.borrow_mut()[before].data
        {
            return own.push_str(&text);
        }
        let node = self.add(Data::Text(text.to_string()));
        self.insert(parent, index, NodeOrText::AppendNode(node));
    }

    /// Returns a node's parent and its index there. What is looked for mostly stands near the end.
    fn spot(&self, node: usize) -> Option<(usize, usize)> {
        let all = self.0.borrow();
        let parent = all[node].parent?;
        let index = all[parent].children.iter().rposition(|c| *c == node)?;
        Some((parent, index))
    }
}

impl TreeSink for Sink {
    type Handle = usize;
    type Output = Dom;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Dom {
        Dom(self.0.into_inner())
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> usize {
        ROOT
    }

    fn elem_name<'a>(&'a self, target: &'a usize) -> Ref<'a, QualName> {
        Ref::map(self.0.borrow(), |all| match &all[*target].data {
            Data::Element(name, _) => name,
            other => unreachable!("the parser asks for the names of elements alone: {other:?}"),
        })
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> usize {
        self.add(Data::Element(name, attributes))
    }

    fn create_comment(&self, _: StrTendril) -> usize {
        self.add(Data::Other)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> usize {
        self.add(Data::Other)
    }

    fn append(&self, parent: &usize, child: NodeOrText<usize>) {
        let end = self.0.borrow()[*parent].children.len();
        self.insert(*parent, end, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &usize,
        previous: &usize,
        child: NodeOrText<usize>,
    ) {
        match self.spot(*element) {
            Some(_) => self.append_before_sibling(element, child),
            None => self.append(previous, child),
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    /// The content of a template has no parent, so that nothing of it is met on the way through the page.
    fn get_template_contents(&self, _: &usize) -> usize {
        self.add(Data::Other)
    }

    fn same_node(&self, one: &usize, other: &usize) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &usize, child: NodeOrText<usize>) {
        if let NodeOrText::AppendNode(node) = &child {
            self.remove_from_parent(node);
        }
        if let Some((parent, index)) = self.spot(*sibling) {
            self.insert(parent, index, child);
        }
    }

    fn add_attrs_if_missing(&self, target: &usize, more: Vec<Attribute>) {
        if let Data::Element(_, attributes) = &mut self.0.borrow_mut()[*target].data {
            for attribute in more {
                if attributes.iter().all(|own| own.name != attribute.name) {
                    attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &usize) {
        if let Some((parent, index)) = self.spot(*target) {
            let mut all = self.0.borrow_mut();
            all[parent].children.remove(index);
            all[*target].parent = None;
        }
    }

    fn reparent_children(&self, node: &usize, new_parent: &usize) {
        let mut all = self.0.borrow_mut();
        let moved = std::mem::take(&mut all[*node].children);
        for child in &moved {
            all[*child].parent = Some(*new_parent);
        }
        all[*new_parent].children.extend(moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_tree_however_it_is_written() {
        let dom = Dom::parse(
            "<table>lost<tr><td>a</table><p>b<i>c<b>d</i>e</b><template><u>f</u></template><body class=x>",
        );
        let seen = dom.within(ROOT).map(|at| match dom.data(at) {
            Data::Text(text) => text.clone(),
            _ => format!("<{}>", dom.tag(at)),
        });
        let seen: String = seen.collect();
        assert_eq!(
            seen,
            "<><html><head><body>lost<table><tbody><tr><td>a<p>b<i>c<b>d<b>e<template>"
        );
        let body = dom.within(ROOT).find(|at| dom.tag(*at) == "body");
        assert_eq!(dom.attribute(body.expect("a body"), "class"), Some("x"));
    }
}
