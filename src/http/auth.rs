//! Who may: keys, compared in constant time, and what their holders may do.

use super::error::ApiError;
use crate::{
    actors::rate_limiter::Client,
    config::{
        Auth,
        keys::{self, ApiKey, Role},
    },
};
use http::{HeaderMap, StatusCode, header};
use std::{net::IpAddr, sync::Arc};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// The keys that are known here.
pub(super) struct Keys(Vec<Arc<ApiKey>>);

/// Whoever makes a request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// Whose allowance the request is taken from.
    pub(super) client: Client,
    grant: Grant,
}

#[derive(Debug, Clone)]
enum Grant {
    /// No key guards the server.
    Open,
    /// There are keys, and none was sent.
    None,
    Key(Arc<ApiKey>),
}

impl Keys {
    pub(super) fn new(auth: &Auth) -> Self {
        Self(auth.all_keys().into_iter().map(Arc::new).collect())
    }

    /// Tells who makes a request, and refuses an unknown key.
    pub(super) fn caller(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, ApiError> {
        let by_address = |grant| Caller {
            client: Client::from(peer),
            grant,
        };
        if self.0.is_empty() {
            return Ok(by_address(Grant::Open));
        }
        let Some(presented) = presented(headers) else {
            return Ok(by_address(Grant::None));
        };
        let index = self
            .find(presented)
            .ok_or_else(|| unauthenticated("this API key is not known here"))?;
        Ok(Caller {
            client: Client::Key(index),
            grant: Grant::Key(Arc::clone(&self.0[usize::from(index)])),
        })
    }

    /// Compares with every key to its end, whichever it is.
    fn find(&self, presented: &[u8]) -> Option<u16> {
        let hash = keys::hash(presented);
        let (mut is_known, mut found) = (Choice::from(0), 0_u16);
        for (index, key) in (0..).zip(&self.0) {
            let is_same = hash.ct_eq(&key.hash);
            found.conditional_assign(&index, is_same);
            is_known |= is_same;
        }
        bool::from(is_known).then_some(found)
    }
}

impl Caller {
    /// Returns the name of the caller's key.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.grant {
            Grant::Key(key) => Some(&key.name),
            Grant::Open | Grant::None => None,
        }
    }

    /// Refuses what needs a role that the caller has not.
    pub(super) fn may(&self, role: Role) -> Result<(), ApiError> {
        match &self.grant {
            Grant::Open => Ok(()),
            Grant::None => Err(unauthenticated(
                "this call needs the API key: send it as X-API-Key, or as Authorization: Bearer",
            )),
            Grant::Key(key) if key.roles.contains(&role) || key.roles.contains(&Role::Admin) => {
                Ok(())
            }
            Grant::Key(key) => {
                let (name, role) = (&key.name, role.name());
                Err(ApiError::forbidden(format!(
                    "the key '{name}' has not the role {role}"
                )))
            }
        }
    }

    /// Refuses a channel that is not the caller's.
    pub(super) fn may_use(&self, channel: &str) -> Result<(), ApiError> {
        match self.channels() {
            Some(channels) if !channels.iter().any(|own| own == channel) => {
                Err(ApiError::forbidden(format!(
                    "this key may use other channels than '{channel}': {}",
                    channels.join(", ")
                )))
            }
            _ => Ok(()),
        }
    }

    /// Returns the channels that the caller may use; `None` for all.
    pub(super) fn channels(&self) -> Option<&[String]> {
        match &self.grant {
            Grant::Key(key) => key.channels.as_deref(),
            Grant::Open | Grant::None => None,
        }
    }
}

fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(key) = headers.get("x-api-key") {
        return Some(key.as_bytes());
    }
    let (scheme, key) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| key.trim().as_bytes())
}

fn unauthenticated(message: &str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn ask(auth: &Auth, header: Option<(&'static str, &'static str)>) -> Result<Caller, ApiError> {
        let headers =
            header.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        let headers = headers.into_iter().collect();
        Keys::new(auth).caller(&headers, IpAddr::from([192, 0, 2, 1]))
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
}
