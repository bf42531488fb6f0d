//! How many threads compute, and how the computing library is kept to that number.
//!
//! Candle splits every product over a pool of its own whose threads wait by spinning. That is fastest on idle cores, but
//! where the cores have other work too (this is a server), a spinning thread burns the time that its partner needs: on two
//! busy cores one question took four times as long with two threads as with one. So each question is computed by one
//! thread, and several questions at once by several.
//!
//! Candle takes its number of threads from the environment alone, once. A process cannot safely change its own
//! environment, but it can start itself anew with another one: [`settle`].

use std::{io, num::NonZero, thread};

/// Variables that candle and its matrix library read.
const VARIABLES: [&str; 2] = ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"];

/// Returns how many questions are computed at once when `threads` are configured (0: one per core).
///
/// One, when candle was not kept to a single thread: its pool serves one caller at a time.
pub(crate) fn parallel(threads: usize) -> usize {
    match (candle_core::utils::get_num_threads(), threads) {
        (1, 0) => thread::available_parallelism().map_or(1, NonZero::get),
        (1, threads) => threads,
        _ => 1,
    }
}

/// Makes sure that candle computes each question with one thread: starts the program anew, in the same process, with the
/// environment that this takes, unless it is right already. To be called first of all by a program that will use the
/// model, before it has started threads or opened anything. Where it cannot be done (not on Unix), the model works all
/// the same, one question at a time.
///
/// # Errors
/// The system refused; the program may go on as it is.
pub fn settle() -> io::Result<()> {
    if candle_core::utils::get_num_threads() == 1 {
        return Ok(());
    }
    again()
}

#[cfg(unix)]
fn again() -> io::Result<()> {
    use std::{os::unix::process::CommandExt as _, process::Command};
    let mut arguments = std::env::args_os();
    let mut command = Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // Returns only when it fails.
    Err(command
        .args(arguments)
        .envs(VARIABLES.map(|name| (name, "1")))
        .exec())
}

#[cfg(not(unix))]
fn again() -> io::Result<()> {
    Ok(())
}
