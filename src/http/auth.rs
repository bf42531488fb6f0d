//! Who may: keys, compared in constant time, tokens, tickets; and what their holders may do.

mod crypto;
mod jwks;
mod tickets;
mod token;

pub(super) use tickets::Tickets;

use super::error::ApiError;
use crate::{
    actors::rate_limiter::Client,
    analysis::Failure,
    config::{
        Settings,
        keys::{self, KeyHash, Role},
    },
};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, sync::Arc};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use token::{Refused, Tokens};

/// The credentials that are good here.
pub(super) struct Credentials {
    keys: Vec<(KeyHash, Arc<Holder>)>,
    tokens: Option<Tokens>,
    pub(super) tickets: Tickets,
    all_may_watch: bool,
}

/// Whoever holds a credential, and what it is good for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    /// The key's name, or the token's subject.
    name: String,
    via: Via,
    roles: Vec<Role>,
    /// `None` for all.
    channels: Option<Vec<String>>,
    /// When it is no longer good, in milliseconds since the Unix epoch; `None` for never.
    expires_at: Option<u64>,
}

/// By what a holder is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Via {
    /// A key, by its place among the keys.
    Key(u16),
    /// A token, and whose requests count together.
    Token { client: Option<u64> },
}

/// Whoever makes a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Whose allowance the request is taken from.
    pub(super) client: Client,
    grant: Grant,
    /// Whether watching needs no credential.
    watches_freely: bool,
}

#[derive(Debug, Clone)]
enum Grant {
    /// No credential guards the server.
    Open,
    /// Some do, and none was sent.
    None,
    Holder(Arc<Holder>),
}

/// Name of the caller's kind, for the audit log.
pub(super) struct Who<'a> {
    pub(super) key: Option<&'a str>,
    pub(super) subject: Option<&'a str>,
}

impl Credentials {
    /// # Errors
    /// When the issuer's keys could never be fetched.
    pub(super) fn new(settings: &Settings, tickets: Tickets) -> anyhow::Result<Self> {
        let keys = (0..).zip(settings.auth.all_keys());
        let keys = keys.map(|(index, key)| {
            let holder = Holder {
                name: key.name,
                via: Via::Key(index),
                roles: key.roles,
                channels: key.channels,
                expires_at: None,
            };
            (key.hash, Arc::new(holder))
        });
        Ok(Self {
            keys: keys.collect(),
            tokens: Tokens::new(&settings.jwt)?,
            tickets,
            all_may_watch: settings.auth.anonymous_view,
        })
    }

    /// Tells who makes a request, and refuses an unknown credential.
    pub(super) async fn caller(
        &self,
        headers: &HeaderMap,
        address: IpAddr,
    ) -> Result<Caller, ApiError> {
        let grant = match presented(headers) {
            _ if self.is_open() => Grant::Open,
            None => Grant::None,
            Some(Presented::Key(key)) => {
                let holder = self.of_key(key);
                Grant::Holder(holder.ok_or_else(|| unauthenticated(UNKNOWN_KEY))?)
            }
            Some(Presented::Bearer(text)) => self.grant(text).await?,
        };
        Ok(Caller {
            client: grant.client(address),
            grant,
            watches_freely: self.is_open() || self.all_may_watch,
        })
    }

    /// Returns `caller` with what a key or token gives it.
    pub(super) async fn promote(&self, caller: &Caller, text: &str) -> Result<Caller, ApiError> {
        let grant = match self.is_open() {
            true => Grant::Open,
            false => self.grant(text).await?,
        };
        Ok(Caller {
            grant,
            ..caller.clone()
        })
    }

    /// Returns `caller` with what a ticket gives it. The ticket is good no more.
    pub(super) async fn redeem(
        &self,
        caller: &Caller,
        ticket: &str,
        now: u64,
    ) -> Result<Caller, ApiError> {
        let holder = self.tickets.take(ticket, now).await?;
        let holder = holder.ok_or_else(|| {
            unauthenticated(
                "this ticket is not known, used, or too old: get a new one with POST /api/tickets",
            )
        })?;
        Ok(Caller {
            grant: Grant::Holder(Arc::new(holder)),
            ..caller.clone()
        })
    }

    const fn is_open(&self) -> bool {
        self.keys.is_empty() && self.tokens.is_none()
    }

    async fn grant(&self, text: &str) -> Result<Grant, ApiError> {
        if let Some(holder) = self.of_key(text.as_bytes()) {
            return Ok(Grant::Holder(holder));
        }
        let tokens = self.tokens.as_ref();
        // Three parts make a token; anything else was meant as a key.
        let tokens = tokens.filter(|_| text.matches('.').count() == 2);
        let tokens = tokens.ok_or_else(|| unauthenticated(UNKNOWN_KEY))?;
        match tokens.holder(text).await {
            Ok(holder) => Ok(Grant::Holder(Arc::new(holder))),
            Err(Refused::Bad(why)) => Err(unauthenticated(&format!("the token {why}"))),
            Err(Refused::Unavailable) => Err(Failure {
                error: "tokens cannot be checked now: their issuer's keys cannot be fetched (jwt.jwks_url)".to_owned(),
                retry_after: Some(5),
                ..Failure::overloaded()
            }
            .into()),
        }
    }

