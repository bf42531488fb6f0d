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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    let (row, place) = if first.is_numeric() && first.to_digit(10).is_some() {
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
        _ if circled => ' ',
        _ => return None,
    };
    let after = rest.peek().copied();
    let blank = after.is_none_or(char::is_whitespace);
    // `1.5 litres`, `e.g.` and `a.m.` are no markers.
    let tight = matches!(close, ')' | '）' | '、' | '．' | ']') || circled;
    if !blank
        && !(tight && after.is_some_and(|c| !c.is_ascii_punctuation()))
        && !(close == '.' && after.is_some_and(char::is_uppercase))
    {
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

/// Returns whether a text is a marker and nothing else, such as `A.` or `b`.
pub(super) fn is_marker_alone(text: &str) -> bool {
    let text = text.trim();
    marker(text).is_some_and(|marker| marker.len >= text.len() && marker.style.row != NUMBERS)
}

/// Takes the markers off options, if all of them carry the right one of the same row.
pub(super) fn strip(options: &mut [String]) -> bool {
    let markers: Option<Vec<_>> = options.iter().map(|option| marker(option)).collect();
    let Some(markers) = markers else {
        return false;
    };
    let style = markers.first().map(|first| first.style);
    let in_order = markers
        .iter()
        .enumerate()
        .all(|(place, marker)| Some(marker.style) == style && marker.place == place);
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
    fn only_a_full_row_is_taken_off() {
        let mut options = ["A. one", "B. two"].map(str::to_owned);
        assert!(strip(&mut options));
        assert_eq!(options, ["one", "two"]);
        let mut options = ["A. one", "C. two"].map(str::to_owned);
        assert!(!strip(&mut options));
    }
}
