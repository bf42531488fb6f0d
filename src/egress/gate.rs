//! A gate: the forward proxy of one page, on a port of its own. Closing it ends everything that passes through it.

use super::{
    dial::Dialer,
    meter::{Budget, Meter},
    proxy::{self, Way},
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, time::Instant};
use tokio_util::sync::CancellationToken;

/// Before a port is asked for its next connection when it could not give one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How a gate is opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Markup that is served at [`Gate::MARKUP_URL`], and then nothing else is; otherwise the web.
    pub markup: Option<Arc<str>>,
    /// What may pass.
    pub budget: Budget,
    /// When it closes by itself.
    pub deadline: Instant,
}

/// See the module. Open until it is dropped, or its deadline has come.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    passage: Arc<Passage>,
}

/// What the connections of one gate share.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) way: Way,
    pub(super) meter: Meter,
    /// Ends them all.
    pub(super) closed: CancellationToken,
}

impl Gate {
    /// Where a gate serves the markup that it was opened with. The name can never be anyone's (RFC 6761).
    pub const MARKUP_URL: &'static str = "http://markup.invalid/";

    /// Opens a gate on a free loopback port.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn open(opening: Opening, dialer: Dialer) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let passage = Arc::new(Passage {
            way: match opening.markup {
                Some(markup) => Way::Markup(markup),
                None => Way::Web(dialer),
            },
            meter: Meter::new(opening.budget),
            closed: CancellationToken::new(),
        });
        tokio::spawn({
            let passage = Arc::clone(&passage);
            async move {
                let open = passage
                    .closed
                    .run_until_cancelled(accept(listener, &passage));
                let _ = tokio::time::timeout_at(opening.deadline, open).await;
                passage.closed.cancel();
            }
        });
        Ok(Self { address, passage })
    }

    /// Returns the proxy's address.
    pub fn proxy(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns what has passed, and what could not.
    pub fn meter(&self) -> &Meter {
        &self.passage.meter
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.passage.closed.cancel();
    }
}

async fn accept(listener: TcpListener, passage: &Arc<Passage>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if passage.meter.count_connection() => {
                let passage = Arc::clone(passage);
                tokio::spawn(async move {
                    let served = proxy::serve(stream, &passage);
                    passage.closed.run_until_cancelled(served).await;
                });
            }
            // Over the budget: closed at once.
            Ok(_) => {}
            // Out of files, for example; that passes.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests;
