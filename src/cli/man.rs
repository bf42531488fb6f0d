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
    for command in command
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        append(command, &mut page)?;
    }
    man.render_extra_section(&mut page)?;
    Ok(page)
}

fn append(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_name().to_uppercase();
    page.extend(format!(".SH \"COMMAND {name}\"\n").as_bytes());
    let man = Man::new(command.clone());
    let mut part = Vec::new();
    man.render_synopsis_section(&mut part)?;
    man.render_description_section(&mut part)?;
    man.render_options_section(&mut part)?;
    // Sections of the whole page become parts of the command's section.
    page.extend(
        String::from_utf8_lossy(&part)
            .replace(".SH ", ".SS ")
            .as_bytes(),
    );
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
            "url",
        ] {
            assert!(page.contains(word), "no {word} in\n{page}");
        }
    }
}
