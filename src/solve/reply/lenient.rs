//! What can still be made of a reply in another form: JSON within prose or a code fence, a letter, an option's text.
//!
//! Only what can be read in one way is taken: a reply that could mean two options names none.

use super::{Entry, ReplyError, index_of, probability};
use crate::quiz::{Kind, Question};
use serde_json::Value;

/// Confidence of an option that was named without one: more right than wrong, and no more is known.
const BARE: f64 = 0.7;
/// Longest reply looked through, in bytes; an answer is a line, not a book.
const MAX_BYTES: usize = 65_536;
/// Most places at which JSON is tried to be read.
const MAX_TRIES: usize = 64;

/// Returns the options that `text` names.
pub(super) fn entries(text: &str, question: &Question) -> Result<Vec<Entry>, ReplyError> {
    if text.len() > MAX_BYTES {
        return Err(ReplyError::NoOption);
    }
    // Some models think aloud first; what they settled on comes after it.
    let text = text
        .rsplit_once("</think>")
        .map_or(text, |(_, answer)| answer);
    let entries = match last_json(text, question) {
        Some(found) => found?,
        None => named(text, question)
            .ok_or(ReplyError::NoOption)?
            .into_iter()
            .map(|index| Entry {
                index,
                confidence: BARE,
            })
            .collect(),
    };
    // Without confidences of its own a list says nothing about which of its options is the one.
    let unranked = entries.len() > 1 && entries.iter().all(|entry| entry.confidence == BARE);
    if unranked && question.kind != Kind::Multiple {
        return Err(ReplyError::Several);
    }
    Ok(entries)
}

/// Returns the entries of the last JSON value in `text` that has any: earlier ones are drafts. One that the question
/// holds, or that is the question, is no word of the model's: it quotes.
fn last_json(text: &str, question: &Question) -> Option<Result<Vec<Entry>, ReplyError>> {
    let (mut found, mut from, all) = (None, 0, text.trim().len());
    for _ in 0..MAX_TRIES {
        let Some(start) = text[from..].find(['{', '[']).map(|at| from + at) else {
            break;
        };
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                from = start + values.byte_offset();
                let written = &text[start..from];
                let is_own = written.len() == all || !holds(question, written);
                if is_own && value.get("question").is_none() {
                    found = json_entries(&value, question).or(found);
                }
            }
            _ => from = start + 1,
        }
    }
    found
}

fn holds(question: &Question, written: &str) -> bool {
    let mut texts = std::iter::once(&question.text).chain(&question.options);
    texts.any(|text| text.contains(written))
}

/// Returns the entries of `{"options":[…]}`, of a bare list, or of a single `{"option":2}` under its usual names.
fn json_entries(value: &Value, question: &Question) -> Option<Result<Vec<Entry>, ReplyError>> {
    let list = match value {
        Value::Array(list) => list,
        Value::Object(object) => match ["options", "answers"]
            .iter()
            .find_map(|&name| object.get(name)?.as_array())
        {
            Some(list) => list,
            None => return json_entry(value, question).map(|entry| entry.map(|entry| vec![entry])),
        },
        _ => return None,
    };
    if list.is_empty() {
        return None;
    }
    list.iter()
        .map(|entry| json_entry(entry, question))
        .collect()
}

fn json_entry(value: &Value, question: &Question) -> Option<Result<Entry, ReplyError>> {
    let (option, confidence) = match value {
        Value::Object(object) => (
            ["option", "answer", "letter", "number", "choice"]
                .iter()
                .find_map(|&name| object.get(name))?,
            ["confidence", "probability"]
                .iter()
                .find_map(|&name| object.get(name)),
        ),
        other => (other, None),
    };
    let index = match option {
        Value::Number(number) => index_of(number.as_i64()?, question.options.len()),
        Value::String(text) => match named(text, question)?.as_slice() {
            &[index] => Ok(index),
            _ => Err(ReplyError::Several),
        },
        _ => return None,
    };
    let confidence = match confidence {
        // People and models write 90 for 0.9; from 1 up there is nothing else it could mean.
        Some(given) => given.as_f64().map(|given| {
            if given > 1.0 && given <= 100.0 {
                given / 100.0
            } else {
                given
            }
        })?,
        None => BARE,
    };
    Some(index.and_then(|index| {
        Ok(Entry {
            index,
            confidence: probability(confidence)?,
        })
    }))
}

