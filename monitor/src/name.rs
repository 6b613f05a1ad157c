//! Closed sets: an enum in memory, a name in records.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// A value of a closed set.
pub(crate) trait Named: Copy {
    /// Its name in records.
    fn name(self) -> &'static str;
}

/// What is read from its text in records.
pub(crate) trait Read: Copy {
    /// The value that writes itself as `text`.
    fn read(text: &str) -> Option<Self>;
}

/// What a capture says, perhaps one of another build: a value that this build
/// knows, or else the text, which stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaybeKnown<T> {
    /// The value.
    Value(T),
    /// A text that is none.
    Other(Box<str>),
}

impl<T: Copy> MaybeKnown<T> {
    /// The value, if this build knows it.
    pub const fn value(&self) -> Option<T> {
        match self {
            Self::Value(value) => Some(*value),
            Self::Other(_) => None,
        }
    }
}

impl<T> MaybeKnown<T> {
    /// The name in records.
    pub(crate) fn as_str(&self) -> &str
    where
        T: Named,
    {
        match self {
            Self::Value(value) => value.name(),
            Self::Other(text) => text,
        }
    }
}

/// Nothing was said.
impl<T> Default for MaybeKnown<T> {
    fn default() -> Self {
        Self::Other("".into())
    }
}

impl<T> From<T> for MaybeKnown<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: Serialize> Serialize for MaybeKnown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Other(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de, T: Read> Deserialize<'de> for MaybeKnown<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text(PhantomData))
    }
}

/// Reads a [`MaybeKnown`].
struct Text<T>(PhantomData<T>);

impl<T: Read> Visitor<'_> for Text<T> {
    type Value = MaybeKnown<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<MaybeKnown<T>, E> {
        Ok(T::read(text).map_or_else(|| MaybeKnown::Other(text.into()), MaybeKnown::Value))
    }
}

/// The names of `values`, in their order.
pub(crate) fn joined<T: Named>(values: &[T], separator: &str) -> String {
    let names: Vec<_> = values.iter().map(|own| own.name()).collect();
    names.join(separator)
}

/// `values` sorted by name, each once.
pub(crate) fn sorted<T: Named + PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable_by_key(|own| own.name());
    values.dedup();
    values
}

/// Declares an enum whose values each have a name, which records and labels
/// show.
macro_rules! named {
    (
        $(#[$attribute:meta])*
        pub enum $type:ident {
            $($(#[$about:meta])* $value:ident = $name:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type {
            $($(#[$about])* $value,)+
        }

        impl $type {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The name in records and labels.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }

            /// The value of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|own| own.as_str() == name)
            }
        }

        impl $crate::name::Named for $type {
            fn name(self) -> &'static str {
                self.as_str()
            }
        }

        impl $crate::name::Read for $type {
            fn read(text: &str) -> Option<Self> {
                Self::from_name(text)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use named;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{class::Class, token::Token};

    /// Reads a text as a capture has it, and writes it back.
    fn check<T: Read + Serialize>(text: &str, is_known: bool) {
        let json = format!("\"{text}\"");
        let read: MaybeKnown<T> = serde_json::from_str(&json).unwrap();
        assert_eq!(read.value().is_some(), is_known, "{text}");
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
    }

    #[test]
    fn what_is_not_known_stays_as_it_is() {
        for (text, is_known) in [
            ("email", true),
            ("condition", true),
            ("Email", false),
            ("astrology", false),
            ("", false),
        ] {
            check::<Class>(text, is_known);
        }
        for (text, is_known) in [
            ("0123456789abcdef0123456789abcdef", true),
            ("0123456789ABCDEF0123456789ABCDEF", false),
            ("+123456789abcdef0123456789abcdef", false),
            ("1234", false),
        ] {
            check::<Token>(text, is_known);
        }
    }
}
