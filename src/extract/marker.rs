//! Markers: the `a)`, `(B)`, `3.`, `в)`, `أ)` before options and questions.

/// A marker at the start of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    /// Which row of markers it belongs to: alphabet and punctuation.
    pub(super) style: Style,
    /// Its place in that row, counted from 0.
    pub(super) place: usize,
    /// Length in bytes, blanks behind it included.
    pub(super) len: usize,
}

/// Alphabet and punctuation of a row of markers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// Which row of signs.
    pub(super) row: usize,
    /// What stands behind the sign.
    pub(super) close: char,
    /// Whether a bracket stands before it.
    pub(super) open: bool,
}

/// The rows that options are counted with; the last one is for numbers.
const ROWS: [&str; 10] = [
    "ABCDEFGHIJ",
    "abcdefghij",
    "АБВГДЕЖЗИК",
    "абвгдежзик",
    "ΑΒΓΔΕΖΗΘΙΚ",
    "αβγδεζηθικ",
    "أبجدهوزحطي",
    "אבגדהוזחטי",
    "甲乙丙丁戊己庚辛壬癸",
    "कखगघङचछजझञ",
];
/// Other rows in use beside the first of their script.
const MORE: [&str; 4] = [
    "アイウエオカキクケコ",
    "①②③④⑤⑥⑦⑧⑨⑩",
    "ابجدهوزحطي",
    "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊ",
];
/// The row of numbers.
pub(super) const NUMBERS: usize = 99;

/// Returns the marker that a line begins with.
pub(super) fn marker(line: &str) -> Option<Marker> {
    let trimmed = line.trim_start();
    let lead = line.len() - trimmed.len();
    let open = trimmed.starts_with(['(', '[', '（']);
    let mut rest = trimmed.chars().peekable();
    let mut len = 0;
    if open {
        len += rest.next()?.len_utf8();
    }
    let first = *rest.peek()?;
    let (row, place) = if first.is_ascii_digit() {
        let mut number = 0_usize;
        let mut digits = 0;
        while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
            number = number * 10 + digit as usize;
            digits += 1;
            len += 1;
            rest.next();
            if digits > 3 {
                return None;
            }
        }
        (NUMBERS, number.checked_sub(1)?)
    } else {
        rest.next();
        len += first.len_utf8();
        let rows = ROWS.iter().chain(&MORE).enumerate();
        let mut found = rows
            .filter_map(|(row, signs)| Some((row, signs.chars().position(|sign| sign == first)?)));
        found.next()?
    };
    let circled = ('①'..='⑩').contains(&first);
    let close = match rest.peek() {
        Some(&close)
            if matches!(
                close,
                ')' | '.' | ']' | ':' | '、' | '．' | '）' | '-' | '–'
            ) =>
        {
            len += close.len_utf8();
            rest.next();
            close
        }
        // Scripts with wide signs set a wide blank, which text read from a page no longer tells from another.
        Some(&blank @ ('\u{3000}' | ' ')) if is_wide(first) => {
            len += blank.len_utf8();
            rest.next();
            '\u{3000}'
        }
        _ if circled => ' ',
        _ => return None,
    };
    let after = rest.peek().copied();
    // `1.5 litres`, `e.g.` and `a.m.` are no markers.
    let tight = matches!(close, ')' | '）' | '、' | '．' | ']' | '\u{3000}') || circled;
    let begins = |c: char| match close {
        '.' => c.is_uppercase() || !c.is_ascii(),
        _ => tight && !c.is_ascii_punctuation(),
    };
    if !after.is_none_or(|c| c.is_whitespace() || begins(c)) {
        return None;
    }
    let behind = &trimmed[len..];
    len += behind.len() - behind.trim_start().len();
    Some(Marker {
        style: Style { row, close, open },
        place,
        len: lead + len,
    })
}

/// Returns whether a sign is one of a script in which it cannot be a word.
fn is_wide(sign: char) -> bool {
    matches!(sign, 'ア'..='コ' | 'ㄱ'..='ㅎ' | '甲'..='甲' | '乙' | '丙' | '丁' | '戊')
}

/// Returns whether a text is a marker and nothing else, such as `A.` or `b`.
pub(super) fn is_marker_alone(text: &str) -> bool {
    let text = text.trim();
    marker(text).is_some_and(|marker| marker.len >= text.len() && marker.style.row != NUMBERS)
}

/// Takes the markers off options, if they are a full row; quizzes that shuffle their options may shuffle the markers.
pub(super) fn strip(options: &mut [String]) -> bool {
    strip_closed(options) || strip_keys(options)
}

