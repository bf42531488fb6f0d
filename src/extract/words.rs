//! The words that quizzes use around their questions, in the languages that quizzes were seen in.

/// "Question", as in "Question 3 of 10".
pub(super) const QUESTION: [&str; 54] = [
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
    "въпрос",
    "問題",
    "問",
    "问题",
    "题目",
    "第",
    "سؤال",
    "السؤال",
    "سوال",
    "שאלה",
    "प्रश्न",
    "প্রশ্ন",
    "ερώτηση",
    "fråga",
    "pytanie",
    "soru",
    "문제",
    "질문",
    "câu",
    "câu hỏi",
    "pitanje",
    "otázka",
    "otazka",
    "kérdés",
    "întrebarea",
    "întrebare",
    "kysymys",
    "spørgsmål",
    "spørsmål",
    "qüestió",
    "soal",
    "soalan",
    "pertanyaan",
    "nomor",
    "sual",
    "klausimas",
    "jautājums",
    "küsimus",
    "ข้อ",
    "vprašanje",
    "питање",
    "ερωτηση",
    "galdera",
];
/// What else stands in a badge: counts, points, states.
const BADGE: [&str; 81] = [
    "题",
    "共",
    "单选题",
    "多选题",
    "判断题",
    "of",
    "max",
    "maximum",
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
    if words.peek().is_none() {
        // A count alone, such as `3`, `3/10`, `(2)`; a row of numbers is one of a table.
        let parts = lower
            .split(|c: char| !c.is_numeric())
            .filter(|part| !part.is_empty())
            .count();
        let signs = lower
            .chars()
            .all(|c| c.is_numeric() || c.is_whitespace() || "()[]/.:#-–—|%*•·,".contains(c));
        return signs && parts <= 2 && (parts != 2 || lower.contains(['/', '|', '.', ',']));
    }
    // "12 answers"
    let counted = lower.starts_with(|c: char| c.is_numeric())
        && words.clone().count() == 1
        && words
            .clone()
            .all(|word| ANSWERS.iter().any(|answer| word.starts_with(answer)));
    if counted && !lower.contains(MARKS) {
        return true;
    }
    // "1 of 2 points (ungraded)"
    let scored = words.clone().count() <= 6
        && has_points(&lower)
        && lower
            .starts_with(|c: char| c.is_numeric() || POINTS.iter().any(|word| word.starts_with(c)));
    if scored && !lower.contains(MARKS) && !lower.contains('=') {
        return true;
    }
    let mut known = words.clone();
    let counts = lower.contains(|c: char| c.is_numeric());
    let short = lower.chars().count() <= 60;
    short
        && known.all(|word| QUESTION.contains(&word) || BADGE.contains(&word))
        && (counts || words.count() <= 5)
        && !lower.contains(MARKS)
}

/// Beginnings of lines that tell how to answer, and words for answers in them.
const CHOOSE: [&str; 58] = [
    "select",
    "choose",
    "pick",
    "check",
    "tick",
    "mark",
    "click",
    "circle",
    "wähle",
    "wählen",
    "bitte wählen",
    "kreuze",
    "kreuzen",
    "markiere",
    "markieren",
    "selecciona",
    "seleccione",
    "elige",
    "elija",
    "marca",
    "marque",
    "escolha",
    "selecione",
    "assinale",
    "choisis",
    "choisissez",
    "cochez",
    "coche",
    "sélectionnez",
    "veuillez",
    "scegli",
    "seleziona",
    "segna",
    "отметьте",
    "отметь",
    "выберите",
    "выбери",
    "укажите",
    "seçiniz",
    "seçin",
    "işaretleyin",
    "işaretleyiniz",
    "اختر",
    "اختاري",
    "בחר",
    "בחרו",
    "选择",
    "請選擇",
    "请选择",
    "選択",
    "선택",
    "चुनिए",
    "सही",
    "επιλέξτε",
    "επίλεξε",
    "pilih",
    "odaberi",
    "vyber",
];
const ANSWERS: [&str; 44] = [
    "answer",
    "option",
    "apply",
    "choice",
    "alternative",
    "antwort",
    "respuesta",
    "opción",
    "opciones",
    "correspondan",
    "réponse",
    "proposition",
    "ответ",
    "вариант",
    "resposta",
    "alternativa",
    "opção",
    "opções",
    "risposta",
    "opzion",
    "cevap",
    "seçenek",
    "إجابة",
    "الإجابات",
    "إجابات",
    "واحد",
    "תשובה",
    "תשובות",
    "答案",
    "答え",
    "回答",
    "選択肢",
    "选项",
    "정답",
    "답을",
    "उत्तर",
    "विकल्प",
    "απάντηση",
    "απαντήσεις",
    "jawaban",
    "odgovor",
    "odpově",
    "odpowied",
    "antwoord",
];

