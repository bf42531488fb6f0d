//! Processes as the kernel's books show them: their time, their memory, and who started whom.

use anyhow::Context as _;
use std::{fs, path::PathBuf, process::Command, time::Duration};
use tokio::time::{Instant, sleep};

/// Processor time in `/proc` is counted in these; fixed in Linux's interface.
const TICKS_PER_SECOND: u64 = 100;
/// How long processes may take to end by themselves.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Processor time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    /// The program's own.
    pub(crate) user: Duration,
    /// The kernel's on its behalf.
    pub(crate) system: Duration,
}

impl Cpu {
    pub(crate) fn total(self) -> Duration {
        self.user + self.system
    }

    /// Time of children that nobody waited for is lost: it can be less than before.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            user: self.user + other.user,
            system: self.system + other.system,
        }
    }

    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        Ok(Stat::of(pid)
            .with_context(|| format!("no process {pid}"))?
            .own)
    }
}

/// What `/proc/PID/stat` says.
struct Stat {
    is_dead: bool,
    parent: u32,
    own: Cpu,
    /// Of its children that have ended, and theirs, as far as they were waited for.
    ended: Cpu,
    /// When it started, in ticks: with the id it names a process for good.
    started: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in brackets may hold anything; what follows it does not.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let time = |index: usize| {
            Some(Duration::from_millis(
                number(index)? * 1_000 / TICKS_PER_SECOND,
            ))
        };
        let cpu = |index: usize| {
            Some(Cpu {
                user: time(index)?,
                system: time(index + 1)?,
            })
        };
        Some(Self {
            is_dead: matches!(fields.first(), Some(&("Z" | "X"))),
            parent: number(1)?.try_into().ok()?,
            own: cpu(11)?,
            ended: cpu(13)?,
            started: number(19)?,
        })
    }
}

/// Returns a field of a process's memory in KiB.
pub(crate) fn memory_kib(pid: u32, field: &str) -> anyhow::Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix(field));
    let value = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    value.with_context(|| format!("no {field} for the server"))
}

/// Returns how many files this process, and whoever it starts, may have open.
pub(crate) fn most_files() -> anyhow::Result<usize> {
    let limits = read(std::process::id(), "limits");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let most = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    most.context("no limit on open files")
}

/// A server and everything that it has started: whoever descends from it, and whoever has inherited its folder for
/// temporary files, which no other has. Chromium's crash handlers leave their parent and its group.
pub(crate) struct Family {
    pub(crate) root: u32,
    pub(crate) folder: PathBuf,
}

/// A process that stays itself when its id is given to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) pid: u32,
    started: u64,
}

impl Member {
    fn lives(self) -> bool {
        Stat::of(self.pid).is_some_and(|stat| stat.started == self.started && !stat.is_dead)
    }

    /// Ends it at once, unless it has ended.
    pub(crate) fn kill(self) -> anyhow::Result<()> {
        if self.lives() {
            signal("KILL", self.pid)?;
        }
        Ok(())
    }
}

impl Family {
    pub(crate) fn members(&self) -> Vec<Member> {
        self.stats()
            .into_iter()
            .map(|(pid, stat)| Member {
                pid,
                started: stat.started,
            })
            .collect()
    }

    /// Returns the processor time of all, with that of those that have ended and were waited for.
    pub(crate) fn cpu(&self) -> Cpu {
        let stats = self.stats();
        let times = stats.iter().flat_map(|(_, stat)| [stat.own, stat.ended]);
        times.fold(Cpu::default(), Cpu::plus)
    }

    /// Returns the proportional memory of the server, and of all others, in KiB. Who ends meanwhile has none.
    pub(crate) fn pss_kib(&self) -> (u64, u64) {
        let of = |pid| memory_kib(pid, "Pss:").unwrap_or(0);
        let others = self.members().into_iter().map(|member| member.pid);
        let others = others.filter(|&pid| pid != self.root).map(of).sum();
        (of(self.root), others)
    }

    /// Returns the latest Chromium's main process: a child of the server that is no helper of Chromium's.
    pub(crate) fn chromium(&self) -> Option<Member> {
        let stats = self.stats().into_iter().filter(|(pid, stat)| {
            let command = read(*pid, "cmdline");
            stat.parent == self.root
                && !stat.is_dead
                && command.contains("--user-data-dir=")
                && !command.contains("--type=")
        });
        let members = stats.map(|(pid, stat)| Member {
            pid,
            started: stat.started,
        });
        members.max_by_key(|member| member.started)
    }

    /// Waits until these have ended; those that do not end by themselves are ended.
    pub(crate) async fn ended(members: &[Member]) -> anyhow::Result<()> {
        let limit = Instant::now() + END_LIMIT;
        while Instant::now() < limit && members.iter().any(|member| member.lives()) {
            sleep(Duration::from_millis(20)).await;
        }
        members.iter().try_for_each(|member| member.kill())
    }

    fn stats(&self) -> Vec<(u32, Stat)> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut others: Vec<(u32, Stat)> =
            ids.filter_map(|pid| Some((pid, Stat::of(pid)?))).collect();
        let folder = self.folder.display().to_string();
        let mut family: Vec<(u32, Stat)> = others
            .extract_if(.., |(pid, _)| {
                *pid == self.root || read(*pid, "environ").contains(&folder)
            })
            .collect();
        loop {
            let is_child = |stat: &Stat| family.iter().any(|(pid, _)| *pid == stat.parent);
            let children: Vec<_> = others.extract_if(.., |(_, stat)| is_child(stat)).collect();
            if children.is_empty() {
                return family;
            }
            family.extend(children);
        }
    }
}

/// Sends a signal to one process.
pub(crate) fn signal(name: &str, pid: u32) -> anyhow::Result<()> {
    let sent = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status()?;
    anyhow::ensure!(sent.success(), "process {pid} cannot be signalled");
    Ok(())
}

/// Returns a list that the kernel keeps of a process; nothing of one that is gone.
fn read(pid: u32, list: &str) -> String {
    let list = fs::read(format!("/proc/{pid}/{list}")).unwrap_or_default();
    String::from_utf8_lossy(&list).into_owned()
}
