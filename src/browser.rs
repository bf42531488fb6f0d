//! Chromium: finding it, starting it, talking to it, opening pages in it, and leaving nothing of it behind.
//!
//! `Chromium (its processes, its profile) → Cdp (one connection, many calls) → Tab (one page in a context of its own)`
//!
//! Knows no actor; `actors::browser` decides when Chromium starts and ends.

mod cdp;
mod chromium;
mod error;
mod events;
mod frames;
mod memory;
mod process;
mod program;
mod tab;

pub use chromium::Chromium;
pub use error::BrowserError;
pub use memory::limit as memory_limit;
pub use program::find;
pub use tab::{Loaded, Tab, TabConfig};
