//! The heads of messages, in the form that all protocols share.

use bytes::Bytes;

use super::message::{Completeness, Header, Protocol};

/// Longest head that is kept, in bytes.
pub const MAX_HEAD: usize = 64 * 1024;
/// Most headers that are kept of a request.
pub const MAX_HEADERS: usize = 1_024;
/// Longest method, in bytes.
pub(super) const MAX_METHOD: usize = 32;
/// Longest host name with port, in bytes.
const MAX_HOST: usize = 261;

/// Method, target and host of a request.
pub(super) type Line = (String, Bytes, Option<String>);

/// The head of a request.
pub(super) struct RequestHead {
    pub(super) protocol: Protocol,
    pub(super) method: String,
    pub(super) target: Bytes,
    pub(super) host: Option<String>,
    pub(super) headers: Vec<Header>,
    pub(super) completeness: Completeness,
    /// Bytes of memory that it holds, about.
    pub(super) memory: usize,
}

impl RequestHead {
    /// Method, target and host. The target shares the memory of the whole head.
    pub(super) fn line(&self) -> Line {
        (self.method.clone(), self.target.clone(), self.host.clone())
    }
}

/// Whether this can be a method. Fewer are allowed than by the standard.
pub(super) fn is_method(method: &[u8]) -> bool {
    (1..=MAX_METHOD).contains(&method.len()) && method.iter().copied().all(is_method_byte)
}

/// Whether a method may hold this byte.
pub(super) const fn is_method_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Whether this can be the name of a header.
pub(super) fn is_header_name(name: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(is_allowed)
}

/// The host of `[user@]host[:port]`, lower case, without a final dot.
pub(super) fn host_of_authority(authority: &[u8]) -> Option<String> {
    let host = authority.rsplit(|byte| *byte == b'@').next()?;
    let host = if host.first() == Some(&b'[') {
        let end = memchr::memchr(b']', host)?;
        host.get(..=end)?
    } else {
        host.split(|byte| *byte == b':').next()?
    };
    let host = host.strip_suffix(b".").unwrap_or(host);
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(byte);
    if host.is_empty() || host.len() > MAX_HOST || !host.iter().all(allowed) {
        return None;
    }
    std::str::from_utf8(host).ok().map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_from_authorities() {
        for (authority, expected) in [
            ("Example.COM", Some("example.com")),
            ("example.com.:8443", Some("example.com")),
            ("user:secret@example.com:80", Some("example.com")),
            ("[2001:db8::1]:443", Some("[2001:db8::1]")),
            ("", None),
            (":80", None),
            ("not a host", None),
        ] {
            assert_eq!(
                host_of_authority(authority.as_bytes()).as_deref(),
                expected,
                "{authority}"
            );
        }
    }
}
