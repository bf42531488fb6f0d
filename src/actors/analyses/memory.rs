//! What runs, who waits for it, and what ended lately.

use super::{Promise, Started, Update};
use crate::analysis::{Found, QuestionResult, Report};
use ractor::ActorCell;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tokio::sync::mpsc;

/// An analysis at work.
pub(super) struct Running {
    pub(super) report: Report,
    pub(super) cell: ActorCell,
    pub(super) promise: Promise,
    /// Whether viewers know of it.
    pub(super) shown: bool,
    /// Room for every update there can be, so that telling never waits.
    updates: usize,
    /// Callers that wait.
    listeners: Vec<mpsc::Sender<Update>>,
}

impl Running {
    pub(super) fn new(
        report: Report,
        cell: ActorCell,
        promise: Promise,
        shown: bool,
        max_questions: usize,
    ) -> (Self, Started) {
        let mut running = Self {
            cell,
            promise,
            shown,
            // The questions of a page and the end come beside the results.
            updates: max_questions.max(report.answers.len()) + 2,
            report,
            listeners: Vec::new(),
        };
        let started = running.listen();
        (running, started)
    }

    /// Adds a caller; it hears first what is known already.
    fn listen(&mut self) -> Started {
        let (sender, updates) = mpsc::channel(self.updates);
        if let Some(found) = &self.report.found {
            let _ = sender.try_send(Update::Found(Arc::new(found.clone())));
        }
        for result in &self.report.results {
            let _ = sender.try_send(Update::Result(Box::new(result.clone())));
        }
        self.listeners.push(sender);
        Started {
            id: self.report.analysis_id.clone(),
            updates,
        }
    }

    /// Notes the questions that were read from a page.
    fn found(&mut self, found: Found) {
        self.report.question_count = u32::try_from(found.questions.len()).unwrap_or(u32::MAX);
        self.report.answers = vec![None; found.questions.len()];
        let update = Update::Found(Arc::new(found.clone()));
        self.report.found = Some(found);
        // A caller that has gone is not told any more.
        self.listeners
            .retain(|listener| listener.try_send(update.clone()).is_ok());
    }

    fn answered(&mut self, result: Box<QuestionResult>) {
        let place = self
            .report
            .results
            .partition_point(|known| known.index < result.index);
        if let Some(answer) = self.report.answers.get_mut(result.index as usize - 1) {
            *answer = result.answer;
        }
        self.report.results.insert(place, (*result).clone());
        // A caller that has gone is not told any more.
        self.listeners
            .retain(|listener| listener.try_send(Update::Result(result.clone())).is_ok());
    }

    /// Tells every caller that it has ended.
    pub(super) fn tell_done(self) -> Arc<Report> {
        let report = Arc::new(self.report);
        for listener in self.listeners {
            let _ = listener.try_send(Update::Done(Arc::clone(&report)));
        }
        report
    }
}

/// Returns what a caller of a finished analysis hears.
pub(super) fn finished(report: Arc<Report>) -> Started {
    let (sender, updates) = mpsc::channel(report.results.len() + 2);
    let id = report.analysis_id.clone();
    tell(&sender, report);
    Started { id, updates }
}

/// Tells a caller everything about a finished analysis; there is room for all of it.
pub(super) fn tell(sender: &mpsc::Sender<Update>, report: Arc<Report>) {
    if let Some(found) = &report.found {
        let _ = sender.try_send(Update::Found(Arc::new(found.clone())));
    }
    for result in &report.results {
        let _ = sender.try_send(Update::Result(Box::new(result.clone())));
    }
    let _ = sender.try_send(Update::Done(report));
}

/// See the module. Ids are UUIDv7: their order is the order of time.
pub(super) struct Memory {
    keep: usize,
    running: HashMap<String, Running>,
    ended: BTreeMap<String, Arc<Report>>,
}

impl Memory {
    pub(super) fn new(keep: usize) -> Self {
        Self {
            keep,
            running: HashMap::new(),
            ended: BTreeMap::new(),
        }
    }

    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    pub(super) fn start(&mut self, running: Running) {
        self.running
            .insert(running.report.analysis_id.clone(), running);
    }

    pub(super) fn take(&mut self, id: &str) -> Option<Running> {
        self.running.remove(id)
    }

    pub(super) fn cell(&self, id: &str) -> Option<ActorCell> {
        self.running.get(id).map(|running| running.cell.clone())
    }

    pub(super) fn id_of(&self, cell: &ActorCell) -> Option<String> {
        let mut running = self.running.iter();
        running
            .find(|(_, running)| running.cell.get_id() == cell.get_id())
            .map(|(id, _)| id.clone())
    }

    pub(super) fn join(&mut self, id: &str) -> Option<Started> {
        self.running.get_mut(id).map(Running::listen)
    }

    pub(super) fn found(&mut self, id: &str, found: Found) {
        if let Some(running) = self.running.get_mut(id) {
            running.found(found);
        }
    }

    pub(super) fn answered(&mut self, id: &str, result: Box<QuestionResult>) {
        if let Some(running) = self.running.get_mut(id) {
            running.answered(result);
        }
    }

    /// Keeps a finished analysis, and forgets the oldest beyond the limit.
    pub(super) fn remember(&mut self, report: Arc<Report>) {
        self.ended.insert(report.analysis_id.clone(), report);
        while self.ended.len() > self.keep {
            self.ended.pop_first();
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Report>> {
        match self.running.get(id) {
            Some(running) => Some(Arc::new(running.report.clone())),
            None => self.ended.get(id).cloned(),
        }
    }

    pub(super) fn latest(&self, channel: Option<&str>, limit: usize) -> Vec<Arc<Report>> {
        let matches = |report: &Report| channel.is_none_or(|channel| report.channel == channel);
        let mut latest: Vec<_> = self
            .running
            .values()
            .filter(|running| matches(&running.report))
            .collect();
        latest.sort_by(|a, b| b.report.analysis_id.cmp(&a.report.analysis_id));
        let running = latest
            .into_iter()
            .map(|running| Arc::new(running.report.clone()));
        running
            .chain(
                self.ended
                    .values()
                    .rev()
                    .filter(|report| matches(report))
                    .cloned(),
            )
            .take(limit)
            .collect()
    }
}
