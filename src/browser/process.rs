//! Chromium's processes: one group, one profile folder, and nothing of either left behind.
//!
//! While this process lives, [`Process::end`] and dropping see to that. When it ends in a way that lets it do nothing any
//! more, a shell does: it reads from a pipe whose other end is ours, and the pipe closes with us.

use super::error::BrowserError;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, waitpid};
use std::{
    ffi::OsString, fs, io, os::unix::ffi::OsStrExt as _, path::Path, process::Stdio, time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStderr, Command},
    time::{Instant, sleep, timeout_at},
};
use tracing::{debug, warn};

/// Waits for a line, which says that all is done, or for the end of the pipe; then ends the group `$1` and removes the
/// profile `$0`, into which processes that are about to end may still write.
const WATCH: &str = r#"
read -r line && exit
kill -KILL "-$1"
for try in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf -- "$0" && sleep 0.2
done 2>/dev/null
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
    browser: Child,
    group: Pid,
    watch: Child,
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
        let failed = |error: io::Error| {
            BrowserError::Unavailable(format!("Chromium cannot be started: {error}"))
        };
        let profile = tempfile::Builder::new()
            .prefix("quiz-stats-chromium-")
            .tempdir()
            .map_err(failed)?;
        let mut browser = Command::new(program)
            .args(arguments(profile.path()))
            // It runs strangers' scripts: our keys are none of its business.
            .env_clear()
            .envs(crate::config::browser_environment())
            // What it writes beside its profile is removed with it.
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let group = browser
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        let group = group.expect("a process that was just started has an id");
        let words = BufReader::new(browser.stderr.take().expect("it is piped"));
        let watch = watch(profile.path(), group).map_err(failed)?;
        let mut process = Self {
            browser,
            group,
            watch,
            profile: Some(profile),
            devtools: String::new(),
        };
        // On an error the process is dropped, and with it all that was started.
        process.devtools = listening(words, deadline).await?;
        Ok(process)
    }

    /// Returns the ids of its processes: those of the group, and those outside of it that work on its profile, as the
    /// crash handler does.
    pub(super) fn members(&self) -> Vec<Pid> {
        let profile = self
            .profile
            .as_ref()
            .map(|profile| profile.path().as_os_str().as_bytes());
        let works_on_profile = |id: Pid| {
            let named = |file: &str| {
                let text =
                    fs::read(format!("/proc/{}/{file}", id.as_raw_nonzero())).unwrap_or_default();
                profile
                    .is_some_and(|profile| text.windows(profile.len()).any(|part| part == profile))
            };
            // Crash handlers have it in their environment alone.
            named("cmdline") || named("environ")
        };
        let group = self.group.as_raw_nonzero().get();
        let watch = self.watch.id();
        // The watch names the profile too.
        let all = processes()
            .into_iter()
            .filter(|id| watch != Some(id.as_raw_nonzero().get().cast_unsigned()));
        all.filter(|&id| stat(id).is_some_and(|(_, of)| of == group) || works_on_profile(id))
            .collect()
    }

    /// Ends all of it: the processes are killed and reaped, the profile is removed.
    pub(super) async fn end(mut self) {
        let members = self.members();
        self.kill();
        for &id in &members {
            // It fails for those of the group, which are gone by now.
            let _ = kill_process(id, Signal::KILL);
        }
        let _ = self.browser.wait().await;
        let deadline = Instant::now() + END_LIMIT;
        while !reaped(&members) {
            if Instant::now() > deadline {
                warn!(count = members.len(), "processes of Chromium do not end");
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        self.remove_profile().await;
        if let Some(mut pipe) = self.watch.stdin.take() {
            // One that is gone needs no word.
            let _ = pipe.write_all(b"done\n").await;
        }
        let _ = timeout_at(deadline, self.watch.wait()).await;
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
    /// For whoever cannot wait: the processes are killed, and the watch, whose pipe closes, removes what is left.
    fn drop(&mut self) {
        // After `end` the number may be somebody else's.
        if self.profile.is_some() {
            self.kill();
        }
    }
}

/// Starts the shell that cleans up after us.
fn watch(profile: &Path, group: Pid) -> io::Result<Child> {
    Command::new("/bin/sh")
        .env_clear()
        .envs(crate::config::browser_environment())
        .arg("-c")
        .arg(WATCH)
        .arg(profile)
        .arg(group.as_raw_nonzero().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C in the terminal is for us alone.
        .process_group(0)
        .spawn()
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

/// Returns the ids of all processes.
fn processes() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(Pid::from_raw).collect()
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
