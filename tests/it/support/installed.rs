//! Servers of the machine that tests start for themselves, and ports for them.

use super::browser::variable;
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// Returns where a program is; `None`, with the reason printed, on a machine without it. A machine that checks changes
/// must have it.
pub(crate) fn installed(program: &str) -> Option<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    // Debian keeps some servers where only root's PATH leads.
    let found = std::env::split_paths(&path)
        .chain([Path::new("/usr/sbin").to_owned()])
        .map(|folder| folder.join(program))
        .find(|program| program.is_file());
    if found.is_none() {
        let missing = format!("there is no {program}: install it (apt install {program})");
        assert!(variable("CI").is_none(), "{missing}");
        eprintln!("skipped: {missing}");
    }
    found
}

/// Returns a port that stays free while a server is down between two starts: below those that the system gives to
/// whoever asks for any, and of this process alone.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let own = NEXT.fetch_add(1, Ordering::SeqCst);
        assert!(own < 10, "a test has ten ports");
        let port = 10_000 + std::process::id() % 2_000 * 10 + own;
        let port = u16::try_from(port).expect("below 30,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
