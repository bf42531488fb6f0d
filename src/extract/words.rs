//! The words that quizzes use around their questions, in the languages that quizzes were seen in.

/// "Question", as in "Question 3 of 10".
const QUESTION: [&str; 26] = [
    "question",
    "questions",
    "frage",
    "pregunta",
    "pergunta",
    "questão",
    "questao",
    "domanda",
    "vraag",
    "вопрос",
    "питання",
    "問題",
    "問",
    "问题",
    "题目",
    "第",
    "سؤال",
    "السؤال",
    "שאלה",
    "प्रश्न",
    "ερώτηση",
    "fråga",
    "pytanie",
    "soru",
    "문제",
    "câu",
];
/// What else stands in a badge: counts, points, states.
const BADGE: [&str; 74] = [
    "of",
    "von",
    "de",
    "sur",
    "di",
    "из",
    "van",
    "z",
    "out",
    "point",
    "points",
    "pt",
    "pts",
    "punkt",
    "punkte",
    "punkten",
    "punto",
    "puntos",
    "punti",
    "punt",
    "punten",
    "баллов",
    "балл",
    "балла",
    "mark",
    "marks",
    "marked",
    "erreichbare",
    "noté",
    "puntúa",
    "como",
    "not",
    "yet",
    "answered",
    "answer",
    "saved",
    "noch",
    "nicht",
    "beantwortet",
    "bisher",
    "sin",
    "responder",
    "aún",
    "se",
    "ha",
    "respondido",
    "non",
    "répondue",
    "pas",
    "encore",
    "répondu",
    "пока",
    "нет",
    "ответа",
    "flag",
    "flagged",
    "flagge",
    "markieren",
    "complete",
    "completed",
    "incomplete",
    "correct",
    "incorrect",
    "partially",
    "unanswered",
    "possible",
    "graded",
    "ungraded",
    "required",
    "q",
    "no",
    "nr",
    "№",
    "分",
];
/// Whole lines that only tell how to answer.
const INSTRUCTIONS: [&str; 44] = [
    "select one",
    "select one or more",
    "choose one",
    "choose one answer",
    "choose at least one answer",
    "pick one",
    "single choice",
    "multiple choice",
    "select all that apply",
    "choose all that apply",
    "check all that apply",
    "tick all that apply",
    "mark only one oval",
    "one answer only",
    "true or false",
    "select an answer",
    "choose an answer",
    "select the correct answer",
    "choose the correct answer",
    "your answer",
    "answer",
    "multiple answers possible",
    "question",
    "group of answer choices",
    "wählen sie eine antwort",
    "wählen sie eine oder mehrere antworten",
    "bitte auswählen",
    "mehrfachauswahl",
    "einfachauswahl",
    "veuillez choisir une réponse",
    "veuillez choisir au moins une réponse",
    "seleccione una",
    "seleccione una o más de una",
    "elija una",
    "scegli un'alternativa",
    "escolha uma opção",
    "выберите один ответ",
    "выберите один или несколько ответов",
    "اختر واحدا",
    "اختر إجابة واحدة",
    "اختر واحدًا أو أكثر",
    "単一選択",
    "单选题",
    "多选题",
];
/// Beginnings and pieces that ask for a choice.
const ASKING: [&str; 61] = [
    "which",
    "what",
    "who",
    "whom",
    "whose",
    "when",
    "where",
    "why",
    "how",
    "choose",
    "select",
    "identify",
    "find",
    "complete",
    "fill",
    "true or false",
    "calculate",
    "solve",
    "welche",
    "wer",
    "was ",
    "wie",
    "wann",
    "wo ",
    "warum",
    "wählen",
    "qué",
    "cuál",
    "quién",
    "cómo",
    "cuándo",
    "dónde",
    "elige",
    "seleccion",
    "quel",
    "quelle",
    "qui ",
    "que ",
    "comment",
    "combien",
    "choisi",
    "quale",
    "chi ",
    "come",
    "какой",
    "какая",
    "какие",
    "какое",
    "что",
    "кто",
    "сколько",
    "когда",
    "где",
    "выберите",
    "ما ",
    "أي",
    "من ",
    "ποι",
    "τι ",
    "कौन",
    "क्या",
];
/// Signs at the end of a question.
const MARKS: [char; 7] = ['?', '？', '؟', ';', '՞', '⸮', '\u{37E}'];

