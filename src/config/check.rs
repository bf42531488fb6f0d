//! Checks that go beyond a value's type: ranges, and what must fit together.

use super::{load::Origins, problem::Problem};
use std::collections::BTreeMap;

/// Most that any queue, pool or table may hold.
const MAX_CAPACITY: u64 = 1_000_000;
/// Longest time that can be set in milliseconds: one day.
const MAX_MS: u64 = 86_400_000;

/// Collects the problems of one section, or of the whole when the section's name is empty.
pub(super) struct Check<'a> {
    /// The section under check; keys are relative to it.
    pub(super) section: &'static str,
    /// Every key's present value as shown to people.
    pub(super) values: &'a BTreeMap<String, String>,
    /// Where the values came from.
    pub(super) origins: &'a Origins,
    /// What was found so far.
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    /// Reports `key` with what would be right unless `holds`.
    pub(super) fn that(&mut self, key: &str, holds: bool, remedy: impl Into<String>) {
        let key = if self.section.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.section)
        };
        // A value that could not be read was reported already, and its default took its place here.
        if holds || self.problems.iter().any(|problem| problem.key == key) {
            return;
        }
        let (value, origin) = (self.values.get(&key).cloned(), self.origins.get(&key));
        self.problems.push(Problem {
            key,
            value,
            origin,
            remedy: remedy.into(),
        });
    }

    /// Checks a whole number against its bounds, both allowed.
    pub(super) fn between(&mut self, key: &str, value: impl TryInto<u64>, min: u64, max: u64) {
        let holds = value
            .try_into()
            .is_ok_and(|value| (min..=max).contains(&value));
        self.that(key, holds, format!("must be from {min} to {max}"));
    }

    /// Checks how many something holds: never none.
    pub(super) fn capacity(&mut self, key: &str, value: impl TryInto<u64>) {
        self.between(key, value, 1, MAX_CAPACITY);
    }

    /// Checks a time in milliseconds: never none, a day at most.
    pub(super) fn milliseconds(&mut self, key: &str, value: u64) {
        self.between(key, value, 1, MAX_MS);
    }
}
