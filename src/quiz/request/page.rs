//! The fields of a request that name a page: `url` or `html`, `follow`, `render`.

use super::{RequestError, begin, read_switch};
use crate::{
    page::{PageRequest, PageSource},
    quiz::{check::is_blank, json::read_text, node::Node, problem::Problems},
};

/// Longest address in characters: what browsers and servers handle everywhere.
pub const MAX_URL_CHARS: usize = 2_048;

/// The fields as they were found.
#[derive(Default)]
pub(super) struct PageFields {
    pub(super) url: Option<Node>,
    pub(super) html: Option<Node>,
    pub(super) follow: Option<Node>,
    pub(super) render: Option<Node>,
}

impl PageFields {
    /// Returns whether one of them names a page.
    pub(super) const fn name_a_page(&self) -> bool {
        self.url.is_some() || self.html.is_some()
    }

    /// Returns the names of those that say how a page is read.
    pub(super) fn switches(&self) -> impl Iterator<Item = &'static str> {
        let switches = [("follow", &self.follow), ("render", &self.render)];
        switches
            .into_iter()
            .filter_map(|(name, node)| node.is_some().then_some(name))
    }

    /// Reads the page they name; every problem is noted, and then what is returned is of no use.
    pub(super) fn read(self, problems: &mut Problems) -> Option<PageRequest> {
        let follow = read_switch(self.follow, "follow", false, problems);
        let render = read_switch(self.render, "render", false, problems);
        let source = match (self.url, self.html) {
            (Some(url), _) => {
                let url = read_text(url, "url", problems)?;
                match check_url(&url) {
                    Ok(url) => PageSource::Url(url),
                    Err(problem) => {
                        problems.add("url", problem);
                        return None;
                    }
                }
            }
            (None, Some(html)) => {
                let html = read_text(html, "html", problems)?;
                if is_blank(&html) {
                    problems.add("html", "must not be blank");
                    return None;
                }
                PageSource::Html(html)
            }
            (None, None) => return None,
        };
        Some(PageRequest {
            source,
            follow,
            render,
        })
    }
}

/// Returns the address as a browser writes it, or what is wrong with it. Whether it may be visited is asked later.
///
/// # Errors
/// What is wrong, to follow the name of the field.
pub fn check_url(text: &str) -> Result<String, String> {
    let chars = text.chars().count();
    if chars > MAX_URL_CHARS {
        return Err(format!(
            "must have at most {MAX_URL_CHARS} characters, has {chars}"
        ));
    }
    let example = "such as https://quiz.example/page";
    let url = url::Url::parse(text.trim())
        .map_err(|error| format!("must be a whole web address, {example}: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("must be an http or https address, {example}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "must not carry a user name or password: pages behind a login cannot be read".into(),
        );
    }
    Ok(url.into())
}

/// Returns the page that the JSON in `body` names (`POST /api/scrape`).
///
/// # Errors
/// Every problem of the body, see [`RequestError`].
pub fn parse_page_request(body: &[u8]) -> Result<PageRequest, RequestError> {
    let known = ["url", "html", "follow", "render"];
    let ([url, html, follow, render], mut problems) =
        begin(body, r#"{"url":"https://quiz.example/page"}"#, known)?;
    if url.is_some() == html.is_some() {
        problems.add("body", "must have exactly one of url and html");
    }
    let fields = PageFields {
        url,
        html,
        follow,
        render,
    };
    match fields.read(&mut problems) {
        Some(page) if problems.is_empty() => Ok(page),
        _ => Err(RequestError::InvalidRequest(problems.into_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quiz::problem::Problem;

    fn told(body: &str) -> Vec<String> {
        let error = parse_page_request(body.as_bytes()).unwrap_err();
        error.problems().iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_page_is_named_by_its_address_or_is_there() {
        let page = parse_page_request(br#"{"url":" HTTPS://Quiz.Example/a b ","follow":true}"#);
        let expected = PageRequest {
            source: PageSource::Url("https://quiz.example/a%20b".into()),
            follow: true,
            render: false,
        };
        assert_eq!(page, Ok(expected));
        let page = parse_page_request(br#"{"html":"<p>","render":true}"#).unwrap();
        assert_eq!(page.source, PageSource::Html("<p>".into()));
        assert!(page.render && !page.follow);
    }

    #[test]
    fn every_problem_is_listed() {
        assert_eq!(
            told(r#"{"url":"ftp://quiz.example/","follow":1,"fallow":true}"#),
            [
                "fallow is not a known field; did you mean follow?",
                "follow must be true or false, is a number",
                "url must be an http or https address, such as https://quiz.example/page",
            ]
        );
        assert_eq!(told("{}"), ["body must have exactly one of url and html"]);
        assert!(told("[]")[0].starts_with("body must be an object such as"));
        assert_eq!(told(r#"{"html":" \n"}"#), ["html must not be blank"]);
    }

    #[test]
    fn addresses_that_no_browser_should_see_are_refused() {
        for (url, problem) in [
            ("quiz.example", "a whole web address"),
            ("javascript:alert(1)", "http or https"),
            ("file:///etc/passwd", "http or https"),
            ("view-source:https://a.example", "http or https"),
            ("http://user:secret@quiz.example/", "user name or password"),
            ("http://", "a whole web address"),
            (
                &format!("http://a.example/{}", "a".repeat(MAX_URL_CHARS)),
                "at most 2048",
            ),
        ] {
            let told = check_url(url).unwrap_err();
            assert!(told.contains(problem), "{url}: {told}");
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