/// What two options of a true-or-false question are.
const TRUTHS: [(&str, &str); 18] = [
    ("true", "false"),
    ("t", "f"),
    ("wahr", "falsch"),
    ("richtig", "falsch"),
    ("vrai", "faux"),
    ("verdadero", "falso"),
    ("verdadeiro", "falso"),
    ("vero", "falso"),
    ("waar", "onwaar"),
    ("верно", "неверно"),
    ("правда", "ложь"),
    ("صح", "خطأ"),
    ("صواب", "خطأ"),
    ("נכון", "לא נכון"),
    ("正确", "错误"),
    ("正しい", "間違い"),
    ("सही", "गलत"),
    ("σωστό", "λάθος"),
];

/// Returns whether a line only counts, scores or states: "Question 3 of 10", "1 point", "Not yet answered".
pub(super) fn is_badge(line: &str) -> bool {
    let lower = line.to_lowercase();
    let mut words = lower
        .split(|c: char| !c.is_alphabetic() && c != '№')
        .filter(|word| !word.is_empty())
        .peekable();
    if lower.trim().is_empty() || words.peek().is_none() {
        // Numbers and signs alone; a formula such as `1 + 1 = ?` is none of these.
        return !lower.contains(['=', '?', '+', '<', '>', '_', '√', '×']);
    }
    let mut known = words.clone();
    let counts = lower.contains(|c: char| c.is_numeric());
    let short = lower.chars().count() <= 60;
    short
        && known.all(|word| QUESTION.contains(&word) || BADGE.contains(&word))
        && (counts || words.count() <= 5)
        && !lower.contains(MARKS)
}

/// Returns whether a line only tells how to answer.
pub(super) fn is_instruction(line: &str) -> bool {
    let lower = line.to_lowercase();
    let bare = lower.trim().trim_matches(|c: char| !c.is_alphanumeric());
    INSTRUCTIONS.contains(&bare)
}

/// Returns whether a text asks: by its end, by a gap, or by its words.
pub(super) fn ends_as_question(text: &str) -> bool {
    let end = text
        .trim_end()
        .trim_end_matches(['"', '”', '»', ')', '*', ' ', '\'', '’']);
    // A Greek question mark looks like a semicolon, and code ends with one.
    let greek = || text.chars().any(|c| ('\u{370}'..'\u{400}').contains(&c));
    end.ends_with(|c| c != ';' && MARKS.contains(&c)) || (end.ends_with(';') && greek())
}

/// Returns whether some line of a text ends as a question does.
pub(super) fn has_question(text: &str) -> bool {
    text.lines().any(ends_as_question) || text.contains(['？', '؟']) || text.contains("? ")
}

/// Returns whether a text has words that ask for a choice, or a gap to be filled.
pub(super) fn asks(text: &str) -> bool {
    let lower = format!("{} ", text.to_lowercase());
    let starts = |word: &str| lower.starts_with(word) || lower.contains(&format!(" {word}"));
    text.contains("__")
        || text.contains("....")
        || text.contains("……")
        || ASKING.iter().any(|word| starts(word))
}

/// Returns whether two options are those of a true-or-false question.
pub(super) fn are_true_and_false(options: &[String]) -> bool {
    let [a, b] = options else {
        return false;
    };
    let bare = |text: &str| text.trim().trim_end_matches('.').to_lowercase();
    let (a, b) = (bare(a), bare(b));
    TRUTHS
        .iter()
        .any(|(yes, no)| (a == *yes && b == *no) || (a == *no && b == *yes))
}

