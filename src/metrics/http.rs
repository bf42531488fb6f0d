//! Metrics of the HTTP front. One request costs two cached handles and the in-flight gauge: no lock, no allocation.

use super::{CounterFamily, HistogramFamily, catalogue as c, registry::Registry};
use metrics::{Counter, Gauge, Histogram};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Statuses that this server sends; another one is counted too, through the slower look-up.
const STATUSES: [u16; 24] = [
    101, 200, 202, 204, 206, 304, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 422, 429, 431,
    500, 501, 502, 503, 504,
];

/// The HTTP front.
pub struct Http {
    requests: CounterFamily<3>,
    duration: HistogramFamily<2>,
    in_flight: Gauge,
}

impl Http {
    pub(super) fn new(r: &Arc<Registry>) -> Self {
        Self {
            requests: CounterFamily::new(r, &c::HTTP_REQUESTS),
            duration: HistogramFamily::new(r, &c::HTTP_DURATION),
            in_flight: r.gauge(&c::HTTP_IN_FLIGHT, []),
        }
    }

    /// Returns the metrics of one route. Call it once per route when the router is built and keep the result;
    /// `route` is the pattern, such as `/api/analyses/{id}`, never the path of a request.
    pub fn route(&self, method: &'static str, route: &'static str) -> RouteMetrics {
        RouteMetrics(Arc::new(Route {
            method,
            route,
            requests: self.requests.clone(),
            by_status: Default::default(),
            duration: self.duration.with([method, route]),
        }))
    }

    /// Counts one request as in flight until the returned guard is dropped, however the request ends.
    pub fn in_flight(&self) -> InFlight {
        self.in_flight.increment(1.0);
        InFlight(self.in_flight.clone())
    }
}

/// One route's handles. Clones share them.
#[derive(Clone)]
pub struct RouteMetrics(Arc<Route>);

struct Route {
    method: &'static str,
    route: &'static str,
    requests: CounterFamily<3>,
    by_status: [OnceLock<Counter>; STATUSES.len()],
    duration: Histogram,
}

impl RouteMetrics {
    /// Counts one answered request.
    pub fn finished(&self, status: u16, elapsed: Duration) {
        let route = &*self.0;
        let register = || {
            route
                .requests
                .with([route.method, route.route, &status.to_string()])
        };
        match STATUSES.binary_search(&status) {
            Ok(index) => route.by_status[index].get_or_init(register).increment(1),
            Err(_) => register().increment(1),
        }
        route.duration.record(elapsed);
    }
}

/// Takes its request off `http_requests_in_flight` when dropped.
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
