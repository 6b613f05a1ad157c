//! Entities of HTML and XML (`&amp;`, `&#64;`) to characters. Unknown ones stay
//! as they are.

use std::borrow::Cow;

use super::url;

/// The longest entity that is looked for, in bytes.
const MAX_ENTITY: usize = 12;

/// Whether there is an entity in these bytes.
pub(crate) fn has_entity(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'&', bytes).any(|at| {
        let from = at.saturating_add(1);
        let window = bytes.get(from..).unwrap_or_default();
        let window = window.get(..MAX_ENTITY).unwrap_or(window);
        let (name, behind) = url::split_once(window, b';');
        behind.is_some() && entity_value(name).is_some()
    })
}

/// Without the five entities of XML, the space of HTML and numeric ones.
pub(crate) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'&', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut content = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (clean, entity) = rest.split_at(at);
        content.extend_from_slice(clean);
        let window = entity
            .get(1..MAX_ENTITY.min(entity.len()))
            .unwrap_or_default();
        let (name, behind) = url::split_once(window, b';');
        if let Some(character) = behind.and_then(|_| entity_value(name)) {
            let mut buffer = [0; 4];
            content.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            rest = entity
                .get(name.len().saturating_add(2)..)
                .unwrap_or_default();
        } else {
            content.push(b'&');
            rest = entity.get(1..).unwrap_or_default();
        }
    }
    content.extend_from_slice(rest);
    Cow::Owned(content)
}

/// The character of an entity, without its `&` and `;`.
fn entity_value(name: &[u8]) -> Option<char> {
    let number = match name {
        b"amp" => return Some('&'),
        b"lt" => return Some('<'),
        b"gt" => return Some('>'),
        b"quot" => return Some('"'),
        b"apos" => return Some('\''),
        b"nbsp" => return Some(' '),
        _ => std::str::from_utf8(name.strip_prefix(b"#")?).ok()?,
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities() {
        for (escaped, expected) in [
            ("a &amp;&lt;b&gt; &quot;c&apos;", "a &<b> \"c'"),
            ("&#65;&#x42;&#x1f600;", "AB\u{1f600}"),
            ("&nope;&#xd800;&#;&", "&nope;&#xd800;&#;&"),
            ("AT&T", "AT&T"),
        ] {
            assert_eq!(
                unescape(escaped.as_bytes()),
                expected.as_bytes(),
                "{escaped}"
            );
        }
    }
}
