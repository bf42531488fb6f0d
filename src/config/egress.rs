//! `[egress]`: where what reads pages may go.

use super::{check::Check, section::section};
use crate::egress::{is_domain_list, is_network_list, is_port_list};

section! {
    /// Where the browser and the plain requests for pages may go. Everything leaves through a proxy inside this process
    /// that visits public addresses only, and dials the very address that it has checked.
    [egress] Egress {
        /// Requests for a way out that may wait.
        mailbox_capacity: usize = 256,
        /// Visit these domains only, with everything that their pages load: exact names, or with `*.` everything below a
        /// name; separated by commas. `ALLOWED_DOMAINS` in the environment sets it too.
        allowed_domains: Option<String> = None,
        /// Ports that may be visited, separated by commas.
        ports: String = "80,443".to_owned(),
        /// Addresses or networks that may be visited although they are not public, separated by commas: a learning
        /// platform of your own, for example. Whoever may send addresses to this service can then reach them.
        allowed_addresses: Option<String> = None,
        /// Milliseconds to look up a name and connect.
        connect_timeout_ms: u64 = 5_000,
    }
}

impl Egress {
    fn validate(&self, check: &mut Check<'_>) {
        check.capacity("mailbox_capacity", self.mailbox_capacity);
        check.that(
            "allowed_domains",
            self.allowed_domains.as_deref().is_none_or(is_domain_list),
            "must be domains such as quiz.example or *.school.example, separated by commas",
        );
        check.that(
            "ports",
            is_port_list(&self.ports),
            "must be ports such as 80,443",
        );
        check.that(
            "allowed_addresses",
            self.allowed_addresses.as_deref().is_none_or(is_network_list),
            "must be addresses or networks such as 192.168.1.20 or 10.1.0.0/16, separated by commas",
        );
        check.milliseconds("connect_timeout_ms", self.connect_timeout_ms);
    }
}
