//! The pages and what they load, embedded in the binary.

use super::{
    describe,
    error::ApiError,
    request::lists,
    respond::{Body, bytes, full, json, set},
    router::Call,
};
use crate::{actors::tree::Role, hex::Hex};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json as value};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::LazyLock,
};
/// Scripts, styles and connections of this server only; nothing inline.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'";

/// What a process offers that does more than read pages.
const BACKEND_ENDPOINTS: [(&str, &str); 13] = [
    ("analyze", "POST /api/analyze"),
    ("audit", "POST /api/audit"),
    (
        "analyses",
        "GET /api/analyses, GET or DELETE /api/analyses/{id}",
    ),
    ("channel", "GET /api/channels/{channel}"),
    ("display", "POST /api/channels/{channel}/display"),
    ("control", "POST /api/channels/{channel}/control"),
    ("tickets", "POST /api/tickets"),
    ("backup", "GET /api/backup"),
    ("websocket", "GET /ws?channel={channel}"),
    ("events", "GET /events?channel={channel}"),
    ("stage", "GET /stage/{channel}"),
    ("overlay", "GET /overlay/{channel}"),
    ("console", "GET /console?channel={channel}"),
];

/// What there is.
#[derive(Serialize, JsonSchema)]
pub(super) struct Index {
    /// `quiz-stats`
    name: &'static str,
    /// The program's version.
    version: &'static str,
    /// Where this is described.
    documentation: &'static str,
    /// Methods and paths, by what they are for.
    endpoints: BTreeMap<&'static str, &'static str>,
}

/// A file as it is sent.
pub(super) struct Asset {
    content_type: &'static str,
    content: Bytes,
    etag: String,
}

impl Asset {
    pub(super) fn json(path: &str, value: &Value) -> Self {
        Self::new(path, value.to_string().into())
    }

    fn new(path: &str, content: Bytes) -> Self {
        let digest = Sha256::digest(&content);
        Self {
            content_type: content_type(path),
            content,
            etag: format!("\"{}\"", Hex(&digest[..8])),
        }
    }
}

macro_rules! embed {
    ($($path:literal)*) => {
        [$(($path, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/", $path)).as_slice())),*]
    };
}

static ASSETS: LazyLock<HashMap<&'static str, Asset>> = LazyLock::new(|| {
    let files = embed!(
        "console.css" "console.html" "docs.css" "docs.html" "forms.css" "icon.svg" "overlay.css" "overlay.html" "panel.css" "rail.css" "show.css" "stage.css" "stage.html" "start.css"
        "start.html" "js/address.js" "js/analyses.js" "js/answers.js" "js/api.js" "js/clock.js" "js/console.js" "js/dial.js" "js/docs.js"
        "js/file.js" "js/host.js" "js/look.js" "js/order.js" "js/overlay.js" "js/panel.js" "js/rail.js" "js/scene.js" "js/show.js"
        "js/spent.js" "js/stage.js" "js/start.js" "js/stream.js" "js/strings.js" "js/timeline.js" "js/words.js"
    );
    files
        .into_iter()
        .map(|(path, content)| (path, Asset::new(path, Bytes::from_static(content))))
        .collect()
});

/// Returns the files of the languages by their name below `/assets/lang/`; `index.json` lists their tags.
///
/// # Errors
/// When a file in `folder` cannot be used.
pub(super) fn languages(folder: Option<&Path>) -> anyhow::Result<HashMap<String, Asset>> {
    let languages = super::languages::load(folder)?;
    let index = value!(languages.keys().collect::<Vec<_>>()).to_string();
    let files = languages
        .into_iter()
        .chain([("index".to_owned(), index)])
        .map(|(tag, text)| (format!("{tag}.json"), text));
    Ok(files
        .map(|(name, text)| {
            let asset = Asset::new(&name, Bytes::from(text));
            (name, asset)
        })
        .collect())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        _ => "image/svg+xml",
    }
}

