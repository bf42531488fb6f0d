//! What there is to say of an operation: what it takes, what it answers, how it fails.

use super::schemas::Schemas;
use crate::quiz::file::Format;
use serde_json::Value;

/// What a body holds.
pub(super) enum Payload {
    /// JSON of this schema.
    Json(fn(&mut Schemas) -> Value),
    /// The error of a status.
    Error(u16),
    /// A quiz file.
    QuizFile,
    /// Text of this media type.
    Text(&'static str),
    /// Nothing.
    Nothing,
}

impl Payload {
    pub(super) fn media_types(&self) -> Vec<&'static str> {
        match self {
            Self::Json(_) | Self::Error(_) => vec!["application/json"],
            Self::QuizFile => Format::quiz_files().collect(),
            Self::Text(media) => vec![media],
            Self::Nothing => Vec::new(),
        }
    }
}

/// Something in the path or in the query.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: &'static str,
    pub(super) told: &'static str,
    pub(super) schema: fn() -> Value,
}

/// A method of a route.
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) takes: &'static [Payload],
    pub(super) answers: &'static [(u16, &'static str, Payload)],
    /// Statuses of errors of its own.
    errors: &'static [u16],
}

impl Operation {
    pub(super) const fn new(id: &'static str, summary: &'static str) -> Self {
        Self {
            id,
            summary,
            parameters: &[],
            takes: &[],
            answers: &[],
            errors: &[],
        }
    }

    pub(super) const fn with(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    pub(super) const fn takes(self, takes: &'static [Payload]) -> Self {
        Self { takes, ..self }
    }

    pub(super) const fn answers(self, answers: &'static [(u16, &'static str, Payload)]) -> Self {
        Self { answers, ..self }
    }

    pub(super) const fn fails(self, errors: &'static [u16]) -> Self {
        Self { errors, ..self }
    }

    /// Returns the statuses of its errors; those of `guarded` ones take a role, and an allowance.
    pub(super) fn errors(&self, guarded: bool) -> impl Iterator<Item = u16> {
        // A name that is bent to this machine, an address that is not let in, a fault.
        let always: &[u16] = &[403, 500];
        let guard: &[u16] = if guarded {
            &[400, 401, 429, 503, 504]
        } else {
            &[]
        };
        let body: &[u16] = if self.takes.is_empty() {
            &[]
        } else {
            &[408, 413, 415]
        };
        let all = [always, guard, body, self.errors];
        all.into_iter().flatten().copied()
    }
}
