//! quiz-stats: questions in, trusted answers out, played live on every screen.
//!
//! `POST /api/analyze → Analyses → Cache → AiClient → Director → Journal → Broadcaster → WebSocket, SSE, stage page`
//!
//! `http → actors → {quiz, solve, timeline, store, provider, runtime}`; pure modules know no actor, no clock, no socket.

pub mod actors;
pub mod analysis;
pub mod app;
pub mod audit;
#[cfg(feature = "browser")]
pub mod browser;
pub mod budget;
pub mod cli;
pub mod clock;
pub mod config;
pub mod egress;
pub mod event;
pub mod extract;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod hex;
pub mod http;
#[cfg(feature = "local-model")]
pub mod local_model;
pub mod log;
pub mod metrics;
pub mod page;
pub mod pipeline;
pub mod provider;
pub mod quiz;
pub mod runtime;
mod schema;
pub mod scrape;
mod site;
pub mod solve;
pub mod store;
pub mod timeline;
pub mod trace;
pub mod version;
