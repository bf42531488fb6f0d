//! One section: the macro that turns a documented list of fields into a struct, its defaults and its reader.

use super::{check::Check, load::Reader};

/// What the loader, the checks and the printer need of a section.
pub(super) trait Section {
    /// The name in brackets.
    fn name(&self) -> &'static str;
    /// The documentation, line by line.
    fn doc(&self) -> &'static [&'static str];
    /// The fields with their present values, in the order of declaration.
    fn fields(&self) -> Vec<Field>;
    /// Takes over whatever was found for this section.
    fn read(&mut self, reader: &mut Reader<'_>);
    /// Checks the values that the types alone cannot.
    fn validate(&self, check: &mut Check<'_>);
}

/// One field, ready to be shown.
pub(super) struct Field {
    /// The name within its section.
    pub(super) name: &'static str,
    /// The documentation, line by line.
    pub(super) doc: &'static [&'static str],
    /// The value as TOML, masked when secret; `None` when it is not set.
    pub(super) value: Option<toml::Value>,
    /// A value that the field could have, as TOML.
    pub(super) example: String,
}

/// Declares a section's struct. Its file adds `fn validate(&self, check: &mut Check<'_>)`.
macro_rules! section {
    ($(#[doc = $doc:literal])* [$section:ident] $name:ident {
        $($(#[doc = $field_doc:literal])* $field:ident: $type:ty = $default:expr,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::config::section::Section for $name {
            fn name(&self) -> &'static str {
                stringify!($section)
            }

            fn doc(&self) -> &'static [&'static str] {
                &[$($doc),*]
            }

            fn fields(&self) -> Vec<$crate::config::section::Field> {
                vec![$($crate::config::section::Field {
                    name: stringify!($field),
                    doc: &[$($field_doc),*],
                    value: $crate::config::setting::Setting::show(&self.$field),
                    example: <$type as $crate::config::setting::Setting>::example(),
                }),*]
            }

            fn read(&mut self, reader: &mut $crate::config::load::Reader<'_>) {
                $(reader.read(stringify!($section), stringify!($field), &mut self.$field);)*
            }

            fn validate(&self, check: &mut $crate::config::check::Check<'_>) {
                $name::validate(self, check);
            }
        }
    };
}

pub(super) use section;