/// Takes bare letters off: the keys of a keyboard, drawn before each option.
fn strip_keys(options: &mut [String]) -> bool {
    let keys = options.iter().zip('A'..='Z').map(|(option, key)| {
        let rest = option.strip_prefix(key)?;
        rest.starts_with(char::is_whitespace)
            .then(|| option.len() - rest.trim_start().len())
    });
    let keys: Option<Vec<usize>> = keys.collect();
    let Some(keys) = keys.filter(|keys| keys.len() == options.len() && options.len() > 2) else {
        return false;
    };
    for (option, len) in options.iter_mut().zip(keys) {
        option.drain(..len);
    }
    true
}

fn strip_closed(options: &mut [String]) -> bool {
    let markers: Option<Vec<_>> = options.iter().map(|option| marker(option)).collect();
    let Some(markers) = markers else {
        return false;
    };
    let style = markers.first().map(|first| first.style);
    let alike = markers.iter().all(|marker| Some(marker.style) == style);
    let mut places: Vec<_> = markers.iter().map(|marker| marker.place).collect();
    if markers.len() > 2 && style.is_some_and(|style| style.row != NUMBERS) {
        places.sort_unstable();
    }
    let in_order = alike
        && places
            .iter()
            .enumerate()
            .all(|(place, found)| place == *found);
    let rest_is_text = options
        .iter()
        .zip(&markers)
        .all(|(option, marker)| option.len() > marker.len);
    if !in_order || !rest_is_text || options.len() < 2 {
        return false;
    }
    for (option, marker) in options.iter_mut().zip(markers) {
        option.drain(..marker.len);
    }
    true
}

/// Splits a line that holds a whole row of options: "A) x B) y C) z".
pub(super) fn apart(line: &str) -> Vec<String> {
    let mut cuts: Vec<usize> = Vec::new();
    let mut first: Option<Marker> = None;
    let starts = line.char_indices().filter(|&(at, c)| {
        !c.is_whitespace() && (at == 0 || line[..at].ends_with(char::is_whitespace))
    });
    for (at, _) in starts {
        let Some(found) = marker(&line[at..]) else {
            continue;
        };
        let goes_on = match &first {
            Some(first) => found.style == first.style && found.place == cuts.len(),
            None => found.place == 0 && found.style.row != NUMBERS,
        };
        if goes_on {
            first.get_or_insert(found);
            cuts.push(at);
        }
    }
    if cuts.len() < 3 {
        return vec![line.to_owned()];
    }
    let ends = cuts.iter().skip(1).copied().chain([line.len()]);
    let head = line[..cuts[0]].trim();
    let options = cuts
        .iter()
        .zip(ends)
        .map(|(&from, to)| line[from..to].trim().to_owned());
    let head = (!head.is_empty()).then(|| head.to_owned());
    head.into_iter().chain(options).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: &str) -> Option<(usize, usize)> {
        marker(line).map(|marker| (marker.place, marker.len))
    }

    #[test]
    fn markers_in_many_scripts() {
        assert_eq!(place("a) red"), Some((0, 3)));
        assert_eq!(place("(C) red"), Some((2, 4)));
        assert_eq!(place("B.Red"), Some((1, 2)));
        assert_eq!(place("б) красный"), Some((1, 4)));
        assert_eq!(place("C、红"), Some((2, 4)));
        assert_eq!(place("ب) أحمر"), Some((1, 4)));
        assert_eq!(place("12. What"), Some((11, 4)));
        assert_eq!(place("② zwei"), Some((1, 4)));
    }

    #[test]
    fn what_only_looks_like_one() {
        for line in [
            "1.5 litres",
            "e.g. this",
            "a.m.",
            "A cat",
            "2024 was",
            "i.e. x",
            "(a",
            "a",
            "",
        ] {
            assert_eq!(place(line), None, "{line}");
        }
    }

    #[test]
    fn rows_on_one_line_come_apart() {
        assert_eq!(
            apart("Who? A) he B) she C) it"),
            ["Who?", "A) he", "B) she", "C) it"]
        );
        assert_eq!(apart("See A) or B) there"), ["See A) or B) there"]);
    }

    #[test]
    fn only_a_full_row_is_taken_off() {
        let mut options = ["A. one", "B. two"].map(str::to_owned);
        assert!(strip(&mut options));
        assert_eq!(options, ["one", "two"]);
        let mut options = ["A. one", "C. two"].map(str::to_owned);
        assert!(!strip(&mut options));
    }
}
