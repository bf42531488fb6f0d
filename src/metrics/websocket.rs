//! Metrics of viewers: connections, frames, recoveries.

use super::{Counter, CounterFamily, GaugeFamily, Histogram, catalogue as c, registry::Registry};
use std::sync::Arc;

/// Viewers and their frames.
pub struct WebSocket {
    /// Open viewers, by `channel_class`: `default` or `named`.
    pub connections: GaugeFamily<1>,
    /// Frames written to sockets.
    pub messages_sent: Counter,
    /// Seconds from publish to socket write.
    pub delivery_delay: Histogram,
    /// Closed connections, by `reason`.
    pub closed: CounterFamily<1>,
    /// Reconnects that brought a position, by `outcome`: `recovered` or `gap`.
    pub recoveries: CounterFamily<1>,
}

impl WebSocket {
    pub(super) fn new(r: &Arc<Registry>) -> Self {
        Self {
            connections: GaugeFamily::new(r, &c::WEBSOCKET_CONNECTIONS),
            messages_sent: r.counter(&c::WEBSOCKET_MESSAGES_SENT, []),
            delivery_delay: r.histogram(&c::WEBSOCKET_DELIVERY_DELAY, []),
            closed: CounterFamily::new(r, &c::WEBSOCKET_CLOSED),
            recoveries: CounterFamily::new(r, &c::WEBSOCKET_RECOVERIES),
        }
    }
}