/// Returns whether a question wants several options.
pub(super) fn wants_several(text: &str) -> bool {
    let lower = text.to_lowercase();
    [
        "choose two",
        "choose three",
        "select two",
        "select three",
        "choose all",
        "select all",
        "all that apply",
        "(two)",
        "pick two",
        "mehrere antworten",
        "zwei antworten",
        "mehrere richtig",
        "plusieurs réponses",
        "deux réponses",
        "dos respuestas",
        "varias respuestas",
        "выберите два",
        "несколько",
        "多选",
        "複数",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// Takes the number, the points and other badges off a question: "Question 3: …", "3) … (2 points)".
pub(super) fn strip_badges(line: &str) -> String {
    let mut text = line.trim();
    loop {
        let before = text;
        text = strip_number(text).trim_start();
        text = strip_points(text).trim_end();
        text = text.trim_end_matches(" *").trim_end();
        if text.ends_with('*') && !text.ends_with("**") && !text.contains("* ") {
            text = text.trim_end_matches('*').trim_end();
        }
        if text == before {
            return text.to_owned();
        }
    }
}

/// Takes "Question 3:", "Q3.", "3)" off the start.
fn strip_number(text: &str) -> &str {
    if let Some(marker) = super::marker::marker(text)
        && marker.style.row == super::marker::NUMBERS
        && marker.style.close != '-'
        && text.len() > marker.len
    {
        return &text[marker.len..];
    }
    let lower = text.to_lowercase();
    let word = QUESTION
        .iter()
        .chain(&["q", "aufgabe", "ejercicio", "exercise", "задание"])
        .find(|word| lower.starts_with(**word));
    let Some(word) = word else {
        return text;
    };
    // Lower case may have another length.
    let Some(rest) = text.get(word.len()..) else {
        return text;
    };
    let rest = rest.trim_start_matches([' ', '\u{A0}', '#', '.', '№']);
    let digits = rest.len() - rest.trim_start_matches(char::is_numeric).len();
    if digits == 0 {
        return text;
    }
    let rest = &rest[digits..];
    // "of 10", "/10"
    let rest = [" of ", " von ", " de ", " sur ", " из ", "/", " / ", " di "]
        .iter()
        .find_map(|of| {
            let after = rest.strip_prefix(of)?;
            let bare = after.trim_start_matches(char::is_numeric);
            (bare.len() < after.len()).then_some(bare)
        })
        .unwrap_or(rest);
    let behind = rest.trim_start_matches([
        ')', '.', ':', '-', '–', '—', ' ', '\u{A0}', '：', '、', '题', '問', '题',
    ]);
    match behind.len() < rest.len() && !behind.is_empty() {
        true => behind,
        false => text,
    }
}

/// Takes "(2 points)", "[1 mark]" off the end.
fn strip_points(text: &str) -> &str {
    let (open, close) = match text.chars().last() {
        Some(')') => ('(', ')'),
        Some(']') => ('[', ']'),
        Some('）') => ('（', '）'),
        _ => return text,
    };
    let Some(start) = text.rfind(open) else {
        return text;
    };
    let inner = text[start..].trim_matches([open, close]);
    let lower = inner.to_lowercase();
    let scores = inner.contains(|c: char| c.is_numeric())
        && [
            "point", "pt", "mark", "punkt", "punt", "балл", "分", "درجة", "نقطة", "pont",
        ]
        .iter()
        .any(|word| lower.contains(word));
    match scores && start > 0 {
        true => &text[..start],
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn badges_are_told_from_questions() {
        for badge in [
            "Question 3",
            "Question 3 of 10",
            "3/10",
            "1 point",
            "Not yet answered",
            "Marked out of 1.00",
            "Flag question",
            "Frage 2",
            "Вопрос 4",
            "2 pts",
            "№ 5",
        ] {
            assert!(is_badge(badge), "{badge}");
        }
        for question in [
            "What is 1?",
            "1 + 1 = ?",
            "Points on a line",
            "The capital of France",
            "x^2 = 4",
        ] {
            assert!(!is_badge(question), "{question}");
        }
    }

    #[test]
    fn numbers_and_points_are_taken_off() {
        for (line, text) in [
            ("Question 3: What is it?", "What is it?"),
            ("3) What? (2 points)", "What?"),
            ("Q12. Who *", "Who"),
            ("Frage 2 von 5 – Was?", "Was?"),
            ("2024 was what?", "2024 was what?"),
            ("What is f(x)?", "What is f(x)?"),
            ("Questions of taste", "Questions of taste"),
            ("1.5 + 1 = ?", "1.5 + 1 = ?"),
        ] {
            assert_eq!(strip_badges(line), text);
        }
    }

    #[test]
    fn true_and_false_in_any_order() {
        let are = |a: &str, b: &str| are_true_and_false(&[a.to_owned(), b.to_owned()]);
        assert!(are("False", "True") && are("Richtig", "Falsch") && are("Верно", "Неверно"));
        assert!(!are("Yes", "Maybe"));
    }
}
