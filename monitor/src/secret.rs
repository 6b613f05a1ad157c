//! Values that may hold payload, and so must never be printed.
//!
//! A monitor that logged what it read would be the very leak it exists to find.
//! Every byte of a watched process travels in a [`Secret`]: it has no
//! `Display`, and its `Debug` shows only a length. The only access is
//! [`Secret::expose`], which a reviewer can grep for.

use std::fmt;

use bytes::Bytes;

/// A payload value. `Debug` prints its length in bytes, never its content.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. It must not be printed.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, by move. It must not be printed.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

/// The length of a payload value in bytes, which is all that may be shown of it.
pub trait SecretLength {
    /// Length in bytes.
    fn secret_length(&self) -> usize;
}

impl SecretLength for Bytes {
    fn secret_length(&self) -> usize {
        self.len()
    }
}

impl SecretLength for Vec<u8> {
    fn secret_length(&self) -> usize {
        self.len()
    }
}

impl SecretLength for String {
    fn secret_length(&self) -> usize {
        self.len()
    }
}

impl SecretLength for &str {
    fn secret_length(&self) -> usize {
        self.len()
    }
}

impl SecretLength for &[u8] {
    fn secret_length(&self) -> usize {
        self.len()
    }
}

impl<T: SecretLength> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.secret_length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_length_and_nothing_else() {
        let planted = "jane.roe@example.com";
        let shown = format!(
            "{:?} {:#?}",
            Secret::new(planted),
            Secret::new(planted.to_owned())
        );
        assert!(shown.contains("Secret(20 bytes)"), "{shown}");
        assert!(
            !shown.contains("jane") && !shown.contains("example"),
            "{shown}"
        );
    }
}
