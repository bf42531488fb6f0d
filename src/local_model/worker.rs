//! The model's own threads: questions in, solutions out, the runtime never blocked.
//!
//! Queue: bounded; a caller waits for a place until its deadline. Whatever waits for an answer may stop waiting: a job
//! whose caller has gone or whose deadline has passed is skipped, or given up at the next step of the computation.
//! Crash: weights are never written to, so a panic costs the one job that caused it; its caller gets an error, the thread
//! goes on. Without weights (the file is missing or damaged) every job is answered with the reason.

use super::{engine::Engine, error::ModelError, shelf::Choice, threads};
use crate::{quiz::Question, solve::Solution};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout_at},
};

/// Jobs that may wait for a thread. The AI client in front has its own, configured bound; this one is never the first.
const QUEUE: usize = 64;

/// What the threads are doing.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// The weights are being read.
    Loading,
    /// Questions are answered, by this many threads.
    Ready {
        /// Threads that answer, one question each.
        threads: usize,
    },
    /// The weights could not be loaded.
    Failed(ModelError),
}

/// A handle on the threads; they end when it is dropped and their current job is done.
pub(crate) struct Worker {
    jobs: mpsc::Sender<Job>,
    status: watch::Receiver<Status>,
}

struct Job {
    question: Question,
    deadline: Instant,
    reply: oneshot::Sender<Result<Solution, ModelError>>,
}

impl Job {
    /// An error when the work is no longer wanted.
    fn check(&self) -> Result<(), ModelError> {
        if self.reply.is_closed() || Instant::now() >= self.deadline {
            Err(ModelError::Interrupted)
        } else {
            Ok(())
        }
    }
}

/// Solves one question; [`Engine`] does, and tests have their own.
type Solve = dyn Fn(&Question, &mut dyn FnMut() -> Result<(), ModelError>) -> Result<Solution, ModelError>
    + Send
    + Sync;

impl Worker {
    /// Starts `threads` threads (0: one per core) that load `choice` and then answer. Returns at once.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when the system starts no thread.
    pub(crate) fn start(choice: Choice, threads: usize) -> Result<Self, ModelError> {
        let count = threads::parallel(threads);
        Self::start_with(count, move || {
            let engine = Engine::load(&choice.path, choice.method)?;
            Ok(Box::new(
                move |question: &Question, check: &mut dyn FnMut() -> Result<(), ModelError>| {
                    engine.solve(question, &choice.name, check)
                },
            ))
        })
    }

    fn start_with(
        count: usize,
        load: impl FnOnce() -> Result<Box<Solve>, ModelError> + Send + 'static,
    ) -> Result<Self, ModelError> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (announce, status) = watch::channel(Status::Loading);
        let queue = Arc::new(Mutex::new(queue));
        spawn(0, move || {
            let loaded = catch_unwind(AssertUnwindSafe(load)).unwrap_or_else(|_| {
                Err(ModelError::Compute(
                    "the model file made the loader panic".into(),
                ))
            });
            let solve: Arc<Solve> = match loaded {
                Ok(solve) => solve.into(),
                Err(error) => {
                    tracing::warn!(%error, "local model not loaded");
                    let reason = error.clone();
                    announce.send_replace(Status::Failed(error));
                    Arc::new(
                        move |_: &Question, _: &mut dyn FnMut() -> Result<(), ModelError>| {
                            Err(reason.clone())
                        },
                    )
                }
            };
            let others = (1..count).filter(|&number| {
                let (queue, solve) = (Arc::clone(&queue), Arc::clone(&solve));
                spawn(number, move || answer_all(&queue, &*solve)).is_ok()
            });
            let threads = 1 + others.count();
            announce.send_if_modified(|status| {
                let loading = *status == Status::Loading;
                if loading {
                    *status = Status::Ready { threads };
                }
                loading
            });
            answer_all(&queue, &*solve);
        })?;
        Ok(Self { jobs, status })
    }

    /// Returns what the threads are doing.
    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Waits until the weights are loaded.
    ///
    /// # Errors
    /// Why they could not be.
    pub(crate) async fn ready(&self) -> Result<(), ModelError> {
        let mut status = self.status.clone();
        let seen = status
            .wait_for(|status| *status != Status::Loading)
            .await
            .map_err(|_| stopped())?;
        match &*seen {
            Status::Failed(error) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Answers `question` by `deadline`. Dropping the future gives the work up.
    ///
    /// # Errors
    /// [`ModelError::Interrupted`] at the deadline, otherwise what went wrong.
    pub(crate) async fn solve(
        &self,
        question: &Question,
        deadline: Instant,
    ) -> Result<Solution, ModelError> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            question: question.clone(),
            deadline,
            reply,
        };
        let answered = timeout_at(deadline, async {
            self.jobs.send(job).await.map_err(|_| stopped())?;
            answer.await.map_err(|_| {
                ModelError::Compute("the computation of this question crashed".into())
            })?
        });
        answered.await.unwrap_or(Err(ModelError::Interrupted))
    }
}

