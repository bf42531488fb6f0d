//! Questions that need a picture. Pure.
//!
//! A picture stands in a question's text as `[image: what it shows]`, or `[image]` where its author did not say.

/// Words that say that there is a picture and not what it shows.
const EMPTY_WORDS: [&str; 22] = [
    "image",
    "img",
    "picture",
    "photo",
    "figure",
    "fig",
    "diagram",
    "graph",
    "chart",
    "map",
    "screenshot",
    "illustration",
    "drawing",
    "bild",
    "abbildung",
    "abb",
    "foto",
    "grafik",
    "diagramm",
    "the",
    "of",
    "see",
];

/// Returns whether `text` holds a picture of which its words do not say what it shows.
pub fn needs_image(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find("[image") {
        let inside = &rest[at + "[image".len()..];
        let Some((description, after)) = inside.split_once(']') else {
            return false;
        };
        // `[images of Mars]` is text.
        if (description.is_empty() || description.starts_with(':'))
            && says_nothing(description.trim_start_matches(':'))
        {
            return true;
        }
        rest = after;
    }
    false
}

/// Returns whether a description is empty, a file's name, or words that any picture could have.
fn says_nothing(description: &str) -> bool {
    let description = description.trim().to_lowercase();
    let is_file = [".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp"]
        .iter()
        .any(|end| description.ends_with(end));
    is_file
        || description
            .split(|c: char| !c.is_alphabetic())
            .filter(|word| word.chars().count() > 1)
            .all(|word| EMPTY_WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_serves_and_its_absence_does_not() {
        for text in [
            "What is this? [image]",
            "[image:] Which?",
            "[image: IMG_0231.jpg] Which?",
            "[image: Figure 3] Which?",
            "a [image: a red cube] b [image: Bild]",
        ] {
            assert!(needs_image(text), "{text}");
        }
        for text in [
            "What is this?",
            "[image: a right triangle with sides 3, 4 and x] x?",
            "[images of Mars] Which?",
            "[image",
            "[image: Graph of a parabola]",
        ] {
            assert!(!needs_image(text), "{text}");
        }
    }
}
