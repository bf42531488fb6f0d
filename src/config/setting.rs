//! What a single value may be: how each type is read from TOML or from a variable, shown, and described to people.

use secrecy::{ExposeSecret as _, SecretString};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

/// A value as it was found.
pub(super) enum Raw {
    /// In a TOML file, with TOML's types.
    Toml(toml::Value),
    /// In a variable, a secret's file or an argument: text that the field's type gives a meaning.
    Text(String),
}

/// A type that a field may have.
pub(super) trait Setting: Sized {
    /// Whether the value must never be shown.
    const SECRET: bool = false;

    /// Says what is right, to follow "must be".
    fn expected() -> String;

    /// Reads a value; `None` when it does not fit.
    fn parse(raw: &Raw) -> Option<Self>;

    /// Returns the value as TOML, masked when secret; `None` when it is not set.
    fn show(&self) -> Option<toml::Value>;

    /// Returns some right value as TOML.
    fn example() -> String {
        r#""…""#.to_owned()
    }
}

/// Stands in for a secret wherever settings are shown.
pub(super) const MASK: &str = "***";

macro_rules! whole_number {
    ($($type:ty),*) => {$(
        impl Setting for $type {
            fn expected() -> String {
                match <$type>::MAX as u64 {
                    u64::MAX => "a whole number, 0 or more".to_owned(),
                    max => format!("a whole number from 0 to {max}"),
                }
            }

            fn parse(raw: &Raw) -> Option<Self> {
                match raw {
                    Raw::Toml(toml::Value::Integer(value)) => (*value).try_into().ok(),
                    Raw::Toml(_) => None,
                    Raw::Text(text) => text.trim().replace('_', "").parse().ok(),
                }
            }

            fn example() -> String {
                "…".to_owned()
            }

            fn show(&self) -> Option<toml::Value> {
                // TOML's numbers end at i64::MAX, and so do those that a file can set.
                Some(toml::Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX)))
            }
        }
    )*};
}
whole_number!(u16, u32, u64, usize);

impl Setting for f64 {
    fn expected() -> String {
        "a number, 0 or more".to_owned()
    }

    fn parse(raw: &Raw) -> Option<Self> {
        let number = match raw {
            Raw::Toml(toml::Value::Float(number)) => *number,
            #[expect(clippy::cast_precision_loss, reason = "settings are far below 2^52")]
            Raw::Toml(toml::Value::Integer(number)) => *number as Self,
            Raw::Toml(_) => return None,
            Raw::Text(text) => text.trim().parse().ok()?,
        };
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    fn example() -> String {
        "…".to_owned()
    }

    fn show(&self) -> Option<toml::Value> {
        Some(toml::Value::Float(*self))
    }
}

impl Setting for String {
    fn expected() -> String {
        "text".to_owned()
    }

    fn parse(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Toml(toml::Value::String(text)) | Raw::Text(text) => Some(text.clone()),
            Raw::Toml(_) => None,
        }
    }

    fn show(&self) -> Option<toml::Value> {
        Some(toml::Value::String(self.clone()))
    }
}

impl Setting for bool {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn parse(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Toml(toml::Value::Boolean(value)) => Some(*value),
            Raw::Toml(_) => None,
            Raw::Text(text) => text.trim().to_ascii_lowercase().parse().ok(),
        }
    }

    fn show(&self) -> Option<toml::Value> {
        Some(toml::Value::Boolean(*self))
    }
}

impl Setting for PathBuf {
    fn expected() -> String {
        "a path".to_owned()
    }

    fn parse(raw: &Raw) -> Option<Self> {
        String::parse(raw).map(Self::from)
    }

    fn show(&self) -> Option<toml::Value> {
        Some(toml::Value::String(self.display().to_string()))
    }
}

impl Setting for SecretString {
    const SECRET: bool = true;

    fn expected() -> String {
        "text of visible ASCII characters without spaces".to_owned()
    }

    /// Keys travel in HTTP headers, so anything else could never be sent.
    fn parse(raw: &Raw) -> Option<Self> {
        let text = String::parse(raw)?;
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then(|| text.into())
    }

    fn show(&self) -> Option<toml::Value> {
        debug_assert!(!self.expose_secret().is_empty());
        Some(toml::Value::String(MASK.to_owned()))
    }
}

/// Text that holds secrets: it may have lines and spaces, and is never shown.
#[derive(Debug, Clone)]
pub struct SecretLines(SecretString);

impl SecretLines {
    /// Returns the text.
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl Setting for SecretLines {
    const SECRET: bool = true;

    fn expected() -> String {
        "text".to_owned()
    }

    fn parse(raw: &Raw) -> Option<Self> {
        let text = String::parse(raw)?;
        Some(Self(text.into()))
    }

    fn show(&self) -> Option<toml::Value> {
        Some(toml::Value::String(MASK.to_owned()))
    }
}

macro_rules! address {
    ($($type:ty, $expected:literal, $example:literal);*) => {$(
        impl Setting for $type {
            fn expected() -> String {
                concat!($expected, " such as ", $example).to_owned()
            }

            fn parse(raw: &Raw) -> Option<Self> {
                String::parse(raw)?.trim().parse().ok()
            }

            fn show(&self) -> Option<toml::Value> {
                Some(toml::Value::String(self.to_string()))
            }

            fn example() -> String {
                concat!('"', $example, '"').to_owned()
            }
        }
    )*};
}
address!(
    IpAddr, "an IP address", "127.0.0.1";
    SocketAddr, "an IP address with a port", "127.0.0.1:9100"
);

impl<T: Setting> Setting for Option<T> {
    const SECRET: bool = T::SECRET;

    fn expected() -> String {
        T::expected()
    }

    fn parse(raw: &Raw) -> Option<Self> {
        T::parse(raw).map(Some)
    }

    fn show(&self) -> Option<toml::Value> {
        self.as_ref().and_then(T::show)
    }

    fn example() -> String {
        T::example()
    }
}

/// Lets an enum be a field: one word per variant.
macro_rules! choice {
    ($type:ty { $($variant:ident = $word:literal),* }) => {
        impl $crate::config::setting::Setting for $type {
            fn expected() -> String {
                format!("one of {}", [$(concat!('"', $word, '"')),*].join(", "))
            }

            fn parse(raw: &$crate::config::setting::Raw) -> Option<Self> {
                match <String as $crate::config::setting::Setting>::parse(raw)?.trim() {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }

            fn show(&self) -> Option<toml::Value> {
                Some(toml::Value::String(match self { $(Self::$variant => $word),* }.to_owned()))
            }
        }
    };
}

pub(super) use choice;
