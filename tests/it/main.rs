//! The whole program from outside: its real binary, real sockets, real time.
//!
//! Every wait polls for what it waits for, with a deadline; nothing sleeps in the hope that it will have happened.

#[cfg(test)]
mod analyze;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod channels;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod console;
#[cfg(test)]
mod descriptions;
#[cfg(test)]
mod fan_out;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod garbage;
#[cfg(test)]
mod health;
#[cfg(test)]
mod injections;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod llama;
#[cfg(all(test, feature = "local-model"))]
mod local_model;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod model_failures;
#[cfg(test)]
mod origins;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod picture;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod rolling;
#[cfg(test)]
mod schemathesis;
#[cfg(test)]
mod scrape;
#[cfg(test)]
mod scrape_browser;
#[cfg(test)]
mod scrape_guard;
#[cfg(test)]
mod scrape_remote;
#[cfg(test)]
mod screens;
#[cfg(test)]
mod shutdown;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod stats_app;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod tracing;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod two_screens;
#[cfg(test)]
mod watching;
#[cfg(test)]
mod websocket;
#[cfg(test)]
mod websocket_strict;
