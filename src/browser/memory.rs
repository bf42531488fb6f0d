//! How much memory Chromium takes, and how much there is: from the control group (version 2, then 1), else the machine.

use rustix::process::Pid;
use std::{fs, path::Path};

/// Where Linux says it.
const ROOT: &str = "/";

/// Returns the bytes that processes take, shared memory by their share; `None` when none of them can be read.
pub(super) fn of(processes: &[Pid]) -> Option<u64> {
    let takes = processes.iter().filter_map(|id| {
        // A process may end at any moment.
        let rollup =
            fs::read_to_string(format!("/proc/{}/smaps_rollup", id.as_raw_nonzero())).ok()?;
        kib(&rollup, "Pss:")
    });
    takes.reduce(u64::saturating_add)
}

/// Returns the bytes of memory that this process and its children may take.
pub fn limit() -> Option<u64> {
    limit_below(Path::new(ROOT))
}

fn limit_below(root: &Path) -> Option<u64> {
    let read = |path: &str| fs::read_to_string(root.join(path)).ok();
    let machine = read("proc/meminfo").and_then(|text| kib(&text, "MemTotal:"));
    let groups = read("proc/self/cgroup").unwrap_or_default();
    let paths = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?.trim_start_matches('/'));
        match controllers {
            "" => Some(("sys/fs/cgroup", path, "memory.max")),
            list if list.split(',').any(|name| name == "memory") => {
                Some(("sys/fs/cgroup/memory", path, "memory.limit_in_bytes"))
            }
            _ => None,
        }
    });
    // A limit further up holds as well. Inside a container the path may be the host's, and only the top is there.
    let limits = paths.flat_map(|(mount, path, file)| {
        let levels: Vec<_> = Path::new(path)
            .ancestors()
            .map(|level| Path::new(mount).join(level).join(file))
            .collect();
        levels
            .into_iter()
            .filter_map(|file| read(file.to_str()?)?.trim().parse::<u64>().ok())
    });
    limits.chain(machine).min()
}

/// Returns the bytes that a line such as `Pss:  123 kB` tells.
fn kib(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib.saturating_mul(1_024))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit_of(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        limit_below(root.path())
    }

    const MACHINE: (&str, &str) = ("proc/meminfo", "MemTotal:        2048 kB\nMemFree: 1 kB\n");

    #[test]
    fn version_two_with_the_least_limit_on_the_way_up() {
        let group = ("proc/self/cgroup", "0::/a/b\n");
        let own = ("sys/fs/cgroup/a/b/memory.max", "max\n");
        let above = ("sys/fs/cgroup/a/memory.max", "4096\n");
        assert_eq!(limit_of(&[MACHINE, group, own, above]), Some(4_096));
        let top = ("sys/fs/cgroup/memory.max", "1000\n");
        assert_eq!(limit_of(&[MACHINE, group, own, above, top]), Some(1_000));
    }

    #[test]
    fn version_one_and_the_machine() {
        let group = (
            "proc/self/cgroup",
            "12:cpu,cpuacct:/x\n5:memory:/docker/1\n",
        );
        let limit = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "5000\n");
        assert_eq!(limit_of(&[MACHINE, group, limit]), Some(5_000));
        let none = (
            "sys/fs/cgroup/memory/memory.limit_in_bytes",
            "9223372036854771712\n",
        );
        assert_eq!(limit_of(&[MACHINE, group, none]), Some(2_048 * 1_024));
        assert_eq!(limit_of(&[MACHINE]), Some(2_048 * 1_024));
        assert_eq!(limit_of(&[]), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_takes_something() {
        let own = rustix::process::getpid();
        assert!(of(&[own]).is_some_and(|bytes| bytes > 100_000));
        assert!(limit().is_some_and(|bytes| bytes > 1_000_000));
    }
}
