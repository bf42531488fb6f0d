//! The text of a snippet of HTML, as question files hold it.

/// Returns the text of HTML on one line. Raised and lowered text keeps a sign, so that 10² does not turn into 102; an image
/// is its description: `[image: a map]`.
pub(super) fn text(html: &str) -> String {
    const BLOCKS: [&str; 8] = ["br", "p", "div", "li", "ul", "ol", "tr", "td"];
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    let mut tags_ahead = true;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((c, length)) = reference(rest) {
            text.push(c);
            rest = &rest[length..];
            continue;
        }
        let opens = rest.starts_with('<')
            && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        // Without a `>` ahead nothing later is a tag either; looking again each time would be quadratic.
        let end = if opens && tags_ahead {
            rest.find('>')
        } else {
            None
        };
        tags_ahead &= !opens || end.is_some();
        match end {
            Some(end) => {
                let name: String = rest[1..end]
                    .trim_start_matches('/')
                    .chars()
                    .take_while(char::is_ascii_alphanumeric)
                    .collect();
                let is_end = rest.starts_with("</");
                match name.to_ascii_lowercase().as_str() {
                    name if BLOCKS.contains(&name) => text.push(' '),
                    "sup" if !is_end => text.push('^'),
                    "sub" if !is_end => text.push('_'),
                    "img" => text.push_str(&image(&rest[..end])),
                    _ => {}
                }
                rest = &rest[end + 1..];
            }
            None => {
                text.push_str(&rest[..1]);
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the description of the image whose tag begins `tag`; nothing when it has none.
fn image(tag: &str) -> String {
    let mut rest = tag.trim_start_matches(|c: char| c != ' ' && c != '\n' && c != '\t');
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, next) = match quote {
            Some(quote) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
            None => after.split_at(
                after
                    .find(|c: char| c.is_whitespace() || c == '/')
                    .unwrap_or(after.len()),
            ),
        };
        // Before the `=` there may be attributes without a value.
        let name = name.split_whitespace().next_back().unwrap_or_default();
        if name.eq_ignore_ascii_case("alt") {
            let described = text(value);
            return match described.is_empty() {
                true => described,
                false => format!("[image: {described}]"),
            };
        }
        rest = next;
    }
    String::new()
}

/// Returns the character of the reference at the start of `text`, such as `&amp;` or `&#228;`, and its length.
fn reference(text: &str) -> Option<(char, usize)> {
    const NAMED: [(&str, char); 84] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("auml", 'ä'),
        ("ouml", 'ö'),
        ("uuml", 'ü'),
        ("Auml", 'Ä'),
        ("Ouml", 'Ö'),
        ("Uuml", 'Ü'),
        ("szlig", 'ß'),
        ("eacute", 'é'),
        ("egrave", 'è'),
        ("ndash", '–'),
        ("mdash", '—'),
        ("hellip", '…'),
        ("deg", '°'),
        ("times", '×'),
        ("euro", '€'),
        ("lsquo", '‘'),
        ("rsquo", '’'),
        ("bdquo", '„'),
        ("ldquo", '“'),
        ("rdquo", '”'),
        ("sbquo", '‚'),
        ("laquo", '«'),
        ("raquo", '»'),
        ("agrave", 'à'),
        ("aacute", 'á'),
        ("acirc", 'â'),
        ("atilde", 'ã'),
        ("aring", 'å'),
        ("aelig", 'æ'),
        ("ccedil", 'ç'),
        ("ecirc", 'ê'),
        ("euml", 'ë'),
        ("iacute", 'í'),
        ("icirc", 'î'),
        ("iuml", 'ï'),
        ("ntilde", 'ñ'),
        ("oacute", 'ó'),
        ("ocirc", 'ô'),
        ("otilde", 'õ'),
        ("oslash", 'ø'),
        ("uacute", 'ú'),
        ("ugrave", 'ù'),
        ("ucirc", 'û'),
        ("yacute", 'ý'),
        ("Aacute", 'Á'),
        ("Eacute", 'É'),
        ("Oacute", 'Ó'),
        ("Aring", 'Å'),
        ("Oslash", 'Ø'),
        ("Ccedil", 'Ç'),
        ("shy", '\u{AD}'),
        ("pi", 'π'),
        ("Pi", 'Π'),
        ("Omega", 'Ω'),
        ("omega", 'ω'),
        ("alpha", 'α'),
        ("beta", 'β'),
        ("micro", 'µ'),
        ("divide", '÷'),
        ("minus", '−'),
        ("plusmn", '±'),
        ("sup2", '²'),
        ("sup3", '³'),
        ("frac12", '½'),
        ("frac14", '¼'),
        ("pound", '£'),
        ("yen", '¥'),
        ("cent", '¢'),
        ("copy", '©'),
        ("reg", '®'),
        ("trade", '™'),
        ("radic", '√'),
        ("infin", '∞'),
        ("ne", '≠'),
        ("le", '≤'),
        ("ge", '≥'),
        ("larr", '←'),
        ("rarr", '→'),
    ];
    let body = text.strip_prefix('&')?;
    // The longest reference that is understood is `#x10FFFF`.
    let end = body.bytes().take(10).position(|b| b == b';')?;
    let name = &body[..end];
    let c = match name.strip_prefix('#') {
        Some(number) => char::from_u32(match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        })?,
        None => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((c, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_references_become_text() {
        for (html, plain) in [
            (
                "<p>What is <b>10<sup>2</sup></b>?<br/>Yes</p>",
                "What is 10^2? Yes",
            ),
            ("H<SUB class=\"x\">2</SUB>O", "H_2O"),
            (
                "a &lt; b &amp;&#228;&#xE9;&nbsp;&uuml; &unknown; &#0x; 1 < 2 <",
                "a < b &äé ü &unknown; &#0x; 1 < 2 <",
            ),
        ] {
            assert_eq!(text(html), plain, "{html}");
        }
    }

    #[test]
    fn images_are_their_descriptions() {
        for (html, plain) in [
            (
                "Where is <img src='a.png' alt='a map &amp; more'>?",
                "Where is [image: a map & more]?",
            ),
            ("<IMG ALT = \" a\nmap \"/>", "[image: a map]"),
            ("<img alt=map src=x>", "[image: map]"),
            ("<img src=\"x?alt=1\"><img alt=''><img alt><img>", ""),
        ] {
            assert_eq!(text(html), plain, "{html}");
        }
    }

    #[test]
    fn large_snippets_take_linear_time() {
        for unit in ["<a", "&", "<img alt=", "<img alt=\"", "<a>", "&#"] {
            text(&unit.repeat(200_000));
        }
    }
}
