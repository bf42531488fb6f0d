//! The server's clock as seen from here: the offset of the quickest of the latest five round trips. Pure.

use std::collections::VecDeque;

/// Round trips that count.
const SAMPLES: usize = 5;

/// The estimate.
#[derive(Debug, Clone, Default)]
pub(super) struct Offset {
    samples: VecDeque<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    round_trip_ms: u64,
    ahead_ms: i64,
}

impl Offset {
    /// Starts from a message of the server alone: right up to the time it took to arrive. Every round trip is better.
    pub(super) fn guess(server_ms: u64, received_ms: u64) -> Self {
        let ahead_ms = server_ms.cast_signed() - received_ms.cast_signed();
        Self {
            samples: [Sample {
                round_trip_ms: u64::MAX,
                ahead_ms,
            }]
            .into(),
        }
    }

    /// Takes over one round trip: sent and received by the local clock, answered by the server's.
    pub(super) fn add(&mut self, sent_ms: u64, server_ms: u64, received_ms: u64) {
        let round_trip_ms = received_ms.saturating_sub(sent_ms);
        let halfway = sent_ms + round_trip_ms / 2;
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample {
            round_trip_ms,
            ahead_ms: server_ms.cast_signed() - halfway.cast_signed(),
        });
    }

    /// Returns the server's time at local time `now_ms`.
    pub(super) fn server_time(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add_signed(self.best().map_or(0, |sample| sample.ahead_ms))
    }

    /// Returns the shortest round trip in milliseconds.
    pub(super) fn round_trip_ms(&self) -> Option<u64> {
        self.best()
            .map(|sample| sample.round_trip_ms)
            .filter(|round_trip| *round_trip != u64::MAX)
    }

    fn best(&self) -> Option<&Sample> {
        self.samples
            .iter()
            .min_by_key(|sample| sample.round_trip_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_quickest_of_the_latest_five_counts() {
        let mut offset = Offset::default();
        assert_eq!(offset.server_time(100), 100);
        offset.add(1_000, 6_000, 1_002);
        offset.add(2_000, 7_900, 2_400);
        assert_eq!(
            (offset.server_time(3_000), offset.round_trip_ms()),
            (7_999, Some(2))
        );
        for _ in 0..5 {
            offset.add(4_000, 5_005, 4_010);
        }
        assert_eq!(
            (offset.server_time(4_000), offset.round_trip_ms()),
            (5_000, Some(10))
        );
    }

    #[test]
    fn a_guess_gives_way_to_the_first_round_trip() {
        let mut offset = Offset::guess(5_000, 1_000);
        assert_eq!(
            (offset.server_time(2_000), offset.round_trip_ms()),
            (6_000, None)
        );
        offset.add(2_000, 6_030, 2_020);
        assert_eq!(
            (offset.server_time(2_000), offset.round_trip_ms()),
            (6_020, Some(20))
        );
    }

    proptest! {
        #[test]
        fn the_error_is_at_most_half_the_round_trip(
            ahead in -1_000_000_i64..1_000_000, there in 0_u64..500, back in 0_u64..500,
        ) {
            let (sent, mut offset) = (2_000_000_u64, Offset::default());
            offset.add(sent, (sent + there).saturating_add_signed(ahead), sent + there + back);
            let error = offset.server_time(sent).cast_signed() - sent.saturating_add_signed(ahead).cast_signed();
            prop_assert!(error.unsigned_abs() <= (there + back).div_ceil(2));
        }
    }
}
