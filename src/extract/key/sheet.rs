//! Answer sheets: one place behind the questions that lists the right letters by number, such as "Answer key: 1. C 2. A".

use super::{letters, words::SHEETS};
use std::collections::HashMap;

/// Least entries that must fit their questions: one number with a letter behind it may be anything.
const LEAST: usize = 2;

/// A question as a sheet knows it.
#[derive(Debug, Clone, Copy)]
pub(in crate::extract) struct Entry {
    /// Its number on the page.
    pub(in crate::extract) number: Option<u32>,
    /// How many options it has.
    pub(in crate::extract) options: usize,
}

/// Returns the keys that an answer sheet in `text`, which stands behind the questions, lists for them, in their order and
/// counted from 1; empty when there is none, or it does not fit.
pub(in crate::extract) fn keys(text: &str, entries: &[Entry]) -> Vec<Vec<u32>> {
    let mut numbers: Vec<_> = entries.iter().filter_map(|entry| entry.number).collect();
    numbers.sort_unstable();
    // Where numbers begin anew in each part, none is sure.
    if numbers.windows(2).any(|pair| pair[0] == pair[1]) {
        return Vec::new();
    }
    let Some(sheet) = sheet(text) else {
        return Vec::new();
    };
    let listed = listed(sheet);
    let key = |entry: &Entry| {
        let key = letters(listed.get(&entry.number?)?, entry.options);
        key.filter(|key| !key.is_empty())
    };
    let keys: Vec<_> = entries.iter().map(key).collect();
    let fitting = keys.iter().flatten().count();
    match fitting >= LEAST && 2 * fitting >= entries.len() {
        true => keys.into_iter().map(Option::unwrap_or_default).collect(),
        false => Vec::new(),
    }
}

/// Returns the text from the heading of the sheet on.
fn sheet(text: &str) -> Option<&str> {
    let is_heading = |line: &str| {
        let line = line.trim().to_lowercase();
        let behind = |word: &&str| line.strip_prefix(*word);
        SHEETS
            .iter()
            .filter_map(behind)
            .any(|rest| !rest.starts_with(char::is_alphabetic))
    };
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if is_heading(line) {
            return text.get(at..);
        }
        at += line.len();
    }
    None
}

/// Returns what stands behind each number. Numbers with two different letters are left out.
fn listed(sheet: &str) -> HashMap<u32, &str> {
    let mut found: HashMap<u32, Option<&str>> = HashMap::new();
    for line in sheet.lines() {
        let words: Vec<_> = line
            .split([' ', '\t', '\u{A0}', '\u{3000}', ';', '|'])
            .filter(|word| !word.is_empty())
            .collect();
        let mut pending = None;
        for (place, word) in words.iter().enumerate() {
            let (number, rest) = numbered(word);
            if let Some(number) = number {
                pending = Some(number);
            } else if is_label(rest) {
                continue;
            }
            let Some(number) = pending.filter(|_| !rest.is_empty()) else {
                continue;
            };
            pending = None;
            // "1. A short answer" is none.
            let ends = words
                .get(place + 1)
                .is_none_or(|next| !next.starts_with(char::is_lowercase));
            if ends {
                let entry = found.entry(number).or_insert(Some(rest));
                *entry = entry.filter(|letters| *letters == rest);
            }
        }
    }
    found
        .into_iter()
        .filter_map(|(number, letters)| Some((number, letters?)))
        .collect()
}

/// Splits the number, with its sign, off a word: `3.C` is 3 and `C`.
fn numbered(word: &str) -> (Option<u32>, &str) {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let rest = word[digits..].trim_start_matches(['.', ')', ':', '：', '、', '．', '-', '–', '=']);
    match word[..digits].parse().ok().filter(|_| digits <= 3) {
        Some(number) => (Some(number), rest),
        None => (None, word),
    }
}

fn is_label(word: &str) -> bool {
    let word = word.trim_end_matches([':', '.']).to_lowercase();
    matches!(word.as_str(), "ans" | "answer" | "key")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, numbers: &[u32]) -> Vec<Vec<u32>> {
        let entries: Vec<_> = numbers
            .iter()
            .map(|&number| Entry {
                number: Some(number),
                options: 4,
            })
            .collect();
        keys(text, &entries)
    }

    #[test]
    fn sheets_of_all_sorts() {
        for sheet in [
            "Goodbye\nAnswer key\n1. C 2. A",
            "参考答案　1.C　2.A",
            "Answer Section\nMULTIPLE CHOICE\n1. ANS: C PTS: 1 REF: ch. 2 2. ANS: A PTS: 1",
            "Ответы: 1) c; 2) a",
            "Answers:\n1-C\n2-A\n3. An essay",
        ] {
            assert_eq!(told(sheet, &[1, 2]), [[3], [1]], "{sheet}");
        }
        assert_eq!(told("Answers\n1. AC\n2. B", &[1, 2]), [vec![1, 3], vec![2]]);
    }

    #[test]
    fn what_is_no_sheet() {
        for text in [
            "1. C 2. A",
            "Answers\n1. A short one\n2. A longer one",
            "Answers\n1. C",
            "Answers\n1. C 2. X",
            "Answers\n1. C 2. A\n1. D 2. B",
            "Answers are on page 1. C is a language",
        ] {
            assert!(told(text, &[1, 2]).is_empty(), "{text}");
        }
        assert!(told("Answers\n1. C 2. A", &[1, 1]).is_empty());
    }
}