/// Returns the indices of the options that `text` names, by letter first, then by their text, then by number.
fn named(text: &str, question: &Question) -> Option<Vec<usize>> {
    let options = question.options.len();
    let text = text.trim().trim_matches('`').trim();
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '/' | '&'))
        .map(bare)
        .collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();

    letters(&words, options, true)
        .or_else(|| by_text(text, question))
        .or_else(|| match words.as_slice() {
            [number] => index_of(number.parse().ok()?, options)
                .ok()
                .map(|index| vec![index]),
            _ => None,
        })
        .or_else(|| leading_letter(text, options))
        .or_else(|| after_keyword(&words, options))
}

/// Strips what people put around a letter or a number.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| {
        matches!(
            c,
            '(' | ')' | '[' | ']' | '"' | '\'' | '*' | '_' | '.' | ':' | '!' | '`'
        )
    })
}

/// Returns the options of `words` when every one of them is a letter of an option or joins two: `A, C and D`.
fn letters(words: &[&str], options: usize, lower_case: bool) -> Option<Vec<usize>> {
    let mut indices = Vec::new();
    for word in words
        .iter()
        .filter(|word| !matches!(**word, "and" | "und" | "+"))
    {
        indices.push(letter(word, options, lower_case)?);
    }
    let distinct = indices
        .iter()
        .enumerate()
        .all(|(at, index)| !indices[..at].contains(index));
    (!indices.is_empty() && distinct).then_some(indices)
}

fn letter(word: &str, options: usize, lower_case: bool) -> Option<usize> {
    let &[letter] = word.as_bytes() else {
        return None;
    };
    if !letter.is_ascii_uppercase() && !lower_case {
        return None;
    }
    let index = usize::from(letter.to_ascii_uppercase().checked_sub(b'A')?);
    (index < options).then_some(index)
}

/// Returns the one option whose text the whole reply is.
fn by_text(text: &str, question: &Question) -> Option<Vec<usize>> {
    let fold = |text: &str| {
        let text = text.trim();
        // An option may be a full stop, and dots are not it.
        Some(text.trim_end_matches('.'))
            .filter(|rest| !rest.is_empty())
            .unwrap_or(text)
            .to_lowercase()
    };
    let wanted = fold(text);
    let mut equal = question
        .options
        .iter()
        .enumerate()
        .filter(|(_, option)| fold(option) == wanted);
    match (equal.next(), equal.next()) {
        (Some((index, _)), None) => Some(vec![index]),
        _ => None,
    }
}

/// Returns the option of a reply that opens with its letter: `B) Paris`, `**C.** because …`.
fn leading_letter(text: &str, options: usize) -> Option<Vec<usize>> {
    let first = text.split_whitespace().next()?;
    if !first.ends_with([')', '.', ':', '*']) {
        return None;
    }
    letter(bare(first), options, false).map(|index| vec![index])
}

/// Returns the option that every `answer is B`, `Antwort: B` or `option B` of the reply agrees on.
fn after_keyword(words: &[&str], options: usize) -> Option<Vec<usize>> {
    let mut agreed = None;
    for (at, word) in words.iter().enumerate() {
        if !matches!(
            word.to_lowercase().as_str(),
            "answer" | "antwort" | "option" | "choice"
        ) {
            continue;
        }
        let filler = ["is", "ist", "the", "option", "choice", "letter", "correct"];
        let Some(next) = words[at + 1..].iter().find(|word| !filler.contains(word)) else {
            continue;
        };
        let Some(index) = letter(next, options, false) else {
            continue;
        };
        if agreed.replace(index).is_some_and(|before| before != index) {
            return None;
        }
    }
    agreed.map(|index| vec![index])
}

