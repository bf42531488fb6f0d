//! Seen: how far this process has seen each stream, to notice when a server comes back with less.
//!
//! A server that does not write every command to its disk loses the latest when it crashes, and gives their offsets to
//! other events. A viewer who saw the first ones would take the second for seen.

/// Channels that are remembered. One that is not is as if this process had not seen it.
const REMEMBERED: u64 = 100_000;

/// How a stream stands, as the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stand {
    pub(super) epoch: u64,
    /// Offset of the next event.
    pub(super) next: u64,
    /// The run of the server that appended last.
    pub(super) run: String,
    /// Offset of the first event of that run.
    pub(super) began: u64,
}

/// See the module. Clones share one memory.
#[derive(Debug, Clone)]
pub(super) struct Seen(moka::sync::Cache<String, Stand>);

impl Default for Seen {
    fn default() -> Self {
        Self(moka::sync::Cache::new(REMEMBERED))
    }
}

impl Seen {
    /// Returns whether a stream goes on from what was seen of it; if it does, remembers how it stands.
    pub(super) fn goes_on(&self, channel: &str, stand: &Stand) -> bool {
        let known = self
            .0
            .get(channel)
            .filter(|known| known.epoch == stand.epoch);
        let goes_on = known.as_ref().is_none_or(|known| {
            // Answers of one run may overtake one another.
            known.run == stand.run || known.next <= stand.began
        });
        let is_news = known.is_none_or(|known| known.run != stand.run || known.next < stand.next);
        if goes_on && is_news {
            self.0.insert(channel.to_owned(), stand.clone());
        }
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand(next: u64, run: &str, began: u64) -> Stand {
        Stand {
            epoch: 7,
            next,
            run: run.to_owned(),
            began,
        }
    }

    #[test]
    fn a_server_that_comes_back_with_less_is_noticed_however_much_it_has_appended_since() {
        let seen = Seen::default();
        assert!(seen.goes_on("c", &stand(5, "a", 1)));
        assert!(seen.goes_on("c", &stand(8, "a", 1)));
        assert!(seen.goes_on("c", &stand(6, "a", 1)), "a late answer");
        assert!(seen.goes_on("c", &stand(9, "b", 8)), "nothing was lost");
        for _ in 0..2 {
            let went_back = stand(20, "c", 7);
            assert!(!seen.goes_on("c", &went_back), "until it has a new name");
        }
        let renewed = Stand {
            epoch: 8,
            ..stand(20, "c", 7)
        };
        assert!(seen.goes_on("c", &renewed));
        assert!(seen.goes_on("other", &stand(3, "c", 1)));
    }
}
