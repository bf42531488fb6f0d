//! Microbenchmarks: the prices that the design rests on. `cargo bench --bench micro`.
//!
//! What matters is each figure beside its neighbours in the same run, not the nanoseconds.

mod actors;
mod events;
mod requests;

use criterion::{criterion_group, criterion_main};

criterion_group!(micro, actors::benches, events::benches, requests::benches);
criterion_main!(micro);
