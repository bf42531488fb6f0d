//! How many calls a provider gets at once: fewer after each refusal for their rate, slowly more again while it answers.
//!
//! Additive increase, multiplicative decrease (Chiu and Jain: Analysis of the increase and decrease algorithms for
//! congestion avoidance in computer networks, 1989): the rate settles where the provider's own limit is, unknown to us.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Duration, Instant},
};

/// Refusals that come this soon after the last are answers to calls that were made before it.
const SHRINK_AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Places {
    semaphore: Semaphore,
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: usize,
    /// Places that are to be taken away when they are given back.
    owed: usize,
    /// Good answers since the limit last changed.
    answers: usize,
    shrunk_at: Option<Instant>,
}

/// A place among the running calls, given back when dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    places: &'a Places,
    permit: Option<SemaphorePermit<'a>>,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self {
            semaphore: Semaphore::new(most),
            most,
            state: Mutex::new(State {
                limit: most,
                owed: 0,
                answers: 0,
                shrunk_at: None,
            }),
        }
    }

    /// Waits for a place.
    pub(super) async fn take(&self) -> Place<'_> {
        let permit = self
            .semaphore
            .acquire()
            .await
            .expect("the semaphore is never closed");
        Place {
            places: self,
            permit: Some(permit),
        }
    }

    /// Notes a good answer: as many as there are places add one.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.answers += 1;
        if state.limit < self.most && state.answers >= state.limit {
            state.limit += 1;
            state.answers = 0;
            match state.owed.checked_sub(1) {
                Some(rest) => state.owed = rest,
                None => self.semaphore.add_permits(1),
            }
        }
    }

    /// Notes a refusal for the rate of calls: half of the places go, but never the last.
    pub(super) fn limited(&self, now: Instant) {
        let mut state = self.state();
        if state
            .shrunk_at
            .is_some_and(|at| now - at < SHRINK_AT_MOST_EVERY)
        {
            return;
        }
        let limit = (state.limit / 2).max(1);
        let gone = state.limit - limit;
        let free = self.semaphore.forget_permits(gone);
        state.owed += gone - free;
        state.limit = limit;
        state.answers = 0;
        state.shrunk_at = Some(now);
    }

    /// Returns how many calls may run at once now.
    pub(super) fn limit(&self) -> usize {
        self.state().limit
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.places.state();
        if state.owed > 0 {
            state.owed -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn refusals_halve_the_places_and_answers_bring_them_back_one_by_one() {
        let places = Places::new(8);
        let held = vec![
            places.take().await,
            places.take().await,
            places.take().await,
            places.take().await,
            places.take().await,
            places.take().await,
        ];
        places.limited(Instant::now());
        assert_eq!(places.limit(), 4);
        places.limited(Instant::now());
        assert_eq!(places.limit(), 4, "the same burst counts once");
        drop(held);
        assert_eq!(places.semaphore.available_permits(), 4);
        for _ in 0..3 {
            tokio::time::advance(SHRINK_AT_MOST_EVERY).await;
            places.limited(Instant::now());
        }
        assert_eq!(
            (places.limit(), places.semaphore.available_permits()),
            (1, 1),
            "never the last"
        );
        places.answered();
        assert_eq!(
            (places.limit(), places.semaphore.available_permits()),
            (2, 2)
        );
        for _ in 0..100 {
            places.answered();
        }
        assert_eq!(
            (places.limit(), places.semaphore.available_permits()),
            (8, 8),
            "never more than configured"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_is_owed_can_be_earned_back_before_it_is_given_back() {
        let places = Places::new(2);
        let held = (places.take().await, places.take().await);
        places.limited(Instant::now());
        places.answered();
        assert_eq!(places.limit(), 2);
        drop(held);
        assert_eq!(places.semaphore.available_permits(), 2);
    }
}
