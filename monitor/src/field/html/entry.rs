//! What a [`super::Document`] lists: resources and inputs.

/// Longest path and query of a resource that are kept, in bytes.
const MAX_PATH: usize = 512;
/// Longest host name, in bytes.
const MAX_HOST: usize = 255;

/// Something that a page loads from a named host.
#[derive(Clone, PartialEq, Eq)]
pub struct Resource {
    /// The host, in lower case, without port. Host names are no payload.
    pub host: String,
    /// The path, as written.
    pub path: String,
    /// The query, as written.
    pub query: String,
}

impl Resource {
    /// Parses an absolute or protocol-relative address. Relative ones lead to
    /// the page's own host, which is of no interest.
    pub(super) fn parse(address: &str) -> Option<Self> {
        let address = address.trim();
        let rest = match address.split_once("//") {
            Some(("", rest)) => rest,
            Some((scheme, rest))
                if ["http:", "https:"]
                    .iter()
                    .any(|known| scheme.eq_ignore_ascii_case(known)) =>
            {
                rest
            }
            _ => return None,
        };
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let host = authority.split(':').next().unwrap_or_default();
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_name = !host.is_empty()
            && host.len() <= MAX_HOST
            && host.contains('.')
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if !is_name {
            return None;
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Some(Self {
            host: host.to_ascii_lowercase(),
            path: head(if path.is_empty() { "/" } else { path }).to_owned(),
            query: head(query).to_owned(),
        })
    }
}

fn head(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_PATH))
        .unwrap_or_default()
}

/// Something that a form asks for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Input {
    /// Its type, in lower case: `text` where it has none.
    pub kind: String,
    /// Its name, id and autocomplete hint.
    pub names: Vec<String>,
    /// Its placeholder, its title and its label.
    pub labels: Vec<String>,
}

impl Input {
    /// Everything that says what is asked.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.names
            .iter()
            .chain(&self.labels)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }
}
