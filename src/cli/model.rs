//! `quiz-stats model`: the weights of the model in the process.

mod progress;

use super::{FAILED, WRONG_USE, print};
use crate::{
    config::Settings,
    local_model::{
        catalogue::{self, CATALOGUE, Entry},
        fetch::{self, FetchError},
        shelf,
    },
    provider,
};
use clap::Subcommand;
use comfy_table::{Table, presets};
use serde_json::{Value, json};
use std::{path::Path, process::ExitCode};

/// What to do with models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// List the models that can be fetched, and which are here
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download a model: one of the list, or the best that can be reached
    Fetch {
        /// Name of the model, or `best`
        #[arg(default_value = BEST)]
        name: String,
    },
    /// Show which model would answer, and whether its file is right
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

const BEST: &str = "best";

/// Runs the command.
///
/// # Errors
/// Standard output that cannot be written, or a file that cannot be read.
pub async fn run(command: ModelCommand, settings: &Settings) -> anyhow::Result<ExitCode> {
    match command {
        ModelCommand::List { json } => list(json, settings),
        ModelCommand::Fetch { name } => fetch(&name, settings).await,
        ModelCommand::Status { json } => status(json, settings).await,
    }
}

fn list(as_json: bool, settings: &Settings) -> anyhow::Result<ExitCode> {
    let data_dir = &settings.server.data_dir;
    if as_json {
        let entries: Vec<Value> = CATALOGUE
            .iter()
            .map(|entry| describe(entry, data_dir))
            .collect();
        print(&format!("{}\n", serde_json::to_string_pretty(&entries)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_header([
        "model",
        "here",
        "size",
        "licence",
        "asked by",
        "right answers",
        "from",
    ]);
    for entry in &CATALOGUE {
        table.add_row([
            entry.name.to_owned(),
            if shelf::holds(entry, data_dir) {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
            format!("{} MB", entry.bytes / 1_000_000),
            entry.licence.to_owned(),
            method(entry).to_owned(),
            entry.quality(),
            fetch::source_name(entry),
        ]);
    }
    print(&format!(
        "{table}\nGet one with `quiz-stats model fetch NAME`, or the best one that can be reached without a name.\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn method(entry: &Entry) -> &'static str {
    match entry.method {
        crate::solve::Method::Logprobs => "letters",
        _ => "likelihood",
    }
}

fn describe(entry: &Entry, data_dir: &Path) -> Value {
    json!({
        "name": entry.name,
        "present": shelf::holds(entry, data_dir),
        "bytes": entry.bytes,
        "sha256": entry.sha256,
        "family": entry.family,
        "licence": entry.licence,
        "method": entry.method,
        "accuracy": entry.accuracy.map(|accuracy| json!({
            "arcEasy": accuracy.arc_easy,
            "arcChallenge": accuracy.arc_challenge,
            "trivia": accuracy.trivia,
        })),
        "source": fetch::source_name(entry),
    })
}

async fn fetch(name: &str, settings: &Settings) -> anyhow::Result<ExitCode> {
    let wanted: Vec<&Entry> = match catalogue::find(name) {
        Some(entry) => vec![entry],
        None if name == BEST => CATALOGUE.iter().collect(),
        None => {
            eprintln!(
                "quiz-stats: there is no model `{name}`: take one of {}, or {BEST}",
                catalogue::names()
            );
            return Ok(ExitCode::from(WRONG_USE));
        }
    };
    provider::install_crypto();
    let data_dir = &settings.server.data_dir;
    for entry in wanted {
        eprintln!(
            "{}: {} MB from {}",
            entry.name,
            entry.bytes / 1_000_000,
            fetch::source_name(entry)
        );
        let mut progress = progress::Meter::new();
        let fetched = fetch::fetch(entry, data_dir, &mut progress).await;
        drop(progress);
        match fetched {
            Ok(path) => {
                print(&format!(
                    "{} is ready: {}\nright answers: {} (by chance 0.25)\n",
                    entry.name,
                    path.display(),
                    entry.quality()
                ))?;
                return Ok(ExitCode::SUCCESS);
            }
            Err(error @ (FetchError::Disk { .. } | FetchError::Busy)) => return Err(error.into()),
            Err(error) => eprintln!("{}: not available: {error}", entry.name),
        }
    }
    eprintln!("quiz-stats: no model could be fetched");
    Ok(ExitCode::from(FAILED))
}

async fn status(as_json: bool, settings: &Settings) -> anyhow::Result<ExitCode> {
    let choice = match shelf::choose(&settings.local_model.model, &settings.server.data_dir) {
        Ok(choice) => choice,
        Err(error) => {
            if as_json {
                print(&format!(
                    "{}\n",
                    json!({"model": null, "error": error.to_string()})
                ))?;
            } else {
                eprintln!("quiz-stats: {error}");
            }
            return Ok(ExitCode::from(FAILED));
        }
    };
    let path = choice.path.clone();
    let found = tokio::task::spawn_blocking(move || shelf::sha256(&path)).await??;
    let verified = choice.entry.map(|entry| entry.sha256 == found);
    if as_json {
        let status = json!({"model": choice.name, "path": choice.path, "sha256": found, "verified": verified});
        print(&format!("{status}\n"))?;
    } else {
        let verdict = match verified {
            Some(true) => "is the catalogue's",
            Some(false) => "DIFFERS from the catalogue's: fetch the model again",
            None => "is not in the catalogue",
        };
        let (name, path) = (&choice.name, choice.path.display());
        let quality = choice
            .entry
            .map_or("not measured".to_owned(), Entry::quality);
        print(&format!(
            "model:         {name}\nfile:          {path}\nSHA-256:       {found} {verdict}\nright answers: {quality}\n"
        ))?;
    }
    Ok(if verified == Some(false) {
        ExitCode::from(FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(dir: &Path) -> Settings {
        let mut settings = Settings::default();
        settings.server.data_dir = dir.to_owned();
        settings
    }

    fn code(code: u8) -> String {
        format!("{:?}", ExitCode::from(code))
    }

    #[tokio::test]
    async fn an_unknown_model_is_wrong_use() {
        let dir = tempfile::tempdir().unwrap();
        let done = run(
            ModelCommand::Fetch {
                name: "gpt-9".into(),
            },
            &settings(dir.path()),
        )
        .await
        .unwrap();
        assert_eq!(format!("{done:?}"), code(WRONG_USE));
        assert!(
            std::fs::read_dir(dir.path()).unwrap().next().is_none(),
            "nothing was written"
        );
    }

    #[tokio::test]
    async fn status_without_weights_fails_and_with_wrong_ones_too() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
        let done = run(ModelCommand::Status { json: true }, &settings)
            .await
            .unwrap();
        assert_eq!(format!("{done:?}"), code(FAILED));
        let entry = &CATALOGUE[2];
        std::fs::create_dir_all(shelf::folder(dir.path())).unwrap();
        let file =
            std::fs::File::create(shelf::folder(dir.path()).join(entry.file_name())).unwrap();
        file.set_len(entry.bytes).unwrap();
        let done = run(ModelCommand::Status { json: false }, &settings)
            .await
            .unwrap();
        assert_eq!(format!("{done:?}"), code(FAILED));
    }

    #[test]
    fn the_list_says_what_is_here() {
        let dir = tempfile::tempdir().unwrap();
        let entry = describe(&CATALOGUE[2], dir.path());
        assert_eq!(entry["present"], false);
        assert_eq!(entry["method"], "likelihood");
    }
}
