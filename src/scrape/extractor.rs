//! Extractor: finds questions on threads of their own, no more at once than there are cores.
//!
//! Such a thread cannot be stopped. A page that keeps it busy past its time keeps its place too, so that pages like it
//! wait for each other instead of taking the whole machine.

use super::trouble;
use crate::page::{FailReason, PageError};
use std::sync::Arc;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

/// See the module. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Extractor(Arc<Semaphore>);

impl Extractor {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(cores)))
    }

    /// Does such work by `deadline`.
    ///
    /// # Errors
    /// When it takes longer, or there is no place in time.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PageError> {
        let done = async {
            let place = Arc::clone(&self.0).acquire_owned().await;
            let place = place.expect("the semaphore is never closed");
            let working = tokio::task::spawn_blocking(move || {
                let done = work();
                drop(place);
                done
            });
            working.await.map_err(|_| not_understood())
        };
        match timeout_at(deadline, done).await {
            Ok(done) => done,
            Err(_) => Err(trouble::failed(
                FailReason::Timeout,
                "the page takes too long to be understood: save the part with the quiz and send its HTML".to_owned(),
            )),
        }
    }
}

/// What is said when extracting panicked, which no page should be able to bring about.
fn not_understood() -> PageError {
    let told = "the page could not be understood: save the part with the quiz and send its HTML";
    trouble::failed(FailReason::NotAPage, told.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, time::Duration};

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(50)
    }

    #[tokio::test]
    async fn work_past_its_time_keeps_its_place() {
        let extractor = Extractor(Arc::new(Semaphore::new(1)));
        let (go_on, wait) = mpsc::channel::<()>();
        let stuck = extractor.run(soon(), move || wait.recv()).await;
        assert!(matches!(
            stuck,
            Err(PageError::Failed(FailReason::Timeout, _))
        ));
        let next = extractor.run(soon(), || 1).await;
        assert!(next.is_err(), "there is one place, and it is taken");
        go_on.send(()).unwrap();
        let later = Instant::now() + Duration::from_secs(10);
        assert_eq!(extractor.run(later, || 1).await, Ok(1));
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let extractor = Extractor::new();
        let later = Instant::now() + Duration::from_secs(10);
        let outcome = extractor.run::<()>(later, || panic!("made to")).await;
        assert!(matches!(
            outcome,
            Err(PageError::Failed(FailReason::NotAPage, _))
        ));
    }
}
