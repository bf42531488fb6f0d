//! Every route on one screen, and what each request passes on its way.

use super::{
    address::Addresses,
    admission::Admission,
    allowance, analyses, analyze,
    assets::{self, Asset},
    audit::Asked,
    auth::{Caller, Credentials},
    backup, channels,
    error::{ApiError, X_REQUEST_ID},
    events, health, key_audit,
    origin::{self, Origins},
    protect, request,
    respond::{Body, set},
    routes::{Route, TABLE},
    scrape, tickets, websocket,
};
use crate::{
    actors::{
        rate_limiter::{Client, Scope, Verdict},
        tree::Role,
    },
    config::keys,
    metrics::RouteMetrics,
    pipeline::Pipeline,
    trace,
};
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::{Body as _, Incoming};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// Which routes a listener has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routes {
    /// All of them.
    All,
    /// What a process has that only reads pages.
    Scraper,
    /// `/metrics` alone.
    Metrics,
}

/// What a handler needs.
pub(super) struct Context {
    pub(super) pipeline: Pipeline,
    /// True once the process is ending.
    pub(super) draining: watch::Receiver<bool>,
    /// WebSockets and event streams, which outlive their request.
    pub(super) streams: TaskTracker,
    pub(super) admission: Admission,
    pub(super) credentials: Credentials,
    /// The words of the pages, by file name.
    pub(super) languages: HashMap<String, Asset>,
    /// `openapi.json`, by the routes and limits of this listener.
    pub(super) openapi: Asset,
    /// A backup at a time: each is as large as the data.
    pub(super) backup_turn: Arc<Semaphore>,
}

/// One request on its way through a handler.
pub(super) struct Call {
    pub(super) request: Request<Incoming>,
    pub(super) context: Arc<Context>,
    pub(super) request_id: String,
    /// Where it comes from.
    pub(super) address: IpAddr,
    /// Who makes it.
    pub(super) caller: Caller,
    /// What is left of its allowance, on routes that have one.
    pub(super) verdict: Option<Verdict>,
    /// The part of the path in braces.
    pub(super) parameter: Option<String>,
}

/// Label of requests whose path is none of ours: their paths must not become labels.
const NO_ROUTE: &str = "none";

struct Entry {
    pattern: &'static str,
    route: Route,
    methods: &'static str,
    role: Option<keys::Role>,
    metrics: HashMap<Method, RouteMetrics>,
}

/// Finds the handler for a request, and does what is the same for all of them.
pub(super) struct Router {
    table: matchit::Router<Entry>,
    unknown: RouteMetrics,
    addresses: Addresses,
    origins: Origins,
    context: Arc<Context>,
}

impl Router {
    pub(super) fn new(context: Context, routes: Routes) -> Self {
        let mut table = matchit::Router::new();
        let http = context.pipeline.metrics.http();
        let own_metrics_listener = context.pipeline.settings.metrics.bind.is_some();
        for (pattern, route, methods, role) in TABLE {
            // A listener of their own has the metrics alone, and no other has them.
            let elsewhere = own_metrics_listener && routes != Routes::Metrics;
            if routes.has(route) && !(elsewhere && route == Route::Metrics) {
                let names = ["GET", "HEAD", "POST", "DELETE"]
                    .into_iter()
                    .filter(|name| methods.contains(name));
                let metrics = names
                    .map(|name| {
                        (
                            Method::from_bytes(name.as_bytes()).expect("a method"),
                            http.route(name, pattern),
                        )
                    })
                    .collect();
                let entry = Entry {
                    pattern,
                    route,
                    methods,
                    role,
                    metrics,
                };
                table
                    .insert(pattern, entry)
                    .expect("the patterns do not overlap");
            }
        }
        let unknown = http.route("other", NO_ROUTE);
        Self {
            table,
            unknown,
            addresses: Addresses::new(&context.pipeline.settings.server),
            origins: Origins::new(&context.pipeline.settings),
            context: Arc::new(context),
        }
    }

