//! The way out: what reads pages reaches the internet through a loopback forward proxy alone, and the proxy decides.
//!
//! `browser, plain requests → Gate (one per page: a port, a budget) → Policy (may this be visited?) → Dialer → site`
//!
//! The proxy resolves names itself and dials the very address that it has checked, so a name that answers differently
//! the second time (DNS rebinding) gains nothing. Redirects, sub-requests and WebSockets are requests like any other.

mod address;
mod dial;
mod gate;
mod meter;
mod policy;
mod proxy;
mod trackers;

pub use address::is_public;
pub use dial::{Dialer, Resolver, SystemResolver};
pub use gate::{Gate, Opening};
pub use meter::{Budget, Fault, Meter};
pub use policy::{Policy, is_domain_list, is_network_list, is_port_list, networks};
