//! What stands around a text and does not belong to it: signs of lists, verdicts, points, hints how to answer.

use super::{
    is_instruction,
    lists::{HOW, MARKS, POINTS, RIGHT, VERDICTS, WRONG},
};

/// Takes the sign of a list off an option.
pub(in crate::extract) fn strip_bullet(option: &str) -> &str {
    let text = option.trim();
    let rest =
        text.trim_start_matches(['•', '·', '●', '○', '◦', '▪', '■', '□', '☐', '◯', '➤', '►']);
    // A dash alone, or with a blank behind it: `-1` is a number, `--help` an option.
    match rest.strip_prefix(['-', '–', '—']) {
        Some(after) if after.is_empty() || after.starts_with(char::is_whitespace) => after.trim(),
        _ => rest.trim(),
    }
}

/// Returns whether a picture only says whether an option is right.
pub(in crate::extract) fn is_verdict(alt: &str) -> bool {
    let lower = alt.trim().to_lowercase();
    says_right(alt)
        || WRONG.contains(&lower.as_str())
        || lower == "partially correct"
        || lower == "teilweise richtig"
}

/// Returns whether a picture says that an option is right.
pub(in crate::extract) fn says_right(alt: &str) -> bool {
    RIGHT.contains(&alt.trim().to_lowercase().as_str())
}

/// Takes such words off an option.
pub(in crate::extract) fn strip_verdict(option: &str) -> &str {
    let mut text = option;
    for verdict in VERDICTS {
        // Lower case of the same length only: other letters keep their places.
        let lower = text.to_ascii_lowercase();
        let rest = match (lower.strip_prefix(verdict), lower.strip_suffix(verdict)) {
            (Some(rest), _) => &text[text.len() - rest.len()..],
            (None, Some(rest)) => &text[..rest.len()],
            (None, None) => continue,
        };
        if !rest.trim().is_empty() {
            text = rest.trim();
        }
    }
    text
}

/// Takes points and the star of a field that must be filled in off the end.
pub(in crate::extract) fn strip_tail(line: &str) -> &str {
    let mut text = line.trim_end();
    loop {
        let before = text;
        if let Some((inner, rest)) = bracket(text)
            && scores(inner)
        {
            text = rest.trim_end();
        }
        if let Some(rest) = text.strip_suffix('*')
            && !rest.contains('*')
            && rest.ends_with(|c: char| {
                c.is_whitespace() || MARKS.contains(&c) || matches!(c, '.' | ':' | ')')
            })
        {
            text = rest.trim_end();
        }
        if text == before {
            return text;
        }
    }
}

/// Returns whether a line ends with a bracket that tells how to answer: "(Choose two.)".
pub(in crate::extract) fn tells_how(line: &str) -> bool {
    without_how(line.trim_end()).len() < line.trim_end().len()
}

/// Returns a line without such a bracket.
pub(in crate::extract) fn without_how(line: &str) -> &str {
    let Some((inner, rest)) = bracket(line) else {
        return line;
    };
    let lower = inner.to_lowercase();
    match HOW.iter().any(|how| lower.starts_with(how)) || is_instruction(inner) {
        true => rest.trim_end(),
        false => line,
    }
}

/// Returns what stands in the bracket at the end of a text, and the text before it.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let open = match text.chars().last()? {
        ')' => '(',
        ']' => '[',
        '）' => '（',
        '】' => '【',
        _ => return None,
    };
    let start = text.rfind(open).filter(|&start| start > 0)?;
    let sides = ['(', ')', '[', ']', '（', '）', '【', '】'];
    Some((text[start..].trim_matches(sides).trim(), &text[..start]))
}

/// Returns whether a line ends with a bracket that tells points: "(2 points)".
pub(in crate::extract) fn tells_points(line: &str) -> bool {
    bracket(line.trim_end()).is_some_and(|(inner, _)| scores(inner))
}

fn scores(inner: &str) -> bool {
    inner.chars().count() <= 30 && has_points(inner)
}

pub(super) fn has_points(text: &str) -> bool {
    let lower = text.to_lowercase();
    let named = |word: &str| {
        let mut found = lower.match_indices(word);
        found.any(|(at, _)| !word.is_ascii() || !lower[..at].ends_with(char::is_alphabetic))
    };
    text.contains(|c: char| c.is_numeric()) && POINTS.iter().any(|word| named(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_taken_off() {
        for (line, text) in [
            ("What? (2 points)", "What?"),
            ("Who? *", "Who?"),
            (
                "Which two? (Choose two.) [1 mark]",
                "Which two? (Choose two.)",
            ),
            ("What is f(x)?", "What is f(x)?"),
            ("Use (a) or (b)", "Use (a) or (b)"),
            ("(2 points)", "(2 points)"),
        ] {
            assert_eq!(strip_tail(line), text);
        }
    }
}