    pub(super) async fn handle(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Body> {
        let began = Instant::now();
        let _in_flight = self.context.pipeline.metrics.http().in_flight();
        let request_id = request::request_id(request.headers());
        let address = self.addresses.of(request.headers(), peer.ip());
        let path = request.uri().path().to_owned();
        let found = self.table.at(&path).ok();
        let metrics = found
            .as_ref()
            .and_then(|found| found.value.metrics.get(request.method()));
        let metrics = metrics.unwrap_or(&self.unknown);
        let is_head = request.method() == Method::HEAD;
        let origin = origin::named(request.headers()).map(str::to_owned);
        let route = found.as_ref().map_or(NO_ROUTE, |found| found.value.pattern);
        let span = trace::request(&request_id, request.method(), route, request.headers());
        let mut asked = Asked {
            method: request.method().clone(),
            route,
            caller: None,
            address,
            request_id: &request_id,
            role: found.as_ref().and_then(|found| found.value.role),
        };
        let mut response = match found {
            Some(found) => {
                let admitted = self.admit(found, request, &mut asked);
                admitted.instrument(span.clone()).await
            }
            None => Err(ApiError::not_found(
                "there is nothing at this address: GET / lists what there is",
            )),
        }
        .unwrap_or_else(|error| error.respond(&request_id));
        set(&mut response, X_REQUEST_ID, &request_id);
        protect::protect(&mut response);
        self.origins.share(origin.as_deref(), &mut response);
        span.record("status", response.status().as_u16());
        span.in_scope(|| asked.log(&response));
        if is_head {
            drop_body(&mut response);
        }
        metrics.finished(response.status().as_u16(), began.elapsed());
        response
    }

    /// Finds out who asks, and refuses those who may not.
    async fn admit(
        &self,
        found: matchit::Match<'_, '_, &Entry>,
        request: Request<Incoming>,
        asked: &mut Asked<'_>,
    ) -> Result<Response<Body>, ApiError> {
        let (entry, address) = (found.value, asked.address);
        // Whoever asks whether the process lives is not a client.
        let is_probe = matches!(entry.route, Route::Livez | Route::Readyz);
        if !is_probe && !self.addresses.may_come(address) {
            let told = "requests from this address are not answered";
            return Err(ApiError::forbidden(told));
        }
        if let Some(answer) = self.origins.preflight(&request, entry.methods) {
            return answer;
        }
        self.origins.may_come(&request)?;
        if websocket::is_upgrade(&request) {
            self.origins.may_connect(&request)?;
        }
        let credentials = &self.context.credentials;
        let caller = match credentials.caller(request.headers(), address).await {
            Ok(caller) => caller,
            Err(refused) => return self.refuse_stranger(refused, asked).await,
        };
        asked.caller = Some(caller.clone());
        let call = Call {
            request,
            context: Arc::clone(&self.context),
            request_id: asked.request_id.to_owned(),
            address,
            caller,
            verdict: None,
            parameter: found
                .params
                .iter()
                .next()
                .map(|(_, value)| value.to_owned()),
        };
        self.enter(entry, call).await
    }

    /// Answers a wrong credential, which costs its address a call: whoever tries key after key is soon told to wait.
    async fn refuse_stranger(
        &self,
        refused: ApiError,
        asked: &Asked<'_>,
    ) -> Result<Response<Body>, ApiError> {
        // Keys that cannot be fetched at the moment are not the stranger's fault.
        if refused.status() != StatusCode::UNAUTHORIZED {
            return Err(refused);
        }
        let client = Client::from(asked.address);
        let verdict = allowance::take(&self.context, client, Scope::General, 1).await?;
        let refused = allowance::check(verdict).err().unwrap_or(refused);
        let mut response = refused.respond(asked.request_id);
        allowance::tell(&mut response, verdict);
        Ok(response)
    }

    async fn enter(&self, entry: &Entry, call: Call) -> Result<Response<Body>, ApiError> {
        if !entry.metrics.contains_key(call.request.method()) {
            return Err(ApiError::method_not_allowed(entry.methods));
        }
        if let Some(role) = entry.role {
            call.caller.may(role)?;
        }
        let client = call.caller.client;
        let scope = match entry.route {
            Route::Analyze | Route::Audit => Some(Scope::Analyze),
            // Behind backends, each with its own limits, the queue is the limit.
            Route::Scrape if self.context.pipeline.role == Role::All => Some(Scope::Analyze),
            Route::Analyses
            | Route::AnalysisById
            | Route::Display
            | Route::Control
            | Route::Channel
            | Route::Tickets
            | Route::Backup => Some(Scope::General),
            _ => None,
        };
        let Some(scope) = scope else {
            return dispatch(entry.route, call).await;
        };
        let verdict = allowance::take(&call.context, client, scope, 1).await?;
        let request_id = call.request_id.clone();
        let outcome = match allowance::check(verdict) {
            Ok(()) => {
                let verdict = Some(verdict);
                dispatch(entry.route, Call { verdict, ..call }).await
            }
            Err(refused) => Err(refused),
        };
        let mut response = outcome.unwrap_or_else(|error| error.respond(&request_id));
        allowance::tell(&mut response, verdict);
        Ok(response)
    }
}

/// Leaves the length of the body, as HEAD is answered.
fn drop_body(response: &mut Response<Body>) {
    if let Some(length) = response.body().size_hint().exact() {
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length.into());
    }
    *response.body_mut() = super::respond::full(bytes::Bytes::new());
}

async fn dispatch(route: Route, call: Call) -> Result<Response<Body>, ApiError> {
    match route {
        Route::Root if websocket::is_upgrade(&call.request) => websocket::upgrade(call).await,
        Route::Root => Ok(assets::root(&call)),
        Route::Analyze => analyze::analyze(call).await,
        Route::Scrape => scrape::scrape(call).await,
        Route::Audit => key_audit::audit(call).await,
        Route::Analyses => analyses::list(call).await,
        Route::AnalysisById if call.request.method() == Method::DELETE => {
            analyses::cancel(call).await
        }
        Route::AnalysisById => analyses::get(call).await,
        Route::Display => channels::display(call).await,
        Route::Control => channels::control(call).await,
        Route::Channel => channels::get(call).await,
        Route::WebSocket if websocket::is_upgrade(&call.request) => websocket::upgrade(call).await,
        Route::WebSocket => Err(ApiError::new(
            StatusCode::UPGRADE_REQUIRED,
            "invalid_request",
            "this address speaks WebSocket: connect with ws://, or read /events instead",
        )),
        Route::Events => events::stream(call).await,
        Route::Tickets => tickets::issue(&call).await,
        Route::Backup => backup::download(&call).await,
        Route::Stage => assets::page(&call, "stage.html"),
        Route::Overlay => assets::page(&call, "overlay.html"),
        Route::Console => Ok(assets::general_page(&call, "console.html")),
        Route::Asset => assets::asset(&call),
        Route::OpenApi => Ok(assets::openapi(&call)),
        Route::AsyncApi => Ok(assets::asyncapi(&call)),
        Route::Docs => Ok(assets::general_page(&call, "docs.html")),
        Route::Health => Ok(health::health(&call)),
        Route::Livez => Ok(health::livez()),
        Route::Readyz => Ok(health::readyz(&call)),
        Route::Metrics => Ok(health::metrics(&call)),
        Route::Version => Ok(health::version()),
    }
}
