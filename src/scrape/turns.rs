//! Turns: a site is not asked for its next page before some time has passed since the last one.

use moka::sync::Cache;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// Most hosts whose last page is remembered.
const MAX_HOSTS: u64 = 10_000;
/// Longer than any pause between two pages.
const KEPT: Duration = Duration::from_secs(3_600);

/// When each host may be asked again.
#[derive(Debug)]
pub(super) struct Turns(Cache<String, Arc<Mutex<Instant>>>);

impl Turns {
    pub(super) fn new() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MAX_HOSTS)
                .time_to_idle(KEPT)
                .build(),
        )
    }

    /// Waits for the next turn of a host; the one after it comes `pause` later. Turns are given in order of asking.
    ///
    /// # Errors
    /// How long it would take, when that is beyond `deadline`; then no turn is taken.
    pub(super) async fn wait(
        &self,
        host: &str,
        pause: Duration,
        deadline: Instant,
    ) -> Result<(), Duration> {
        let entry = self
            .0
            .get_with_by_ref(host, || Arc::new(Mutex::new(Instant::now())));
        let turn = {
            let mut next = entry.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let turn = (*next).max(now);
            if turn > deadline {
                return Err(turn - now);
            }
            *next = turn + pause;
            turn
        };
        sleep_until(turn).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pages_of_one_host_come_one_after_another() {
        let turns = Turns::new();
        let (began, pause) = (Instant::now(), Duration::from_secs(1));
        let deadline = began + Duration::from_millis(2_500);
        let waited = async |host: &str| {
            turns
                .wait(host, pause, deadline)
                .await
                .map(|()| began.elapsed())
        };
        let (first, other, second) = tokio::join!(waited("a"), waited("b"), waited("a"));
        assert_eq!(
            (first, other, second),
            (Ok(Duration::ZERO), Ok(Duration::ZERO), Ok(pause))
        );
        assert_eq!(waited("a").await, Ok(2 * pause));
        // The next turn would be at 3 s; the refusal has cost nobody a turn.
        assert_eq!(turns.wait("a", pause, deadline).await, Err(pause));
        assert_eq!(turns.wait("a", pause, deadline).await, Err(pause));
    }
}
