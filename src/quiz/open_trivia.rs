//! Open Trivia DB's JSON: `{"response_code":0,"results":[{"question":…,"correct_answer":…,"incorrect_answers":[…]}]}`.
//!
//! Texts carry HTML's character references, the API's default encoding. The right answer stands apart from the others; here
//! the options are sorted, so that its place says nothing.

use super::{
    Kind, Question,
    file::{Parsed, Reading},
    html,
    json::{fields, missing, read_list, read_text, syntax_problem},
    node::Node,
    problem::Problems,
};

/// Returns the questions in `text`, and every problem with the path of what is wrong.
pub fn parse(text: &str) -> Parsed {
    let mut reading = Reading::default();
    match serde_json::from_str(text) {
        Ok(Node::Map(entries)) => results(entries, &mut reading),
        Ok(other) => {
            reading.problems.add(
                "file",
                format_args!("must be an object with results, is {}", other.noun()),
            );
        }
        Err(error) => {
            let problem = syntax_problem(&error);
            reading.problems.add(problem.path, problem.problem);
        }
    }
    reading.done()
}

/// Returns whether `text`, which is JSON, looks like one of these.
pub(super) fn is_in(text: &str) -> bool {
    text.contains("\"incorrect_answers\"") && text.contains("\"results\"")
}

fn results(entries: Vec<(String, Node)>, reading: &mut Reading) {
    let known = ["results", "response_code", "token"];
    let [results, ..] = fields(entries, known, "", &mut reading.problems);
    let Some(Node::List(list)) = results else {
        reading
            .problems
            .add("results", "must be an array of questions");
        return;
    };
    for (index, node) in list.into_iter().enumerate() {
        let path = format!("results[{index}]");
        let mut problems = Problems::default();
        let question = question(node, &path, &mut problems);
        reading.keep_nth(question, index, &path, problems);
    }
}

fn question(node: Node, path: &str, problems: &mut Problems) -> Option<Question> {
    let Node::Map(entries) = node else {
        problems.add(
            path,
            format_args!(
                "must be an object with question, correct_answer and incorrect_answers, is {}",
                node.noun()
            ),
        );
        return None;
    };
    let known = [
        "question",
        "correct_answer",
        "incorrect_answers",
        "type",
        "category",
        "difficulty",
        "comment",
    ];
    let [text, right, wrong, ..] = fields(entries, known, path, problems);
    let text_at = |node: Option<Node>, name: &str, problems: &mut Problems| match node {
        Some(node) => read_text(node, format_args!("{path}.{name}"), problems),
        None => missing(format_args!("{path}.{name}"), problems),
    };
    let text = text_at(text, "question", problems);
    let right = text_at(right, "correct_answer", problems);
    let wrong = match wrong {
        Some(node) => {
            let path = format!("{path}.incorrect_answers");
            read_list(
                node,
                &path,
                "strings",
                |node, path, problems| read_text(node, path, problems),
                problems,
            )
        }
        None => missing(format_args!("{path}.incorrect_answers"), problems),
    };
    let (text, right, wrong) = (html::text(&text?), html::text(&right?), wrong?);
    let mut options: Vec<String> = wrong
        .iter()
        .map(|option| html::text(option))
        .chain([right.clone()])
        .collect();
    let statement = options.len() == 2
        && options
            .iter()
            .all(|option| option == "True" || option == "False");
    match statement {
        true => options.sort_unstable_by(|a, b| b.cmp(a)),
        false => options.sort_unstable(),
    }
    let at = options.iter().position(|option| *option == right)?;
    Some(Question {
        text,
        options,
        kind: if statement {
            Kind::TrueFalse
        } else {
            Kind::Single
        },
        correct: Some(vec![u32::try_from(at + 1).unwrap_or(u32::MAX)]),
        id: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_and_the_key_has_no_place_of_its_own() {
        let parsed = parse(
            r#"{"response_code":0,"results":[
              {"type":"multiple","difficulty":"easy","category":"Science &amp; Nature","question":"Who wrote &quot;Faust&quot;?",
               "correct_answer":"Goethe","incorrect_answers":["Schiller","Bj&ouml;rnson","D&uuml;rrenmatt"]},
              {"type":"boolean","difficulty":"easy","category":"x","question":"Ice floats.","correct_answer":"True","incorrect_answers":["False"]}]}"#,
        );
        assert_eq!(parsed.problems, []);
        let [first, second] = &parsed.questions[..] else {
            panic!()
        };
        assert_eq!(first.text, "Who wrote \"Faust\"?");
        assert_eq!(
            (first.options.as_slice(), &first.correct),
            (
                &[
                    "Björnson".to_owned(),
                    "Dürrenmatt".into(),
                    "Goethe".into(),
                    "Schiller".into()
                ][..],
                &Some(vec![3])
            )
        );
        assert_eq!(
            (second.kind, &second.correct, second.options[0].as_str()),
            (Kind::TrueFalse, &Some(vec![1]), "True")
        );
    }

    #[test]
    fn the_good_part_is_kept_and_the_rest_is_told() {
        let parsed = parse(
            r#"{"results":[{"question":"Q?","correct_answer":"a","incorrect_answers":[]},{"question":"R?","correct_answer":"a","incorrect_answers":["b"]},7]}"#,
        );
        assert_eq!(parsed.questions.len(), 1);
        assert_eq!(parsed.problems.len(), 2, "{:?}", parsed.problems);
        assert!(
            parsed.problems[0].path.starts_with("results[0]"),
            "{:?}",
            parsed.problems
        );
    }
}
