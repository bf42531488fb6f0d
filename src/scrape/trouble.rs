//! Why a page was not read, in words that say what to do and never what a name resolves to.

use crate::{
    egress::{Fault, Gate},
    page::{BlockReason, FailReason, PageError},
};
use reqwest::Url;

/// Returns what kept a gate from reaching the host of `url`, if anything did.
pub(super) fn fault(gate: &Gate, url: &Url) -> Option<PageError> {
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    Some(match gate.meter().fault(host, port)? {
        Fault::Blocked => blocked(url),
        Fault::Tracker => {
            let told = format!(
                "{} only measures or advertises, and is never visited",
                name(url)
            );
            PageError::Blocked(BlockReason::Address, told)
        }
        Fault::Dns => unknown_name(url),
        Fault::Refused => broken(url),
        Fault::Timeout => failed(
            FailReason::Timeout,
            format!("{} does not answer in time", name(url)),
        ),
    })
}

pub(super) fn blocked(url: &Url) -> PageError {
    let told = format!(
        "{} may not be visited from here: only public addresses on the ports of egress.ports, and the domains of \
         egress.allowed_domains where those are set; a site in your own network goes into egress.allowed_addresses",
        name(url)
    );
    PageError::Blocked(BlockReason::Address, told)
}

pub(super) fn unknown_name(url: &Url) -> PageError {
    failed(
        FailReason::Dns,
        format!("{} is not a known name: is the address right?", name(url)),
    )
}

pub(super) fn robots(url: &Url) -> PageError {
    let told = format!(
        "the robots.txt of {} does not want this page to be read by programs: save the page and send its HTML",
        name(url)
    );
    PageError::Blocked(BlockReason::Robots, told)
}

pub(super) fn no_robots(url: &Url) -> PageError {
    let told = format!(
        "{} cannot say now whether its pages may be read, as its robots.txt fails: try again later",
        name(url)
    );
    PageError::Blocked(BlockReason::Robots, told)
}

pub(super) fn status(url: &Url, status: u16) -> PageError {
    let hint = match status {
        401 | 403 | 407 => ": it may need a login; save the page and send its HTML",
        404 | 410 => ": is the address right?",
        429 => ": it wants to be asked less often",
        _ => "",
    };
    failed(
        FailReason::HttpStatus,
        format!("{} answered {status}{hint}", name(url)),
    )
}

pub(super) fn not_a_page(url: &Url, media: &str) -> PageError {
    let what = match media.is_empty() {
        true => "no web page".to_owned(),
        false => format!("{media}, no web page"),
    };
    failed(
        FailReason::NotAPage,
        format!(
            "{} sent {what}: download it and send the quiz file itself, or name the page that shows the questions",
            name(url)
        ),
    )
}

pub(super) fn too_slow(url: &Url) -> PageError {
    failed(
        FailReason::Timeout,
        format!(
            "{} took too long: try again, or save the page and send its HTML",
            name(url)
        ),
    )
}

pub(super) fn too_large(url: &Url) -> PageError {
    let told = format!(
        "the page of {} loads more than scraper.max_page_bytes or scraper.max_page_requests allow: save it and send its HTML",
        name(url)
    );
    failed(FailReason::TooLarge, told)
}

pub(super) fn untrusted(url: &Url) -> PageError {
    failed(
        FailReason::Tls,
        format!("the certificate of {} cannot be trusted", name(url)),
    )
}

pub(super) fn broken(url: &Url) -> PageError {
    failed(
        FailReason::Refused,
        format!("{} cannot be reached, or breaks the connection", name(url)),
    )
}

pub(super) fn too_many_redirects(url: &Url) -> PageError {
    failed(
        FailReason::Redirects,
        format!("{} redirects without end", name(url)),
    )
}

pub(super) fn failed(reason: FailReason, told: String) -> PageError {
    PageError::Failed(reason, told)
}

/// Returns what the page is called in messages.
fn name(url: &Url) -> &str {
    match url.host_str() {
        Some("markup.invalid") | None => "the page",
        Some(host) => host,
    }
}
