use super::*;
use crate::fuzzing::sound;
use proptest::prelude::*;

fn of(html: &str) -> Vec<Question> {
    extract(&Snapshot::of_html(html, None)).questions
}

fn one(html: &str) -> Question {
    let mut questions = of(html);
    assert_eq!(questions.len(), 1, "{questions:?}");
    questions.remove(0)
}

#[test]
fn radios_with_a_legend() {
    let question = one(
        "<h1>Quiz</h1><form><fieldset><legend>1. What is red? (2 points)</legend>\
        <label><input type=radio name=a> A. Grass</label><label><input type=radio name=a> B. Blood</label></fieldset></form>",
    );
    assert_eq!(question.text, "What is red?");
    assert_eq!(question.options, ["Grass", "Blood"]);
    assert_eq!(question.kind, Kind::Single);
}

#[test]
fn bare_text_behind_radios_without_wrappers() {
    let questions = of(
        "<h1>Test</h1><p>1. What is red?</p><input type=radio name=a>Grass<br><input type=radio name=a>Blood<br>\
        <p>2. What is green?</p><input type=radio name=b>Grass<br><input type=radio name=b>Blood",
    );
    let texts: Vec<_> = questions.iter().map(|q| q.text.as_str()).collect();
    assert_eq!(texts, ["What is red?", "What is green?"]);
    assert_eq!(questions[1].options, ["Grass", "Blood"]);
}

#[test]
fn a_login_has_no_question() {
    assert!(of("<form><input name=user><input type=password><input type=radio name=r id=a><label for=a>Remember me</label>\
        <input type=radio name=r id=b><label for=b>Forget me</label></form>").is_empty());
}

#[test]
fn keys_that_the_page_reveals() {
    let question = one(
        "<h1>Quiz</h1><p>What is red?</p><ul><li data-correct=false><label><input type=radio name=a>Grass</label>\
        <li data-correct=true><label><input type=radio name=a>Blood</label></ul>",
    );
    assert_eq!(question.correct, Some(vec![2]));
    let question = one(
        "<div class=que><div class=qtext>Which?</div><div class=answer><div><input type=checkbox id=x><label for=x>a. One</label></div>\
        <div><input type=checkbox id=y><label for=y>b. Two</label></div></div><div class=feedback>The correct answers are: One, Two</div></div>",
    );
    assert_eq!(
        (question.correct, question.kind),
        (Some(vec![1, 2]), Kind::Multiple)
    );
}

#[test]
fn questions_that_are_hidden_are_told() {
    let found = extract(&Snapshot::of_html(
        "<h1>Quiz</h1><div><p>What is red?</p><label><input type=radio name=a>Grass</label><label><input type=radio name=a>Blood</label></div>\
        <div hidden><p>What is blue?</p><label><input type=radio name=b>Sky</label><label><input type=radio name=b>Blood</label></div><button>Next</button>",
        None,
    ));
    assert_eq!(found.questions.len(), 1);
    assert!(found.hidden_questions && found.next.is_some());
}

#[test]
fn buttons_of_a_quiz_are_options() {
    let question = one(
        "<h1>Quiz</h1><div class=quiz><h2>What is red?</h2><div><button class=o>Grass</button><button class=o>Blood</button></div><button>Next</button></div>",
    );
    assert_eq!(question.options, ["Grass", "Blood"]);
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<p>1. What is it?",
        "<input type=radio name=a>",
        "<input type=checkbox>",
        "<label for=x>",
        "a) b",
        "B. c",
        "C) d",
        "</div>",
        "<div>",
        "<div class=que>",
        "<fieldset>",
        "<legend>",
        "<table><tr><td>",
        "<select><option>x<option>y</select>",
        "<button>No</button>",
        "Answer: B",
        "<math><mfrac>",
        "\\(x^2",
        "<ol type=a><li>",
        "<div hidden>",
        "<sup>",
        "<pre>",
        "é\u{301}",
        "\u{202E}",
        "<img alt=x>",
        "?",
        "<span class=katex>",
        "<div role=radio aria-checked=true>",
        "<style>.a{display:none}</style>",
        "</form>",
        "<form>",
        "İ) ",
        "ẞ",
        "\u{0}",
    ]);
    prop::collection::vec(prop_oneof![piece.prop_map(str::to_owned), ".{0,12}"], 0..60)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_markup_gives_sound_questions_or_none(html in pieces()) {
        sound(&extract(&Snapshot::of_html(&html, None)));
    }

    #[test]
    fn any_mutated_snapshot_gives_sound_questions_or_none(html in pieces(), moves in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), -3_i64..60, any::<u8>()), 0..20)) {
        let mut page = Snapshot::of_html(&html, None);
        for (a, b, parent, flags) in moves {
            if page.nodes.is_empty() {
                break;
            }
            let (a, b) = (a.index(page.nodes.len()), b.index(page.nodes.len()));
            page.nodes.swap(a, b);
            page.nodes[a].parent = parent;
            page.nodes[b].flags = flags;
        }
        sound(&extract(&page));
    }
}

#[test]
fn a_label_around_a_page_of_controls_labels_none() {
    let options = "<input type=radio name=a>".repeat(2_000);
    let html = format!("<h1>Quiz</h1><p>1. What is it?</p><label>{options}</label>");
    assert!(
        extract(&Snapshot::of_html(&html, None))
            .questions
            .is_empty()
    );
}

#[test]
fn titles_are_one_harmless_line() {
    let title = |told: &str| {
        extract(&Snapshot {
            title: told.to_owned(),
            ..Snapshot::default()
        })
        .title
    };
    assert_eq!(
        title(" A \n quiz\u{1b}[31m\u{202e} ").as_deref(),
        Some("A quiz[31m")
    );
    assert_eq!(title("\u{7}"), None);
    assert_eq!(title(&"x".repeat(1_000)).unwrap().len(), 300);
}
