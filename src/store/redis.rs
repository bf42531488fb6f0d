//! The stores on Redis: what several processes share (docs/adr/0008).
//!
//! [`Link`] is the way there, with one rule for all: a command has its time, and once one has passed it, every other
//! fails at once until Redis answers a ping again. Keys of one channel share a hash tag, so that a cluster keeps them
//! together and a script may touch them all. The tag is that of one of 16 shards of channels, so that a script may wake
//! those who follow a channel through the node that keeps it (sharded pub/sub).
//!
//! | key | what |
//! | --- | --- |
//! | `{prefix:shard}:channel:events` | stream; the id is the offset, the fields are time and body |
//! | `{prefix:shard}:channel:head` | hash: epoch, first, next, bytes kept; what the channel plays, and its revision; the server's run, and where that began |
//! | `{prefix:shard}:channel:writers` | hash: each process's last append and its outcome, so that it can be sent again |
//! | `{prefix:shard}:channel:viewers` | hash: how many follow it on each process, and until when that counts |
//! | `prefix:channels` | sorted set of the channels that have played something, by when |
//! | `prefix:answer:…` | one answer, with its expiry |
//! | `prefix:analysis:…`, `prefix:analyses`, `prefix:key:…` | promised analyses, their order, idempotency keys |
//! | `prefix:ticket:…` | whom a ticket is for, by its hash, until it is used |
//! | `prefix:process:…` | a process is alive |
//! | `prefix:wake` | the pub/sub channel that says where something was appended; on a cluster with Redis 7 or later there is one for each shard, `{prefix:shard}:wake` |

mod analyses;
mod answers;
mod events;
mod link;
mod presence;
mod script;
mod seen;
mod tickets;
mod wake;

pub use analyses::RedisAnalyses;
pub use answers::RedisAnswers;
pub use events::RedisEvents;
pub use link::Link;
pub use tickets::RedisTickets;
pub use wake::{Heard, Wake, Wakes};