    /// Compares with every key to its end, whichever it is.
    fn of_key(&self, presented: &[u8]) -> Option<Arc<Holder>> {
        let hash = keys::hash(presented);
        let (mut is_known, mut found) = (Choice::from(0), 0_u16);
        for (index, (key, _)) in (0..).zip(&self.keys) {
            let is_same = hash.ct_eq(key);
            found.conditional_assign(&index, is_same);
            is_known |= is_same;
        }
        bool::from(is_known).then(|| Arc::clone(&self.keys[usize::from(found)].1))
    }
}

impl Grant {
    fn client(&self, address: IpAddr) -> Client {
        match self {
            Self::Holder(holder) => match holder.via {
                Via::Key(index) => Client::Key(index),
                Via::Token {
                    client: Some(client),
                } => Client::Subject(client),
                Via::Token { client: None } => Client::from(address),
            },
            Self::Open | Self::None => Client::from(address),
        }
    }
}

impl Holder {
    fn has(&self, role: Role) -> bool {
        self.roles.contains(&role) || self.roles.contains(&Role::Admin)
    }
}

impl Caller {
    /// Returns whose budget a request takes from: the name of the key, or of the token's subject.
    pub(super) fn account(&self) -> Option<Arc<str>> {
        let Who { key, subject } = self.who();
        key.or(subject).map(Arc::from)
    }

    /// Returns what the caller is called.
    pub(super) fn who(&self) -> Who<'_> {
        let (key, subject) = match &self.grant {
            Grant::Holder(holder) => match holder.via {
                Via::Key(_) => (Some(holder.name.as_str()), None),
                Via::Token { .. } => (None, Some(holder.name.as_str())),
            },
            Grant::Open | Grant::None => (None, None),
        };
        Who { key, subject }
    }

    /// Refuses what needs a role that the caller has not.
    pub(super) fn may(&self, role: Role) -> Result<(), ApiError> {
        match &self.grant {
            Grant::Open => Ok(()),
            _ if role == Role::View && self.watches_freely => Ok(()),
            Grant::None => Err(unauthenticated(
                "this call needs a key: send it as X-API-Key, or as Authorization: Bearer",
            )),
            Grant::Holder(holder) if holder.has(role) => Ok(()),
            Grant::Holder(holder) => {
                let (name, role) = (&holder.name, role.name());
                Err(ApiError::forbidden(format!(
                    "'{name}' has not the role {role}"
                )))
            }
        }
    }

    /// Refuses a channel that is not the caller's.
    pub(super) fn may_use(&self, channel: &str) -> Result<(), ApiError> {
        match self.channels() {
            Some(channels) if !channels.iter().any(|own| own == channel) => {
                Err(ApiError::forbidden(format!(
                    "this key or token may use other channels than '{channel}': {}",
                    channels.join(", ")
                )))
            }
            _ => Ok(()),
        }
    }

    /// Refuses to let the caller follow a channel.
    pub(super) fn may_watch(&self, channel: &str) -> Result<(), ApiError> {
        self.may(Role::View)?;
        match self.watches_freely {
            true => Ok(()),
            false => self.may_use(channel),
        }
    }

    /// Returns the channels that the caller may use; `None` for all.
    pub(super) fn channels(&self) -> Option<&[String]> {
        self.holder()?.channels.as_deref()
    }

    /// Returns when the caller's credential is no longer good, in milliseconds since the Unix epoch.
    pub(super) fn expires_at(&self) -> Option<u64> {
        self.holder()?.expires_at
    }

    /// Returns whether the caller has not shown what it needs to watch.
    pub(super) const fn must_introduce_itself(&self) -> bool {
        matches!(self.grant, Grant::None) && !self.watches_freely
    }

    /// Returns whose ticket the caller may have.
    pub(super) fn ticket_holder(&self) -> Result<Holder, ApiError> {
        match &self.grant {
            Grant::Holder(holder) => Ok(Holder::clone(holder)),
            Grant::Open => Ok(Holder {
                name: String::new(),
                via: Via::Token { client: None },
                roles: vec![Role::View],
                channels: None,
                expires_at: None,
            }),
            Grant::None => Err(unauthenticated(
                "a ticket is for whoever has a key: send it as X-API-Key, or as Authorization: Bearer",
            )),
        }
    }

    fn holder(&self) -> Option<&Holder> {
        match &self.grant {
            Grant::Holder(holder) => Some(holder),
            Grant::Open | Grant::None => None,
        }
    }
}