fn answer_all(queue: &Mutex<mpsc::Receiver<Job>>, solve: &Solve) {
    loop {
        // Only the wait for a job is under the lock: the others queue up behind it for theirs.
        let job = queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv();
        let Some(job) = job else { return };
        let solved = catch_unwind(AssertUnwindSafe(|| {
            job.check()?;
            solve(&job.question, &mut || job.check())
        }));
        match solved {
            // A caller that has gone needs no answer.
            Ok(result) => drop(job.reply.send(result)),
            Err(_) => tracing::error!("local model panicked on a question"),
        }
    }
}

fn spawn(number: usize, work: impl FnOnce() + Send + 'static) -> Result<(), ModelError> {
    let thread = thread::Builder::new()
        .name(format!("model-{number}"))
        .spawn(|| {
            // Candle's small steps ask rayon to share them out: with a pool that is this very thread they stay here.
            let alone = rayon::ThreadPoolBuilder::new()
                .num_threads(1)
                .use_current_thread()
                .build();
            work();
            drop(alone);
        });
    thread
        .map(drop)
        .map_err(|error| ModelError::Compute(format!("cannot start a thread: {error}")))
}

fn stopped() -> ModelError {
    ModelError::Compute("the model's threads have stopped".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{quiz::Kind, solve::Method};
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    fn question(text: &str) -> Question {
        Question {
            text: text.into(),
            options: vec!["a".into(), "b".into()],
            kind: Kind::Single,
            correct: None,
            id: None,
        }
    }

    fn solution() -> Solution {
        Solution {
            probabilities: vec![0.5, 0.5],
            outside: 0.0,
            method: Method::Likelihood,
            model: "test".into(),
            prompt_tokens: 1,
            completion_tokens: 0,
            calls: 1,
            cost_usd: 0.0,
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    /// Panics on `panic`, computes until interrupted on `long`, answers everything else. Counts what was begun.
    fn worker(threads: usize) -> (Worker, Arc<AtomicUsize>) {
        let begun = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&begun);
        let worker = Worker::start_with(threads, move || {
            Ok(Box::new(
                move |question: &Question, check: &mut dyn FnMut() -> Result<(), ModelError>| {
                    counter.fetch_add(1, Ordering::SeqCst);
                    match question.text.as_str() {
                        "panic" => panic!("a test panic"),
                        "long" => loop {
                            check()?;
                            thread::yield_now();
                        },
                        _ => Ok(solution()),
                    }
                },
            ))
        });
        (worker.unwrap(), begun)
    }

    #[tokio::test]
    async fn a_panic_costs_one_question_only() {
        let (worker, _) = worker(1);
        let crashed = worker.solve(&question("panic"), soon()).await;
        assert!(
            matches!(crashed, Err(ModelError::Compute(_))),
            "{crashed:?}"
        );
        assert_eq!(
            worker.solve(&question("next"), soon()).await,
            Ok(solution())
        );
    }

    #[tokio::test]
    async fn a_deadline_ends_the_computation_and_frees_the_thread() {
        let (worker, _) = worker(1);
        let deadline = Instant::now() + Duration::from_millis(50);
        assert_eq!(
            worker.solve(&question("long"), deadline).await,
            Err(ModelError::Interrupted)
        );
        assert_eq!(
            worker.solve(&question("next"), soon()).await,
            Ok(solution())
        );
    }

    #[tokio::test]
    async fn jobs_whose_caller_has_gone_are_skipped() {
        let (worker, begun) = worker(1);
        let worker = Arc::new(worker);
        let first = tokio::spawn({
            let worker = Arc::clone(&worker);
            async move { worker.solve(&question("long"), soon()).await }
        });
        while begun.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let mut gone = Vec::new();
        for _ in 0..5 {
            let worker = Arc::clone(&worker);
            gone.push(tokio::spawn(async move {
                worker.solve(&question("long"), soon()).await
            }));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        gone.iter().for_each(|task| task.abort());
        first.abort();
        assert_eq!(
            worker.solve(&question("next"), soon()).await,
            Ok(solution())
        );
        assert_eq!(
            begun.load(Ordering::SeqCst),
            2,
            "only the running job and the last one"
        );
    }

    #[tokio::test]
    async fn several_threads_answer_at_once() {
        let (worker, begun) = worker(2);
        let deadline = Instant::now() + Duration::from_millis(500);
        let (first, second) = (question("long"), question("long"));
        let both = async {
            tokio::join!(
                worker.solve(&first, deadline),
                worker.solve(&second, deadline)
            )
        };
        let watch = async {
            while begun.load(Ordering::SeqCst) < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = watch => {}
            _ = both => panic!("the second question waited for the first"),
        }
        assert_eq!(worker.status(), Status::Ready { threads: 2 });
    }

    #[tokio::test]
    async fn a_failed_load_is_told_to_everyone_who_asks() {
        let reason = ModelError::Missing("no weights".into());
        let given = reason.clone();
        let worker = Worker::start_with(2, move || Err(given)).unwrap();
        assert_eq!(worker.ready().await, Err(reason.clone()));
        assert_eq!(
            worker.solve(&question("x"), soon()).await,
            Err(reason.clone())
        );
        assert_eq!(worker.status(), Status::Failed(reason));
    }

    #[tokio::test]
    async fn a_panic_while_loading_is_a_failed_load() {
        let worker = Worker::start_with(1, || panic!("a test panic")).unwrap();
        assert!(matches!(worker.ready().await, Err(ModelError::Compute(_))));
    }
}