#[cfg(test)]
mod tests {
    use super::super::{read, tests::question};
    use super::*;
    use crate::solve::Method;

    fn best(text: &str) -> Result<usize, ReplyError> {
        let reply = read(
            text,
            &question(Kind::Single, &["Rome", "Paris", "Oslo", "4"]),
        )?;
        assert_eq!(reply.method, Method::Parsed, "{text}");
        Ok((0..4)
            .max_by(|&a, &b| reply.probabilities[a].total_cmp(&reply.probabilities[b]))
            .unwrap())
    }

    #[test]
    fn finds_json_in_prose_and_fences() {
        for text in [
            "```json\n{\"options\":[{\"option\":2,\"confidence\":0.9}]}\n```",
            "Sure! {\"options\":[{\"option\":2,\"confidence\":0.9}]} as asked.",
            "Like {\"options\":[{\"option\":1,\"confidence\":0.9}]}? No: {\"options\":[{\"option\":2,\"confidence\":0.9}]}",
            "<think>{\"option\":1}</think>{\"option\":2}",
            "{\"options\":[{\"option\":2,\"confidence\":90,\"why\":\"it is\"}]}",
            "{\"answer\":\"B\"}",
            "[2]",
            "{\"answers\":[{\"option\":\"Paris\",\"probability\":0.8}]}",
        ] {
            assert_eq!(best(text), Ok(1), "{text}");
        }
    }

    #[test]
    fn finds_a_lone_letter_text_or_number() {
        for text in [
            "B",
            " b ",
            "(B)",
            "**B**",
            "B.",
            "B) Paris",
            "B: Paris is it",
            "`B`",
            "paris.",
            "2",
            "2.",
        ] {
            assert_eq!(best(text), Ok(1), "{text}");
        }
        assert_eq!(best("The correct answer is B."), Ok(1));
        assert_eq!(best("Die Antwort ist **B**, denn A stimmt nicht"), Ok(1));
        assert_eq!(best("Option B"), Ok(1));
        assert_eq!(
            best("4"),
            Ok(3),
            "an option's text counts before its number"
        );
    }

    #[test]
    fn dots_are_no_full_stop() {
        let marks = question(Kind::Single, &["!", ".", "?"]);
        assert_eq!(read("...", &marks), Err(ReplyError::NoOption));
        assert!(read(".", &marks).is_ok_and(|reply| reply.probabilities[1] > 0.5));
    }

    #[test]
    fn takes_nothing_that_could_mean_two_things() {
        for text in [
            "I think so",
            "A is wrong and B is right",
            "the answer is A, no, the answer is B",
            "E",
            "7",
            "A dog",
            "{}",
            "[]",
        ] {
            assert_eq!(best(text), Err(ReplyError::NoOption), "{text}");
        }
        assert_eq!(best("A, B"), Err(ReplyError::Several));
        assert_eq!(best("[1,2]"), Err(ReplyError::Several));
        assert_eq!(
            best("{\"option\":9}"),
            Err(ReplyError::OutOfRange {
                option: 9,
                options: 4
            })
        );
        assert_eq!(
            best("so {\"options\":[{\"option\":1,\"confidence\":200}]}"),
            Err(ReplyError::Confidence(200.0))
        );
        assert_eq!(best(&"{".repeat(MAX_BYTES + 1)), Err(ReplyError::NoOption));
        assert_eq!(best(&"[".repeat(MAX_BYTES)), Err(ReplyError::NoOption));
    }

    #[test]
    fn several_letters_answer_a_multiple_question() {
        let reply = read(
            "A, C and D",
            &question(Kind::Multiple, &["w", "x", "y", "z"]),
        )
        .unwrap();
        assert_eq!(reply.probabilities, [BARE, 0.0, BARE, BARE]);
        assert_eq!(reply.method, Method::Parsed);
    }
}
