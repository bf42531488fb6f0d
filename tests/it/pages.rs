//! The pages of `tests/pages`, as they are and in a real Chromium: how much of them is found, and how often something is
//! found where nothing is.

#[path = "../../examples/score_pages/score.rs"]
mod score;

use crate::support::{Site, site::Answer, visitor_with_browser};
use futures_util::{StreamExt as _, stream};
use quiz_stats::{
    extract::{Snapshot, extract},
    quiz::Question,
};
use score::{Page, Total};
use serde_json::json;
use std::{fs, path::Path};

/// Least mean F1 over the pages with a quiz.
const LEAST_F1: f64 = 0.9;
/// Pages that are read at once.
const AT_ONCE: usize = 4;
/// One page in so many may seem to hold a quiz when it does not.
const FALSE_PAGES_ONE_IN: usize = 20;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pages"))
}

fn pages() -> Vec<Page> {
    let pages = Page::all(folder()).unwrap();
    assert!(pages.len() > 60, "there are {} pages", pages.len());
    pages
}

fn judge(total: &Total) {
    println!("{total}");
    assert!(total.f1() >= LEAST_F1, "{total}");
    let (without, wrong) = total.without_quiz();
    assert!(wrong * FALSE_PAGES_ONE_IN <= without, "{total}");
}

#[test]
fn enough_is_found_in_plain_markup() {
    let mut total = Total::default();
    for page in pages().iter().filter(|page| !page.is_rendered_only()) {
        let markup = String::from_utf8_lossy(&fs::read(&page.file).unwrap()).into_owned();
        total.add(page.score(&extract(&Snapshot::of_html(&markup, None)).questions));
    }
    judge(&total);
}

#[tokio::test]
async fn enough_is_found_in_chromium() {
    let site = Site::start(|visit| {
        let path = visit.path.trim_start_matches('/');
        let media = match path.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            _ => "application/json",
        };
        match fs::read_to_string(folder().join(path)) {
            Ok(text) => Answer::page(text).header("content-type", media),
            Err(_) => Answer::status(404),
        }
    })
    .await;
    let Some(setup) = visitor_with_browser(&[&site]) else {
        return;
    };
    let server = setup.bind().await;
    let pages = pages();
    let read = async |page: &Page| {
        let path = page.file.strip_prefix(folder()).unwrap().display();
        let asked = json!({ "url": site.url(&format!("/{path}")), "render": true });
        let answer = server.post("/api/scrape", &asked).await.json();
        if answer["status"] != "success" {
            assert_eq!(
                answer["code"], "no_questions_found",
                "{}: {answer}",
                page.name
            );
            return page.score(&[]);
        }
        let found: Vec<Question> = serde_json::from_value(answer["questions"].clone()).unwrap();
        page.score(&found)
    };
    let mut total = Total::default();
    let mut scores = stream::iter(&pages).map(read).buffer_unordered(AT_ONCE);
    while let Some(score) = scores.next().await {
        total.add(score);
    }
    judge(&total);
}
