//! `quiz-stats completions SHELL`: a script for the shell's completion folder.

use super::{Cli, print};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  quiz-stats completions bash > ~/.local/share/bash-completion/completions/quiz-stats
  quiz-stats completions zsh > ~/.zfunc/_quiz-stats            with ~/.zfunc in fpath
  quiz-stats completions fish > ~/.config/fish/completions/quiz-stats.fish";

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// The shell to complete for
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    print(&script(args.shell))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the script. The library writes to anything, but panics when that fails, so it writes to memory.
fn script(shell: Shell) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "quiz-stats", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;

    #[test]
    fn every_shell_learns_the_commands() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            assert!(
                script.contains("healthcheck") && script.contains("quiz-stats"),
                "{shell}"
            );
        }
    }
}
