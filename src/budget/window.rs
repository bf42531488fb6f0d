//! One sliding limit: what was taken within the last minute, hour or day, in sixty slots.

use std::{collections::VecDeque, time::Duration};

const SLOTS: u64 = 60;

/// What a sum of fractions may be off by.
const ROUNDING: f64 = 1e-9;

/// See the module.
#[derive(Debug)]
pub(super) struct Window {
    slot_ms: u64,
    most: f64,
    /// Slot number since the epoch, and what was taken in it; the oldest first.
    slots: VecDeque<(u64, f64)>,
}

impl Window {
    pub(super) fn new(length: Duration, most: f64) -> Self {
        Self {
            slot_ms: u64::try_from(length.as_millis()).unwrap_or(u64::MAX) / SLOTS,
            most,
            slots: VecDeque::new(),
        }
    }

    pub(super) const fn most(&self) -> f64 {
        self.most
    }

    /// Returns what was taken and still counts.
    pub(super) fn used(&mut self, now_ms: u64) -> f64 {
        let now = now_ms / self.slot_ms;
        while self
            .slots
            .front()
            .is_some_and(|(slot, _)| slot + SLOTS < now)
        {
            self.slots.pop_front();
        }
        let used: f64 = self.slots.iter().map(|(_, taken)| taken).sum();
        if used < ROUNDING { 0.0 } else { used }
    }

    /// Says whether `amount` fits now; otherwise when it does, `None` for never.
    pub(super) fn check(&mut self, amount: f64, now_ms: u64) -> Result<(), Option<Duration>> {
        let mut used = self.used(now_ms);
        if used + amount <= self.most + ROUNDING {
            return Ok(());
        }
        if amount > self.most + ROUNDING {
            return Err(None);
        }
        for (slot, taken) in &self.slots {
            used -= taken;
            if used + amount <= self.most + ROUNDING {
                let free_at = (slot + SLOTS + 1) * self.slot_ms;
                return Err(Some(Duration::from_millis(free_at.saturating_sub(now_ms))));
            }
        }
        Err(Some(Duration::from_millis(self.slot_ms * SLOTS)))
    }

    /// Adds to what was taken at `at_ms`; what no longer counts is left out.
    pub(super) fn add(&mut self, amount: f64, at_ms: u64) {
        let number = at_ms / self.slot_ms;
        match self.slots.binary_search_by_key(&number, |(slot, _)| *slot) {
            Ok(index) => self.slots[index].1 += amount,
            // A correction of what has been forgotten would be a gift.
            Err(_) if amount < 0.0 => {}
            Err(index) => self.slots.insert(index, (number, amount)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_counts_for_its_time_and_no_longer() {
        let mut window = Window::new(Duration::from_secs(60), 10.0);
        window.add(6.0, 0);
        window.add(4.0, 30_000);
        assert_eq!(window.check(0.0, 30_000), Ok(()));
        let wait = window.check(5.0, 30_000).unwrap_err().unwrap();
        assert_eq!(wait, Duration::from_secs(31), "the first six go first");
        assert_eq!(window.check(5.0, 30_000 + 31_000), Ok(()));
        let wait = window.check(8.0, 30_000).unwrap_err().unwrap();
        assert_eq!(wait, Duration::from_secs(61), "then all of it");
        assert_eq!(window.used(200_000), 0.0);
    }

    #[test]
    fn more_than_the_whole_never_fits() {
        let mut window = Window::new(Duration::from_secs(60), 10.0);
        assert_eq!(window.check(10.5, 0), Err(None));
        assert_eq!(window.check(10.0, 0), Ok(()));
    }

    #[test]
    fn a_correction_lands_where_the_estimate_was() {
        let mut window = Window::new(Duration::from_secs(60), 10.0);
        window.add(9.0, 1_000);
        window.add(-8.0, 1_000);
        assert!((window.used(2_000) - 1.0).abs() < 1e-9);
        assert_eq!(window.used(120_000), 0.0);
        window.add(-5.0, 1_000);
        assert_eq!(window.used(120_000), 0.0, "forgotten is forgotten");
    }
}