/// What a request shows.
enum Presented<'a> {
    Key(&'a [u8]),
    Bearer(&'a str),
}

fn presented(headers: &HeaderMap) -> Option<Presented<'_>> {
    if let Some(key) = headers.get("x-api-key") {
        return Some(Presented::Key(key.as_bytes()));
    }
    let (scheme, text) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Presented::Bearer(text.trim()))
}

const UNKNOWN_KEY: &str = "this API key is not known here";

fn unauthenticated(message: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Auth, keys::ApiKey};
    use futures_util::FutureExt as _;
    use http::HeaderValue;

    fn ask(auth: &Auth, header: Option<(&'static str, &'static str)>) -> Result<Caller, ApiError> {
        let headers =
            header.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        let headers = headers.into_iter().collect();
        let settings = Settings {
            auth: auth.clone(),
            ..Settings::default()
        };
        let credentials = Credentials::new(&settings, Tickets::new(None)).unwrap();
        let caller = credentials.caller(&headers, IpAddr::from([192, 0, 2, 1]));
        caller.now_or_never().expect("keys are here")
    }

    fn analyzes(auth: &Auth, header: Option<(&'static str, &'static str)>) -> Option<Client> {
        let caller = ask(auth, header).ok()?;
        caller.may(Role::Analyze).ok().map(|()| caller.client)
    }

    #[test]
    fn the_key_is_asked_for_only_where_one_is_configured() {
        let address = Client::from(IpAddr::from([192, 0, 2, 1]));
        let open = Auth::default();
        assert_eq!(analyzes(&open, None), Some(address));
        assert_eq!(analyzes(&open, Some(("x-api-key", "any"))), Some(address));
        let guarded = Auth {
            api_key: Some("secret".to_owned().into()),
            ..Auth::default()
        };
        assert_eq!(analyzes(&guarded, None), None);
        assert!(ask(&guarded, None).is_ok(), "viewing needs none");
        for wrong in [
            ("x-api-key", "secre"),
            ("x-api-key", "secret2"),
            ("authorization", "Basic secret"),
        ] {
            assert_eq!(analyzes(&guarded, Some(wrong)), None, "{wrong:?}");
        }
        for right in [("x-api-key", "secret"), ("authorization", "bearer secret")] {
            assert_eq!(analyzes(&guarded, Some(right)), Some(Client::Key(0)));
        }
    }

    #[test]
    fn a_key_has_its_roles_and_channels() {
        let line = |name: &str, key: &str, more: &str| {
            let full = ApiKey::of_everything(name, key).to_string();
            full.replace("roles=admin", more)
        };
        let auth = Auth {
            keys: Some(
                [
                    line("asks", "k1", "roles=analyze channels=hall,lobby"),
                    line("shows", "k2", "roles=publish"),
                    line("host", "k3", "roles=admin"),
                ]
                .join("\n"),
            ),
            ..Auth::default()
        };
        let caller = |key| ask(&auth, Some(("x-api-key", key))).unwrap();
        let (asks, shows, host) = (caller("k1"), caller("k2"), caller("k3"));
        assert_eq!(shows.client, Client::Key(1));
        assert!(asks.may(Role::Analyze).is_ok() && asks.may(Role::Publish).is_err());
        assert!(shows.may(Role::Publish).is_ok() && shows.may(Role::Analyze).is_err());
        assert!(host.may(Role::Publish).is_ok() && host.may(Role::Analyze).is_ok());
        assert!(asks.may_use("lobby").is_ok() && asks.may_use("stage").is_err());
        assert!(shows.may_use("stage").is_ok());
    }

    #[test]
    fn watching_is_for_all_or_for_those_with_the_role() {
        let line = |name: &str, roles: &str| {
            let full = ApiKey::of_everything(name, name).to_string();
            full.replace("roles=admin", roles)
        };
        let lines = [
            line("screen", "roles=view channels=hall"),
            line("shows", "roles=publish"),
        ];
        let watch = |is_open, key: Option<&'static str>, channel| {
            let auth = Auth {
                keys: Some(lines.join("\n")),
                anonymous_view: is_open,
                ..Auth::default()
            };
            let caller = ask(&auth, key.map(|key| ("x-api-key", key))).unwrap();
            caller.may_watch(channel).is_ok()
        };
        assert!(watch(true, None, "hall") && watch(true, Some("screen"), "lobby"));
        assert!(watch(true, Some("shows"), "hall"));
        assert!(watch(false, Some("screen"), "hall"));
        assert!(!watch(false, Some("screen"), "lobby"));
        assert!(!watch(false, Some("shows"), "hall") && !watch(false, None, "hall"));
    }
}
