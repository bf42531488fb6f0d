//! What a page as a whole is: its title and headings, and the forms on it.

use super::{
    formula,
    lines::is_aside,
    snapshot::Tree,
    text::{self, PLAIN, Reading},
};

/// Words in titles and headings of pages with a quiz.
const TITLES: [&str; 52] = [
    "quiz",
    "test",
    "exam",
    "exams",
    "questions",
    "trivia",
    "assessment",
    "exercise",
    "exercises",
    "practice",
    "mcq",
    "mcqs",
    "quizzes",
    "pretest",
    "posttest",
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
    "qcm",
    "kviz",
    "kvíz",
    "kuis",
    "ujian",
    "latihan",
    "soal",
    "sınav",
    "тест",
    "тесты",
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
    "τεστ",
    "퀴즈",
];
/// Words in titles and headings of pages whose questions are for something else.
const OTHER_TITLES: [&str; 46] = [
    "survey",
    "poll",
    "register",
    "registration",
    "login",
    "checkout",
    "order",
    "settings",
    "preferences",
    "application",
    "apply",
    "cookie",
    "subscribe",
    "booking",
    "contact",
    "feedback",
    "generator",
    "umfrage",
    "bestellung",
    "anmeldung",
    "einstellungen",
    "encuesta",
    "inscripción",
    "sondage",
    "inscription",
    "commande",
    "sondaggio",
    "iscrizione",
    "опрос",
    "анкета",
    "регистрация",
    "アンケート",
    "调查",
    "问卷",
    "설문",
    "anket",
    "ankieta",
    "enquête",
    "policy",
    "terms",
    "agreement",
    "faq",
    "glossary",
    "bibliography",
    "catalogue",
    "recipe",
];
/// Beginnings of what a form's button says that takes no answers.
const OTHER_SUBMITS: [&str; 40] = [
    "save",
    "apply",
    "filter",
    "register",
    "sign",
    "log",
    "subscribe",
    "order",
    "generate",
    "search",
    "accept",
    "buy",
    "add to",
    "create",
    "join",
    "book",
    "pay",
    "place",
    "update",
    "send application",
    "send feedback",
    "vote",
    "speichern",
    "anwenden",
    "anmelden",
    "bestellen",
    "suchen",
    "enregistrer",
    "rechercher",
    "commander",
    "s'inscrire",
    "guardar",
    "buscar",
    "enviar",
    "сохранить",
    "зарегистрироваться",
    "найти",
    "войти",
    "salva",
    "kaydet",
];

/// See the module.
#[derive(Debug)]
pub(super) struct Scene {
    is_quiz: bool,
    is_other: bool,
}

impl Scene {
    pub(super) fn of(tree: &Tree<'_>, title: &str) -> Self {
        let is_heading = |at: &usize| {
            matches!(tree.tag(*at), "h1" | "h2")
                && !tree.is_hidden(*at)
                && !tree.with_ancestors(*at).any(|outer| is_aside(tree, outer))
        };
        let mut texts = vec![title.to_lowercase()];
        texts.extend(
            (0..tree.nodes.len())
                .filter(is_heading)
                .map(|at| formula::raw(tree, at).to_lowercase()),
        );
        let has = |text: &String, words: &[&str]| {
            let mut own = text.split(|c: char| !c.is_alphanumeric());
            own.any(|word| words.contains(&word))
                || words
                    .iter()
                    .any(|word| !word.is_ascii() && text.contains(word))
        };
        // The title and the first heading are about the whole page, the others about parts of it.
        let is_empty = |text: &&String| text.trim().is_empty();
        let first = texts.iter().skip(1).find(|text| !is_empty(text));
        let of_page =
            |words: &[&str]| has(&texts[0], words) || first.is_some_and(|text| has(text, words));
        let is_other = of_page(&OTHER_TITLES);
        Self {
            is_quiz: of_page(&TITLES) || (!is_other && texts.iter().any(|text| has(text, &TITLES))),
            is_other,
        }
    }

    /// Returns whether the page calls itself a quiz.
    pub(super) const fn is_quiz(&self) -> bool {
        self.is_quiz && !self.is_other
    }

    /// Weighs what the page calls itself.
    pub(super) fn score(&self) -> i32 {
        2 * i32::from(self.is_quiz && !self.is_other)
            - 4 * i32::from(self.is_other && !self.is_quiz)
            - i32::from(self.is_other && self.is_quiz)
    }

    /// Weighs the other fields, and the buttons, of the form that an element stands in.
    pub(super) fn form_score(&self, tree: &Tree<'_>, at: usize) -> i32 {
        let Some(form) = tree.with_ancestors(at).find(|&at| tree.tag(at) == "form") else {
            return 0;
        };
        let fields = (form..tree.end(form))
            .filter(|&at| is_personal_field(tree, at))
            .count();
        let mut score = match fields {
            0 => 0,
            1 => -2,
            _ => -4,
        };
        let reading = Reading {
            buttons: true,
            ..PLAIN
        };
        let submits = (form..tree.end(form)).filter(|&at| {
            !tree.is_hidden(at)
                && match tree.tag(at) {
                    "button" => !matches!(tree.attribute(at, "type"), "button" | "reset"),
                    "input" => tree.attribute(at, "type").eq_ignore_ascii_case("submit"),
                    _ => false,
                }
        });
        let says: Vec<_> = submits
            .map(|at| match tree.tag(at) {
                "input" => tree.attribute(at, "value").trim().to_lowercase(),
                _ => text::of(tree, at, reading).to_lowercase(),
            })
            .collect();
        if says
            .iter()
            .any(|text| OTHER_SUBMITS.iter().any(|word| text.starts_with(word)))
        {
            score -= 3;
        }
        score
    }
}

/// Returns whether a field asks a person for a name, an address, a password, a term to search for.
fn is_personal_field(tree: &Tree<'_>, at: usize) -> bool {
    let kind = tree.attribute(at, "type").to_lowercase();
    let is_text = tree.tag(at) == "textarea"
        || (tree.tag(at) == "input" && matches!(kind.as_str(), "" | "text"));
    let is_personal = tree.tag(at) == "input"
        && matches!(
            kind.as_str(),
            "password" | "email" | "tel" | "search" | "url" | "date" | "file" | "number" | "range"
        );
    (is_personal || is_text) && !tree.is_hidden(at)
}
