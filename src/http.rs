//! The HTTP front: routes, limits, errors, WebSocket, pages. Knows the contracts; the actors do the work.

mod address;
mod admission;
mod allowance;
mod analyses;
mod analyze;
mod assets;
mod audit;
mod auth;
mod backup;
mod channels;
mod describe;
mod error;
mod events;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod headcount;
mod health;
mod idle;
mod key_audit;
mod languages;
mod line;
mod origin;
mod places;
mod protect;
mod request;
mod respond;
mod router;
mod routes;
mod scrape;
mod server;
mod tickets;
mod websocket;

pub use describe::{asyncapi, openapi};
pub use router::Routes;
pub use server::Server;