/// `/`: a start page for browsers, a description for programs.
pub(super) fn root(call: &Call) -> Response<Body> {
    if lists(call.request.headers(), header::ACCEPT, "text/html")
        && let Some(page) = ASSETS.get("start.html")
    {
        return serve(call, page, true);
    }
    let mut endpoints = BTreeMap::from([
        ("scrape", "POST /api/scrape"),
        ("health", "GET /health, /livez, /readyz"),
        ("version", "GET /version"),
        ("description", "GET /openapi.json, /docs"),
    ]);
    if call.context.pipeline.settings.metrics.bind.is_none() {
        endpoints.insert("metrics", "GET /metrics");
    }
    if call.context.pipeline.role == Role::All {
        endpoints.extend(BACKEND_ENDPOINTS);
    }
    let answer = Index {
        name: "quiz-stats",
        version: crate::version::VERSION,
        documentation: "/docs",
        endpoints,
    };
    json(StatusCode::OK, &answer)
}

/// A page of one channel; the page itself reads the channel from its address.
pub(super) fn page(call: &Call, name: &'static str) -> Result<Response<Body>, ApiError> {
    super::channels::channel(call)?;
    let page = ASSETS.get(name).expect("the pages are embedded");
    // Only the overlay is meant to be inside something else.
    Ok(serve(call, page, name != "overlay.html"))
}

/// A page that is the same for all channels: its script reads the channel from the query, if it needs one.
pub(super) fn general_page(call: &Call, name: &'static str) -> Response<Body> {
    serve(call, &ASSETS[name], true)
}

/// What is served over HTTP: the routes of this listener, by its limits.
pub(super) fn openapi(call: &Call) -> Response<Body> {
    serve(call, &call.context.openapi, true)
}

/// What is said on a WebSocket.
pub(super) fn asyncapi(call: &Call) -> Response<Body> {
    static ASYNCAPI: LazyLock<Asset> =
        LazyLock::new(|| Asset::json("asyncapi.json", &describe::asyncapi()));
    serve(call, &ASYNCAPI, true)
}

pub(super) fn asset(call: &Call) -> Result<Response<Body>, ApiError> {
    let path = call.parameter.as_deref().unwrap_or_default();
    let asset = match path.strip_prefix("lang/") {
        Some(name) => call.context.languages.get(name),
        None => ASSETS.get(path),
    };
    asset
        .map(|asset| serve(call, asset, true))
        .ok_or_else(|| ApiError::not_found("there is no such file"))
}

fn serve(call: &Call, asset: &Asset, forbid_framing: bool) -> Response<Body> {
    let mut response = bytes(StatusCode::OK, asset.content_type, asset.content.clone());
    if knows(call.request.headers(), &asset.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = full(Bytes::new());
    }
    set(&mut response, header::ETAG, &asset.etag);
    // Ask each time: after an update of the server a page must not run with old scripts.
    set(&mut response, header::CACHE_CONTROL, "no-cache");
    let ancestors = if forbid_framing {
        "; frame-ancestors 'none'"
    } else {
        ""
    };
    set(
        &mut response,
        header::CONTENT_SECURITY_POLICY,
        &format!("{CONTENT_SECURITY_POLICY}{ancestors}"),
    );
    response
}

/// Returns whether the client has this version. A proxy that compresses marks the tag as weak.
fn knows(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).into_iter();
    tags.filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_a_page_names_is_embedded() {
        for (path, asset) in ASSETS
            .iter()
            .filter(|(path, _)| path.ends_with(".html") || path.ends_with(".js"))
        {
            let text = std::str::from_utf8(&asset.content).unwrap();
            for (_, rest) in text
                .match_indices("/assets/")
                .map(|(at, found)| text.split_at(at + found.len()))
            {
                let name: String = rest
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || "./-_".contains(*c))
                    .collect();
                assert!(
                    name.is_empty()
                        || name.starts_with("lang/")
                        || ASSETS.contains_key(name.as_str()),
                    "{path} names {name}"
                );
            }
            for (_, rest) in text
                .match_indices("from \"./")
                .map(|(at, found)| text.split_at(at + found.len()))
            {
                let name = format!("js/{}", rest.split('"').next().unwrap());
                assert!(ASSETS.contains_key(name.as_str()), "{path} imports {name}");
            }
        }
    }

    #[test]
    fn no_file_is_forgotten() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        let mut missing = Vec::new();
        for sub in ["", "js"] {
            for entry in std::fs::read_dir(folder.join(sub)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let path = if sub.is_empty() {
                    name
                } else {
                    format!("{sub}/{name}")
                };
                if path.contains('.')
                    && !path.ends_with(".json")
                    && !ASSETS.contains_key(path.as_str())
                {
                    missing.push(path);
                }
            }
        }
        assert_eq!(missing, Vec::<String>::new());
    }
}