/// Returns whether a line only tells how to answer.
pub(super) fn is_instruction(line: &str) -> bool {
    let lower = line.to_lowercase();
    let bare = lower.trim().trim_matches(|c: char| !c.is_alphanumeric());
    if INSTRUCTIONS.contains(&bare) {
        return true;
    }
    let short = bare.split_whitespace().count() <= 9 && bare.chars().count() <= 70;
    short
        && CHOOSE.iter().any(|word| bare.starts_with(word))
        && ANSWERS.iter().any(|word| bare.contains(word))
        && !lower.contains(MARKS)
        && !has_gap(line)
        // "Choose the option that …", "Select the answer to:" ask for something themselves.
        && !["that", "which", "who", "with", "where", "to ", "for ", "in ", "mit", "que", "qui", "для", "котор", "welche"]
            .iter()
            .any(|word| bare.contains(&format!(" {word}")) && !bare.contains("that apply") && !bare.contains("qui s"))
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

/// Returns whether a text has a gap that is to be filled.
pub(super) fn has_gap(text: &str) -> bool {
    text.contains("__")
        || text.contains("....")
        || text.contains("……")
        || text.contains("---")
        || is_empty_bracket(text)
}

/// Returns whether a text has brackets with nothing in them, as Chinese quizzes do.
fn is_empty_bracket(text: &str) -> bool {
    let mut parts = text.split(['(', '（']).skip(1);
    parts.any(|part| {
        part.trim_start().starts_with([')', '）'])
            && part.starts_with([' ', '\u{A0}', '\u{3000}', '）'])
    }) || text.contains("（）")
}

/// Returns whether a line explains an answer.
pub(super) fn is_explanation(line: &str) -> bool {
    let lower = line.trim_start().to_lowercase();
    let words = [
        "explanation",
        "rationale",
        "feedback",
        "solution:",
        "hint:",
        "reference:",
        "source:",
        "erklärung",
        "begründung",
        "explicación",
        "justificación",
        "explication",
        "spiegazione",
        "explicação",
        "пояснение",
        "объяснение",
        "解析",
        "解説",
        "解答",
        "شرح",
        "التفسير",
        "הסבר",
        "व्याख्या",
        "εξήγηση",
        "açıklama",
        "comentario",
        "commentaire :",
    ];
    words.iter().any(|word| {
        lower.strip_prefix(word).is_some_and(|rest| {
            rest.trim_start().starts_with([':', '：', '.', '-', '–'])
                || rest.is_empty()
                || word.ends_with(':')
        })
    })
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

/// Beginnings of what stands in brackets behind a question and tells how to answer it.
const HOW: [&str; 40] = [
    "select all",
    "choose all",
    "check all",
    "tick all",
    "mark all",
    "select two",
    "select three",
    "choose two",
    "choose three",
    "pick two",
    "select one",
    "choose one",
    "select ",
    "choose ",
    "mehrere antworten",
    "mehrfach",
    "zwei antworten",
    "eine antwort",
    "mehrere richtig",
    "plusieurs réponses",
    "une seule réponse",
    "deux réponses",
    "choisissez",
    "elija",
    "elige",
    "selecciona",
    "seleccione",
    "varias respuestas",
    "scegli",
    "più risposte",
    "escolha",
    "selecione",
    "assinale",
    "выберите",
    "несколько ответов",
    "один ответ",
    "複数選択",
    "多选",
    "单选",
    "birden fazla",
];

/// Takes the sign of a list off an option.
pub(super) fn strip_bullet(option: &str) -> &str {
    let text = option.trim();
    let rest =
        text.trim_start_matches(['•', '·', '●', '○', '◦', '▪', '■', '□', '☐', '◯', '➤', '►']);
    // A dash alone, or with a blank behind it: `-1` is a number, `--help` an option.
    match rest.strip_prefix(['-', '–', '—']) {
        Some(after) if after.is_empty() || after.starts_with(char::is_whitespace) => after.trim(),
        _ => rest.trim(),
    }
}

/// What stands with an option and only says whether it is right, or was chosen.
const VERDICTS: [&str; 22] = [
    "correct answer",
    "correct!",
    "you answered",
    "your answer:",
    "(correct)",
    "(correct answer)",
    "[correct]",
    "(richtig)",
    "(falsch)",
    "(incorrect)",
    "(wrong)",
    "(your answer)",
    "(right)",
    "✓",
    "✔",
    "✅",
    "❌",
    "✗",
    "✘",
    "☑",
    "(правильно)",
    "most voted",
];

/// What the picture beside an option says that is right, and that is not.
const RIGHT: [&str; 22] = [
    "correct",
    "right",
    "richtig",
    "верно",
    "правильно",
    "correcto",
    "correcta",
    "juste",
    "corretto",
    "corretta",
    "correto",
    "goed",
    "doğru",
    "poprawnie",
    "صحيح",
    "נכון",
    "正解",
    "正确",
    "točno",
    "správně",
    "σωστό",
    "benar",
];
const WRONG: [&str; 22] = [
    "incorrect",
    "wrong",
    "falsch",
    "неверно",
    "неправильно",
    "incorrecto",
    "incorrecta",
    "errato",
    "sbagliato",
    "incorreto",
    "errado",
    "fout",
    "yanlış",
    "niepoprawnie",
    "خطأ",
    "שגוי",
    "不正解",
    "错误",
    "netočno",
    "špatně",
    "λάθος",
    "salah",
];

/// Returns whether a picture only says whether an option is right.
pub(super) fn is_verdict(alt: &str) -> bool {
    let lower = alt.trim().to_lowercase();
    says_right(alt)
        || WRONG.contains(&lower.as_str())
        || lower == "partially correct"
        || lower == "teilweise richtig"
}

/// Returns whether a picture says that an option is right.
pub(super) fn says_right(alt: &str) -> bool {
    RIGHT.contains(&alt.trim().to_lowercase().as_str())
}

/// Takes such words off an option.
pub(super) fn strip_verdict(option: &str) -> &str {
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
pub(super) fn strip_tail(line: &str) -> &str {
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
pub(super) fn tells_how(line: &str) -> bool {
    without_how(line.trim_end()).len() < line.trim_end().len()
}

/// Returns a line without such a bracket.
pub(super) fn without_how(line: &str) -> &str {
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
pub(super) fn tells_points(line: &str) -> bool {
    bracket(line.trim_end()).is_some_and(|(inner, _)| scores(inner))
}

fn scores(inner: &str) -> bool {
    inner.chars().count() <= 30 && has_points(inner)
}

/// What scores are counted in.
const POINTS: [&str; 16] = [
    "point",
    "pt",
    "mark",
    "punkt",
    "punt",
    "балл",
    "分",
    "درجة",
    "نقطة",
    "pont",
    "puan",
    "点",
    "점",
    "अंक",
    "μον",
    "bod",
];

fn has_points(text: &str) -> bool {
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

    #[test]
    fn true_and_false_in_any_order() {
        let are = |a: &str, b: &str| are_true_and_false(&[a.to_owned(), b.to_owned()]);
        assert!(are("False", "True") && are("Richtig", "Falsch") && are("Верно", "Неверно"));
        assert!(!are("Yes", "Maybe"));
    }
}
