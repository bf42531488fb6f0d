//! What is on its way: when each event left, who still lacks it, and in what order everybody gets them.
//!
//! Servers may order events that are published at the same time as they like, but must show them to everybody in the
//! same order. The first viewer to get an event decides its place.

use anyhow::Context as _;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    fmt,
    rc::Rc,
};
use tokio::{sync::Notify, time::Instant};

/// Number of the first event: all have seven digits, so all events of a server are equally long but for the offset.
pub(crate) const FIRST: usize = 1_000_000;

/// What went wrong on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Deliveries that never came.
    pub(crate) lost: usize,
    /// Deliveries that came again.
    pub(crate) doubled: usize,
    /// Deliveries that came after a later one.
    pub(crate) disordered: usize,
}

impl Faults {
    pub(crate) fn add(&mut self, more: Self) {
        self.lost += more.lost;
        self.doubled += more.doubled;
        self.disordered += more.disordered;
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            lost,
            doubled,
            disordered,
        } = self;
        write!(f, "{lost} · {doubled} · {disordered}")
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Board {
    /// Viewers that are to get every event.
    viewers: usize,
    events: RefCell<Vec<Event>>,
    /// Places given to events that somebody has got.
    placed: Cell<usize>,
    latencies: RefCell<Vec<u32>>,
    faults: Cell<Faults>,
}

struct Event {
    sent: Instant,
    missing: usize,
    /// Its place in the order that all viewers share.
    place: Option<usize>,
    everywhere: Rc<Notify>,
}

/// How far a viewer has come.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Place of the event that comes next.
    next: usize,
    /// Places that were passed over.
    skipped: BTreeSet<usize>,
}

impl Board {
    /// Expects every event at so many viewers.
    pub(crate) fn new(viewers: usize) -> Self {
        Self {
            viewers,
            ..Self::default()
        }
    }

    /// Notes a new event; returns its number. `everywhere` is told when all viewers have it.
    pub(crate) fn publish(&self, everywhere: &Rc<Notify>) -> usize {
        let mut events = self.events.borrow_mut();
        events.push(Event {
            sent: Instant::now(),
            missing: self.viewers,
            place: None,
            everywhere: Rc::clone(everywhere),
        });
        FIRST + events.len() - 1
    }

    /// Notes that a viewer has got an event.
    pub(crate) fn receive(
        &self,
        progress: &mut Progress,
        number: usize,
        now: Instant,
    ) -> anyhow::Result<()> {
        let mut events = self.events.borrow_mut();
        let event = number
            .checked_sub(FIRST)
            .and_then(|index| events.get_mut(index));
        let event = event.with_context(|| format!("event {number} was never sent"))?;
        let place = *event.place.get_or_insert_with(|| {
            let place = self.placed.get();
            self.placed.set(place + 1);
            place
        });
        let mut faults = self.faults.get();
        if place >= progress.next {
            progress.skipped.extend(progress.next..place);
            progress.next = place + 1;
        } else if progress.skipped.remove(&place) {
            faults.disordered += 1;
            self.faults.set(faults);
        } else {
            faults.doubled += 1;
            self.faults.set(faults);
            return Ok(());
        }
        event.missing = event.missing.saturating_sub(1);
        let latency = u32::try_from((now - event.sent).as_micros()).unwrap_or(u32::MAX);
        self.latencies.borrow_mut().push(latency);
        if event.missing == 0 {
            event.everywhere.notify_one();
        }
        Ok(())
    }

    /// Returns how many deliveries are still to come.
    pub(crate) fn missing(&self) -> usize {
        self.events.borrow().iter().map(|event| event.missing).sum()
    }

    /// Ends a round: hands over the latencies in microseconds, and what went wrong. Places go on, as viewers do.
    pub(crate) fn close(&self) -> (Vec<u32>, Faults) {
        let faults = Faults {
            lost: self.missing(),
            ..self.faults.get()
        };
        self.events.take();
        self.faults.take();
        (self.latencies.take(), faults)
    }
}
