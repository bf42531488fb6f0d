//! What can be asked for, how, and by whom (contracts, section 1).

use super::router::Routes;
use crate::config::keys;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Root,
    Analyze,
    Scrape,
    Audit,
    Analyses,
    AnalysisById,
    Display,
    Control,
    Channel,
    WebSocket,
    Events,
    Tickets,
    Backup,
    Stage,
    Overlay,
    Console,
    Asset,
    OpenApi,
    AsyncApi,
    Docs,
    Health,
    Livez,
    Readyz,
    Metrics,
    Version,
}

impl Route {
    /// Returns whether a process that only reads pages has it.
    pub(super) const fn reads_pages(self) -> bool {
        matches!(
            self,
            Self::Root
                | Self::Scrape
                | Self::OpenApi
                | Self::Docs
                | Self::Asset
                | Self::Health
                | Self::Livez
                | Self::Readyz
                | Self::Version
        )
    }
}

/// Pattern, route, methods, the role that it needs.
pub(super) const TABLE: [(&str, Route, &str, Option<keys::Role>); 25] = [
    ("/", Route::Root, "GET, HEAD", None),
    (
        "/api/analyze",
        Route::Analyze,
        "POST",
        Some(keys::Role::Analyze),
    ),
    (
        "/api/scrape",
        Route::Scrape,
        "POST",
        Some(keys::Role::Analyze),
    ),
    (
        "/api/audit",
        Route::Audit,
        "POST",
        Some(keys::Role::Analyze),
    ),
    (
        "/api/analyses",
        Route::Analyses,
        "GET, HEAD",
        Some(keys::Role::Analyze),
    ),
    (
        "/api/analyses/{id}",
        Route::AnalysisById,
        "GET, HEAD, DELETE",
        Some(keys::Role::Analyze),
    ),
    (
        "/api/channels/{channel}",
        Route::Channel,
        "GET, HEAD",
        Some(keys::Role::View),
    ),
    (
        "/api/channels/{channel}/display",
        Route::Display,
        "POST",
        Some(keys::Role::Publish),
    ),
    (
        "/api/channels/{channel}/control",
        Route::Control,
        "POST",
        Some(keys::Role::Publish),
    ),
    (
        "/api/tickets",
        Route::Tickets,
        "POST",
        Some(keys::Role::View),
    ),
    ("/api/backup", Route::Backup, "GET", Some(keys::Role::Admin)),
    // Tickets and first messages may come instead of a header, so these look for themselves.
    ("/ws", Route::WebSocket, "GET", None),
    ("/events", Route::Events, "GET", None),
    ("/stage/{channel}", Route::Stage, "GET, HEAD", None),
    ("/overlay/{channel}", Route::Overlay, "GET, HEAD", None),
    ("/console", Route::Console, "GET, HEAD", None),
    ("/assets/{*path}", Route::Asset, "GET, HEAD", None),
    ("/openapi.json", Route::OpenApi, "GET, HEAD", None),
    ("/asyncapi.json", Route::AsyncApi, "GET, HEAD", None),
    ("/docs", Route::Docs, "GET, HEAD", None),
    ("/health", Route::Health, "GET, HEAD", None),
    ("/livez", Route::Livez, "GET, HEAD", None),
    ("/readyz", Route::Readyz, "GET, HEAD", None),
    ("/metrics", Route::Metrics, "GET, HEAD", None),
    ("/version", Route::Version, "GET, HEAD", None),
];

impl Routes {
    /// Returns whether a listener with these serves a route.
    pub(super) fn has(self, route: Route) -> bool {
        match self {
            Self::All => true,
            Self::Scraper => route == Route::Metrics || route.reads_pages(),
            Self::Metrics => route == Route::Metrics,
        }
    }
}
