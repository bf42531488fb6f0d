//! Which addresses belong together.

use url::{Host, Url};

/// Returns whether two addresses belong to one site: the same name, or the same registered domain.
///
/// The registered domain is taken to be the last two labels, three where the last two look like `co.uk`. Where that is
/// wrong, a page gets to show a frame that it has embedded itself.
pub(crate) fn same_site(a: &Url, b: &Url) -> bool {
    let (Some(host), Some(other)) = (a.host(), b.host()) else {
        return false;
    };
    match (host, other) {
        (Host::Domain(host), Host::Domain(other)) => registered(host) == registered(other),
        (host, other) => host == other,
    }
}

fn registered(host: &str) -> &str {
    let labels: Vec<_> = host.trim_end_matches('.').rsplit('.').collect();
    let second_level = [
        "ac", "co", "com", "edu", "gob", "gov", "net", "or", "org", "sch", "school",
    ];
    let count = match labels.as_slice() {
        [top, second, ..] if top.len() == 2 && second_level.contains(second) => 3,
        _ => 2,
    };
    let length: usize = labels.iter().take(count).map(|label| label.len() + 1).sum();
    let host = host.trim_end_matches('.');
    &host[host.len().saturating_sub(length.saturating_sub(1))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_registered_domains() {
        let same = |a: &str, b: &str| same_site(&Url::parse(a).unwrap(), &Url::parse(b).unwrap());
        assert!(same("https://quiz.example/", "http://quiz.example:8080/x"));
        assert!(same(
            "https://a.school.example",
            "https://b.c.school.example"
        ));
        assert!(same("https://a.school.co.uk", "https://school.co.uk"));
        assert!(
            same("http://127.0.0.1/", "http://127.0.0.1:81/")
                && same("http://localhost/", "http://localhost:1/")
        );
        assert!(
            !same("https://a.co.uk", "https://b.co.uk")
                && !same("https://a.example", "https://a.test")
        );
        assert!(
            !same("http://127.0.0.1/", "http://127.0.0.2/")
                && !same("http://1.0.0.1/", "http://0.1/")
        );
        assert!(!same("data:text/html,x", "https://a.example"));
    }
}
