//! `quiz-stats man`: the manual page in roff, all commands on one page.

use super::{Cli, print};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use std::{io, process::ExitCode};

pub(super) fn run() -> anyhow::Result<ExitCode> {
    print(&String::from_utf8_lossy(&page()?))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the page of the program, followed by the options of each command.
fn page() -> io::Result<Vec<u8>> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    // All but the list of commands, which would point to pages of their own.
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    append_all(&command, &mut page)?;
    notes(&man, ".SH", &mut page)?;
    Ok(page)
}

/// Appends the commands of `command`, each followed by its own.
fn append_all(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    for command in command.get_subcommands() {
        if command.get_name() != "help" {
            append(command, page)?;
            append_all(command, page)?;
        }
    }
    Ok(())
}

fn append(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let typed = command.get_bin_name().unwrap_or_default();
    let name = typed.trim_start_matches("quiz-stats ").to_uppercase();
    page.extend(format!(".SH \"COMMAND {name}\"\n").as_bytes());
    // What every command takes stands in the options of the program.
    let own = command.clone().mut_args(|arg| match arg.is_global_set() {
        true => arg.hide(true),
        false => arg,
    });
    let man = Man::new(own);
    let mut part = Vec::new();
    man.render_synopsis_section(&mut part)?;
    man.render_description_section(&mut part)?;
    man.render_options_section(&mut part)?;
    // Sections of the whole page become parts of the command's section.
    let part = String::from_utf8_lossy(&part).replace(".SH ", ".SS ");
    page.extend(part.as_bytes());
    notes(&man, ".SS", page)
}

/// Appends what stands below the options in the help, line by line as it stands there.
fn notes(man: &Man, heading: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let mut part = Vec::new();
    man.render_extra_section(&mut part)?;
    let part = String::from_utf8_lossy(&part);
    // In front stands what the library repeats before every section; a command without notes has a heading alone.
    match part.split_once(".SH EXTRA\n") {
        Some((_, notes)) if !notes.is_empty() => {
            page.extend(format!("{heading} NOTES\n.nf\n{notes}.fi\n").as_bytes());
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_command_and_its_options() {
        let page = String::from_utf8(page().unwrap()).unwrap();
        for word in [
            ".TH quiz-stats",
            ".SH \"COMMAND CONFIG\"",
            ".SH \"COMMAND HEALTHCHECK\"",
            "check",
            ".SS NOTES\n.nf\nExamples:\n  quiz\\-stats watch",
            "url",
        ] {
            assert!(page.contains(word), "no {word} in\n{page}");
        }
        let settings = page.matches("Read settings from this TOML file").count();
        assert_eq!(settings, 1, "what every command takes stands there once");
    }
}
