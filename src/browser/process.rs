//! Chromium's processes: one group, one profile folder, and nothing of either left behind.
//!
//! A shell starts Chromium and waits on a pipe whose other end is ours. When this process ends, however that comes about,
//! the pipe closes, and the shell ends the group and removes the profile. While this process lives, [`Process::end`] and
//! dropping do the same.

use super::error::BrowserError;
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpid};
use std::{ffi::OsString, fs, path::Path, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStderr, Command},
    time::{Instant, sleep, timeout_at},
};
use tracing::{debug, warn};

/// `$0` is the profile, the rest the command. Its own standard error is closed, so that Chromium's end is its end.
const SHELL: &str = r#"
"$@" </dev/null &
exec 2>/dev/null
read -r nothing
kill -KILL "$!"
rm -rf -- "$0"
kill -KILL 0
"#;
/// What Chromium says before the address of its DevTools.
const LISTENING: &str = "DevTools listening on ";
/// Lines of its words that are kept to explain a failed start.
const MAX_LINES: usize = 40;
/// How long the kernel may take to end a killed process.
const END_LIMIT: Duration = Duration::from_secs(3);

/// See the module.
#[derive(Debug)]
pub(super) struct Process {
    shell: Child,
    group: Pid,
    profile: Option<TempDir>,
    /// The address of its DevTools.
    pub(super) devtools: String,
}

impl Process {
    /// Starts Chromium and waits until it listens. `arguments` gets its profile's folder.
    ///
    /// # Errors
    /// [`BrowserError::Unavailable`] with Chromium's own words.
    pub(super) async fn start(
        program: &Path,
        arguments: impl FnOnce(&Path) -> Vec<OsString>,
        deadline: Instant,
    ) -> Result<Self, BrowserError> {
        let failed = |error: std::io::Error| {
            BrowserError::Unavailable(format!("Chromium cannot be started: {error}"))
        };
        let profile = tempfile::Builder::new()
            .prefix("quiz-stats-chromium-")
            .tempdir()
            .map_err(failed)?;
        let mut shell = Command::new("/bin/sh")
            .arg("-c")
            .arg(SHELL)
            .arg(profile.path())
            .arg(program)
            .args(arguments(profile.path()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let group = shell
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        let group = group.expect("a process that was just started has an id");
        let words = BufReader::new(shell.stderr.take().expect("it is piped"));
        let mut process = Self {
            shell,
            group,
            profile: Some(profile),
            devtools: String::new(),
        };
        // On an error the process is dropped, and with it all that was started.
        process.devtools = listening(words, deadline).await?;
        Ok(process)
    }

    /// Returns the ids of its processes, the shell's included.
    pub(super) fn members(&self) -> Vec<Pid> {
        members(self.group)
    }

    /// Ends all of it: the processes are killed and reaped, the profile is removed.
    pub(super) async fn end(mut self) {
        let members = self.members();
        self.kill();
        let _ = self.shell.wait().await;
        let deadline = Instant::now() + END_LIMIT;
        while !reaped(&members) {
            if Instant::now() > deadline {
                warn!(count = members.len(), "processes of Chromium do not end");
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        self.remove_profile().await;
    }

    fn kill(&self) {
        // It fails when all are gone already.
        let _ = kill_process_group(self.group, Signal::KILL);
    }

    async fn remove_profile(&mut self) {
        let Some(profile) = self.profile.take() else {
            return;
        };
        let removed = tokio::task::spawn_blocking(move || profile.close()).await;
        if let Ok(Err(error)) = removed {
            warn!(%error, "a profile folder of Chromium stays behind");
        }
    }
}

impl Drop for Process {
    /// For whoever cannot wait: the processes are killed; the profile goes with its field.
    fn drop(&mut self) {
        // After `end` the number may be somebody else's.
        if self.profile.is_some() {
            self.kill();
        }
    }
}

/// Returns the address that Chromium says it listens on; its further words are read and dropped.
async fn listening(
    mut words: BufReader<ChildStderr>,
    deadline: Instant,
) -> Result<String, BrowserError> {
    let mut said = Vec::new();
    let found = timeout_at(deadline, async {
        let mut line = Vec::new();
        loop {
            line.clear();
            // Until Chromium has ended, or said what it is asked for.
            if !matches!(words.read_until(b'\n', &mut line).await, Ok(1..)) {
                return None;
            }
            let text = String::from_utf8_lossy(&line).trim().to_owned();
            if let Some(address) = text.strip_prefix(LISTENING) {
                return Some(address.to_owned());
            }
            if said.len() < MAX_LINES && !text.is_empty() {
                said.push(text);
            }
        }
    })
    .await;
    match found {
        Ok(Some(address)) => {
            tokio::spawn(async move {
                // Nobody reading would stop Chromium when the pipe is full.
                let _ = tokio::io::copy(&mut words, &mut tokio::io::sink()).await;
            });
            Ok(address)
        }
        ended => {
            debug!(words = %said.join(" | "), "Chromium did not start");
            let why = match ended {
                Err(_) => "it does not come up in time".to_owned(),
                Ok(_) => said
                    .last()
                    .cloned()
                    .unwrap_or_else(|| "it ends at once".to_owned()),
            };
            Err(BrowserError::Unavailable(format!(
                "Chromium does not start: {why}"
            )))
        }
    }
}

/// Returns the processes of a group.
fn members(group: Pid) -> Vec<Pid> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(Pid::from_raw)
        .filter(|&id| stat(id).is_some_and(|(_, of)| of == group.as_raw_nonzero().get()))
        .collect()
}

/// Returns the state and the group of a process.
fn stat(id: Pid) -> Option<(char, i32)> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero())).ok()?;
    // The name in parentheses may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(1)?.parse().ok()?))
}

/// Returns whether all these processes have ended. Where nobody else does it (we are the first process of a container),
/// they are reaped here.
fn reaped(members: &[Pid]) -> bool {
    members.iter().all(|&id| {
        // An error says that it is no child of ours.
        let _ = waitpid(Some(id), WaitOptions::NOHANG);
        stat(id).is_none_or(|(state, _)| state == 'Z')
    })
}
