//! The HTTP front: routes, limits, errors, WebSocket, pages. Knows the contracts; the actors do the work.

mod analyses;
mod analyze;
mod assets;
mod auth;
mod channels;
mod error;
mod events;
mod frame_io;
mod health;
mod languages;
mod request;
mod respond;
mod router;
mod scrape;
mod server;
mod websocket;

pub use router::Routes;
pub use server::Server;
