//! Whether options are those of a quiz. Radios prove nothing: salutations, search scopes, ratings and delivery options
//! have them too. Each sign for or against has a weight; together they must reach [`ENOUGH`].

use super::{
    controls::Group,
    question::Asked,
    snapshot::Tree,
    words::{asks, ends_as_question, has_question},
};

/// What a group of controls must reach.
pub(super) const ENOUGH: i32 = 4;

/// Words in class, id or role around controls that are there for something else.
const ELSEWHERE: [&str; 32] = [
    "cookie",
    "consent",
    "gdpr",
    "filter",
    "facet",
    "search",
    "login",
    "signin",
    "signup",
    "register",
    "newsletter",
    "subscribe",
    "nav",
    "menu",
    "footer",
    "settings",
    "preference",
    "variant",
    "swatch",
    "cart",
    "checkout",
    "payment",
    "shipping",
    "delivery",
    "rating",
    "stars",
    "review",
    "captcha",
    "generator",
    "calculator",
    "helpful",
    "contact",
];
/// Words in class, id or role around the questions of quizzes.
const QUIZ: [&str; 22] = [
    "quiz",
    "question",
    "exam",
    "assessment",
    "multichoice",
    "multiple-choice",
    "multiplechoice",
    "mcq",
    "h5p",
    "test-item",
    "problem",
    "trivia",
    "qti",
    "answers",
    "choicegroup",
    "que ",
    "freebird",
    "frage",
    "vraag",
    "fitb",
    "choice",
    "option",
];
/// Words in titles and headings of pages with a quiz.
const TITLES: [&str; 34] = [
    "quiz",
    "test",
    "exam",
    "questions",
    "trivia",
    "assessment",
    "exercise",
    "practice",
    "prüfung",
    "klausur",
    "übung",
    "examen",
    "prueba",
    "cuestionario",
    "esame",
    "verifica",
    "toets",
    "contrôle",
    "évaluation",
    "тест",
    "викторина",
    "экзамен",
    "контрольная",
    "اختبار",
    "امتحان",
    "מבחן",
    "חידון",
    "测验",
    "考试",
    "テスト",
    "クイズ",
    "परीक्षा",
    "प्रश्नोत्तरी",
    "κουίζ",
];
/// Options and labels of controls that ask a person about himself, or about what to do.
const PERSONAL: [&str; 73] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "dr",
    "herr",
    "frau",
    "divers",
    "male",
    "female",
    "monsieur",
    "madame",
    "sr",
    "sra",
    "agree",
    "disagree",
    "satisfied",
    "likely",
    "often",
    "never",
    "rarely",
    "sometimes",
    "excellent",
    "poor",
    "standard",
    "express",
    "paypal",
    "visa",
    "mastercard",
    "klarna",
    "invoice",
    "monthly",
    "yearly",
    "daily",
    "weekly",
    "newest",
    "relevance",
    "remember",
    "newsletter",
    "accept",
    "allow",
    "decline",
    "necessary",
    "marketing",
    "analytics",
    "functional",
    "statistics",
    "subscribe",
    "email",
    "phone",
    "sms",
    "public",
    "private",
    "dark",
    "light",
    "xs",
    "xl",
    "small",
    "medium",
    "large",
    "full-time",
    "part-time",
    "uppercase",
    "lowercase",
    "numbers",
    "symbols",
    "pickup",
    "courier",
    "stars",
    "star",
    "terms",
    "gast",
    "guest",
];
/// Questions that are put to a visitor, not to a learner.
const TO_VISITORS: [&str; 46] = [
    "how satisfied",
    "how likely",
    "how often do you",
    "how did you hear",
    "would you recommend",
    "do you agree",
    "do you accept",
    "was this",
    "helpful",
    "delivery",
    "payment",
    "shipping",
    "billing",
    "sort by",
    "filter",
    "theme",
    "language",
    "gender",
    "title",
    "salutation",
    "anrede",
    "size",
    "colour",
    "color",
    "quantity",
    "subscribe",
    "newsletter",
    "notification",
    "frequency",
    "cookie",
    "privacy",
    "would you like",
    "do you want",
    "are you a",
    "are you over",
    "do you have",
    "do you smoke",
    "do you own",
    "your age",
    "your rating",
    "rate this",
    "rate your",
    "search in",
    "search for",
    "seat",
    "employment",
];

/// What a page says of itself.
pub(super) struct Scene {
    /// Whether title or headings call it a quiz.
    titled: bool,
}

impl Scene {
    pub(super) fn of(tree: &Tree<'_>, title: &str) -> Self {
        let is_title = |text: &str| {
            let lower = text.to_lowercase();
            let mut words = lower.split(|c: char| !c.is_alphanumeric());
            words.any(|word| TITLES.contains(&word))
                || TITLES
                    .iter()
                    .any(|word| !word.is_ascii() && lower.contains(word))
        };
        let heading = |at: usize| matches!(tree.tag(at), "h1" | "h2") && !tree.is_hidden(at);
        let titled = is_title(title)
            || (0..tree.nodes.len())
                .filter(|&at| heading(at))
                .any(|at| is_title(&super::formula::raw(tree, at)));
        Self { titled }
    }
}

