//! The text of a plain response: decoded as browsers do, by byte order mark, header, then the page's own word.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How far a page's own word is looked for, in bytes (HTML standard, prescan).
const PRESCAN: usize = 1_024;

/// Returns the text of a page. `content_type`: the header, with its parameters.
pub(crate) fn decode(bytes: &[u8], content_type: &str) -> String {
    let told = label(content_type).or_else(|| {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(PRESCAN)]).to_lowercase();
        let meta = head.find("<meta")?;
        // A page that could be read so far is no UTF-16, whatever it says (HTML standard, prescan).
        label(&head[meta..]).map(|told| match told == UTF_16LE || told == UTF_16BE {
            true => UTF_8,
            false => told,
        })
    });
    let unsaid = || match std::str::from_utf8(bytes) {
        Ok(_) => UTF_8,
        Err(_) => WINDOWS_1252,
    };
    // A byte order mark has the last word.
    told.unwrap_or_else(unsaid).decode(bytes).0.into_owned()
}

/// Returns the encoding that follows `charset=`.
fn label(text: &str) -> Option<&'static Encoding> {
    let lower = text.to_lowercase();
    let at = lower.find("charset=")? + "charset=".len();
    let value = lower[at..].trim_start_matches(['"', '\'', ' ']);
    let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)));
    Encoding::for_label(&value.as_bytes()[..end.unwrap_or(value.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_browsers_do() {
        let decoded = |bytes: &[u8], content_type: &str| decode(bytes, content_type);
        assert_eq!(decoded("é".as_bytes(), "text/html"), "é");
        assert_eq!(decoded(b"\xE9", "text/html"), "é");
        assert_eq!(
            decoded(b"\xCF\xF0", "text/html; charset=Windows-1251"),
            "Пр"
        );
        assert_eq!(
            decoded(b"<meta charset='koi8-r'>\xF0", "text/html"),
            "<meta charset='koi8-r'>П"
        );
        assert_eq!(
            decoded(
                b"<META http-equiv=x content=\"text/html; charset=shift_jis\">\x83\x41",
                "text/html"
            )
            .chars()
            .last(),
            Some('ア')
        );
        assert_eq!(
            decoded(b"\xEF\xBB\xBFa", "text/html; charset=iso-8859-1"),
            "a"
        );
        assert_eq!(decoded(b"a", "text/html; charset=nonsense"), "a");
        assert!(decoded("<meta charset=utf-16>é".as_bytes(), "text/html").ends_with('é'));
    }
}
