//! One CSS selector: elements by type, class, id and attribute, within and directly within others.

use crate::extract::snapshot::Node;

/// Most elements that one selector may name.
const MAX_COMPOUNDS: usize = 12;

/// A selector such as `form > .q[data-open="1"] p`.
#[derive(Debug)]
pub(super) struct Selector {
    /// From the outermost to the element itself.
    compounds: Vec<Compound>,
}

/// What one element must be.
#[derive(Debug, Default)]
struct Compound {
    /// Whether it is directly within the one before.
    is_child: bool,
    tag: Option<String>,
    /// Attributes with what their values must be.
    attributes: Vec<(String, Value)>,
}

#[derive(Debug)]
enum Value {
    Any,
    Equal(String),
    /// One of the words.
    Word(String),
    Start(String),
    End(String),
    Part(String),
}

impl Selector {
    /// Reads a selector; `None` for states such as `:hover`, parts such as `::before`, siblings, and what is no selector.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut compounds = Vec::new();
        let mut rest = text.trim();
        let mut is_child = false;
        while !rest.is_empty() {
            let (mut compound, after) = Compound::parse(rest)?;
            compound.is_child = is_child;
            compounds.push(compound);
            let next = after.trim_start();
            is_child = next.starts_with('>');
            rest = next.strip_prefix('>').unwrap_or(next).trim_start();
            let is_apart = is_child || next.len() < after.len() || next.is_empty();
            if !is_apart || compounds.len() > MAX_COMPOUNDS || (is_child && rest.is_empty()) {
                return None;
            }
        }
        (!compounds.is_empty()).then_some(Self { compounds })
    }

    /// Returns how many ids, other attributes and types are named: of two rules, the greater counts.
    /// (Selectors Level 4, section 17.)
    pub(super) fn specificity(&self) -> (usize, usize, usize) {
        let named = |wanted: bool| {
            let all = self.compounds.iter().flat_map(|c| &c.attributes);
            all.filter(|(name, _)| (name == "id") == wanted).count()
        };
        let types = self.compounds.iter().filter(|c| c.tag.is_some()).count();
        (named(true), named(false), types)
    }

    /// Returns whether the element at `at` of `nodes` is meant.
    pub(super) fn matches(&self, nodes: &[Node], at: usize) -> bool {
        let Some((own, outer)) = self.compounds.split_last() else {
            return false;
        };
        if !own.matches(&nodes[at]) {
            return false;
        }
        let mut path = Vec::new();
        let mut parent = nodes[at].parent;
        while let Ok(above) = usize::try_from(parent) {
            path.push(above);
            parent = nodes[above].parent;
        }
        // How far the selector holds, per count of compounds: for the element just above, and for any above.
        let mut directly = vec![false; self.compounds.len()];
        let mut anywhere = directly.clone();
        let holds = |directly: &[bool], anywhere: &[bool], count: usize, is_child: bool| {
            count == 0
                || if is_child {
                    directly[count]
                } else {
                    anywhere[count]
                }
        };
        for above in path.into_iter().rev() {
            let mut here = vec![false; self.compounds.len()];
            for (count, compound) in outer.iter().enumerate() {
                here[count + 1] = holds(&directly, &anywhere, count, compound.is_child)
                    && compound.matches(&nodes[above]);
                anywhere[count + 1] |= here[count + 1];
            }
            directly = here;
        }
        holds(&directly, &anywhere, outer.len(), own.is_child)
    }
}

impl Compound {
    /// Reads what one element must be, and returns it with what follows.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let mut compound = Self::default();
        let mut rest = text;
        if let Some(after) = rest.strip_prefix('*') {
            rest = after;
        } else if rest.starts_with(is_name) {
            let tag;
            (tag, rest) = name(rest)?;
            compound.tag = Some(tag.to_lowercase());
        }
        while let Some(mark) = rest.chars().next().filter(|c| "#.[".contains(*c)) {
            let word;
            (word, rest) = name(&rest[1..])?;
            let condition = match mark {
                '#' => ("id".to_owned(), Value::Equal(word.to_owned())),
                '.' => ("class".to_owned(), Value::Word(word.to_owned())),
                _ => {
                    let close = rest.find(']')?;
                    let value = Value::parse(rest[..close].trim())?;
                    rest = &rest[close + 1..];
                    (word.to_lowercase(), value)
                }
            };
            compound.attributes.push(condition);
        }
        (rest.len() < text.len()).then_some((compound, rest))
    }

    fn matches(&self, node: &Node) -> bool {
        let is_text = node.tag.is_empty();
        !is_text
            && self.tag.as_ref().is_none_or(|tag| *tag == node.tag)
            && self.attributes.iter().all(|(name, value)| {
                node.attributes
                    .get(name)
                    .is_some_and(|has| value.matches(has))
            })
    }
}

impl Value {
    /// Reads what follows an attribute's name: nothing, or an operator and a value.
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::Any);
        }
        let (operator, value) = text.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']).to_owned();
        Some(match operator.trim() {
            "" => Self::Equal(value),
            "~" => Self::Word(value),
            "^" => Self::Start(value),
            "$" => Self::End(value),
            "*" => Self::Part(value),
            _ => return None,
        })
    }

    fn matches(&self, has: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Equal(value) => has == value,
            Self::Word(value) => has.split_whitespace().any(|word| word == value),
            Self::Start(value) => !value.is_empty() && has.starts_with(value),
            Self::End(value) => !value.is_empty() && has.ends_with(value),
            Self::Part(value) => !value.is_empty() && has.contains(value.as_str()),
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

/// Returns the name at the start of `text`, and what follows.
fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}