/// Weighs a group of controls with its question. `alike`: how many groups of the page look the same.
pub(super) fn weigh(
    tree: &Tree<'_>,
    scene: &Scene,
    group: &Group,
    asked: &Asked,
    alike: usize,
    keyed: bool,
) -> i32 {
    let options: Vec<_> = group
        .choices
        .iter()
        .map(|choice| choice.text.as_str())
        .collect();
    let root = group.root(tree);
    let mut score = text_score(asked, &options);
    score += match alike {
        0 | 1 => 0,
        2 => 1,
        _ => 2,
    };
    score += i32::from(scene.titled) + 3 * i32::from(keyed) + 3 * i32::from(asked.named);
    score + surroundings(tree, root)
}

/// Weighs what the question and its options say.
pub(super) fn text_score(asked: &Asked, options: &[&str]) -> i32 {
    let question = asked.text.to_lowercase();
    let mut score = 0;
    if has_question(&asked.text) {
        score += 3;
    } else if question.contains("__")
        || question.trim_end().ends_with([':', '…', '：'])
        || question.ends_with("...")
    {
        score += 1;
    }
    score += i32::from(asks(&asked.text))
        + 3 * i32::from(asked.badge)
        + 2 * i32::from(asked.instruction);
    if question.split_whitespace().count() >= 4
        || (!question.is_ascii() && question.chars().count() >= 8)
    {
        score += 1;
    } else if !ends_as_question(&asked.text) {
        score -= 1;
    }
    if TO_VISITORS.iter().any(|words| question.contains(words)) && !asked.badge {
        score -= 4;
    }
    let personal = options.iter().filter(|option| is_personal(option)).count();
    if personal * 2 >= options.len() {
        score -= 5;
    }
    let prices = options.iter().filter(|option| has_price(option)).count();
    if prices * 2 >= options.len() {
        score -= 4;
    }
    if options
        .iter()
        .enumerate()
        .all(|(place, option)| option.trim() == (place + 1).to_string())
    {
        // A scale.
        score -= 4;
    }
    score
}

fn is_personal(option: &str) -> bool {
    let lower = option.to_lowercase();
    let words: Vec<_> = lower
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        .filter(|word| !word.is_empty())
        .collect();
    words.len() <= 4 && words.iter().any(|word| PERSONAL.contains(word))
}

fn has_price(option: &str) -> bool {
    option.contains(['€', '$', '£', '¥', '₽']) && option.contains(|c: char| c.is_ascii_digit())
}

/// Weighs what stands around: names of elements, and other fields of the same form.
fn surroundings(tree: &Tree<'_>, root: usize) -> i32 {
    let mut score = 0;
    let levels: Vec<_> = std::iter::once(root)
        .chain(tree.ancestors(root))
        .take(7)
        .collect();
    let named = |words: &[&str]| {
        levels
            .iter()
            .filter(|&&at| !matches!(tree.tag(at), "body" | "html"))
            .any(|&at| {
                let names = tree.names(at);
                words.iter().any(|word| names.contains(word))
            })
    };
    if named(&QUIZ) {
        score += 2;
    }
    if named(&ELSEWHERE) {
        score -= 4;
    }
    if levels
        .iter()
        .any(|&at| matches!(tree.tag(at), "nav" | "footer" | "aside"))
    {
        score -= 4;
    }
    if levels.iter().any(|&at| {
        matches!(
            tree.attribute(at, "role"),
            "dialog" | "alertdialog" | "search" | "navigation"
        )
    }) {
        score -= 3;
    }
    let form = levels
        .iter()
        .copied()
        .chain(tree.ancestors(root))
        .find(|&at| tree.tag(at) == "form");
    if let Some(form) = form {
        let fields = (form..tree.end(form))
            .filter(|&at| is_personal_field(tree, at))
            .count();
        score -= match fields {
            0 => 0,
            1 => 2,
            _ => 4,
        };
    }
    score
}

/// Returns whether a field asks a person for a name, an address, a password, a term to search for.
fn is_personal_field(tree: &Tree<'_>, at: usize) -> bool {
    let kind = tree.attribute(at, "type").to_lowercase();
    let is_text = tree.tag(at) == "textarea"
        || (tree.tag(at) == "input" && matches!(kind.as_str(), "" | "text"));
    let is_personal = tree.tag(at) == "input"
        && matches!(
            kind.as_str(),
            "password" | "email" | "tel" | "search" | "url" | "date" | "file"
        );
    (is_personal || is_text) && !tree.is_hidden(at)
}

/// Returns whether an element, or one around it, is part of a quiz by its name.
pub(super) fn is_in_quiz(tree: &Tree<'_>, at: usize) -> bool {
    let mut levels = std::iter::once(at).chain(tree.ancestors(at)).take(5);
    levels.any(|at| {
        let names = tree.names(at);
        !matches!(tree.tag(at), "body" | "html")
            && ["quiz", "question", "answer", "trivia", "choice"]
                .iter()
                .any(|word| names.contains(word))
    })
}

/// Returns whether an element stands where pages put other things.
pub(super) fn is_elsewhere(tree: &Tree<'_>, at: usize) -> bool {
    std::iter::once(at).chain(tree.ancestors(at)).any(|at| {
        if tree.is_text(at) || matches!(tree.tag(at), "body" | "html") {
            return false;
        }
        let names = tree.names(at);
        matches!(tree.tag(at), "nav" | "footer" | "aside")
            || [
                "cookie",
                "consent",
                "breadcrumb",
                "pagination",
                "navbar",
                "sidebar",
            ]
            .iter()
            .any(|word| names.contains(word))
    })
}
