//! Header lists to the heads of requests, and to statuses (RFC 9113, section 8.3).

use bytes::{Bytes, BytesMut};

use super::{hpack::Field, reader::Headers};
use crate::{
    http::{
        head::{RequestHead, host_of_authority, is_header_name, is_method},
        message::{Completeness, Header, Protocol, UNKNOWN},
    },
    loss::{Loss, Losses},
    secret::Secret,
};

/// What stands between the parts of a cookie.
const CRUMB: &[u8] = b"; ";

/// The value of the first field with this name, if it is known.
fn value<'a>(fields: &'a [Field], name: &str) -> Option<&'a Bytes> {
    let field = fields
        .iter()
        .find(|field| field.name.as_deref() == Some(name.as_bytes()))?;
    field.value.as_ref()
}

/// Whether these fields are those of a request beyond doubt.
pub(super) fn is_request(fields: &[Field]) -> bool {
    let is_sound = |field: &Field| {
        field.name.as_deref().is_none_or(|name| {
            let rest = name.strip_prefix(b":").unwrap_or(name);
            is_header_name(rest) && !rest.iter().any(u8::is_ascii_uppercase)
        })
    };
    let is_http = value(fields, ":scheme")
        .is_some_and(|scheme| matches!(&**scheme, b"http" | b"https"))
        || value(fields, ":path").is_some_and(|path| path.starts_with(b"/"));
    // Pseudo-headers come first, each once.
    let names = || fields.iter().filter_map(|field| field.name.as_deref());
    let pseudo = names().take_while(|name| name.starts_with(b":"));
    let pseudo: Vec<&[u8]> = pseudo.collect();
    let are_sorted = names().filter(|name| name.starts_with(b":")).count() == pseudo.len();
    let are_single = pseudo.iter().enumerate().all(|(at, name)| {
        let earlier = pseudo.get(..at).unwrap_or_default();
        !earlier.contains(name)
    });
    is_http
        && are_sorted
        && are_single
        && value(fields, ":method").is_some_and(|method| is_method(method))
        && fields.iter().all(is_sound)
}

/// The final status, if the fields have one.
pub(super) fn status(fields: &[Field]) -> Option<u16> {
    let digits = value(fields, ":status")?;
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (digits.len() == 3 && (100..=999).contains(&status)).then_some(status)
}

/// Whether any field says that a request begins.
pub(super) fn begins(fields: &[Field]) -> bool {
    let is_pseudo = |name: &Bytes| matches!(&**name, b":method" | b":path" | b":authority");
    fields
        .iter()
        .any(|field| field.name.as_ref().is_some_and(is_pseudo))
}

/// The headers of a list without its pseudo-headers.
pub(super) fn headers(
    fields: Vec<Field>,
    completeness: &mut Completeness,
    losses: &mut Losses,
) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::with_capacity(fields.len());
    let mut is_malformed = false;
    for Field { name, value } in fields {
        let name = name.as_deref().unwrap_or(UNKNOWN.as_bytes());
        if name.first() == Some(&b':') {
            continue;
        }
        if !is_header_name(name) && name != UNKNOWN.as_bytes() {
            is_malformed = true;
            continue;
        }
        let value = clean(value, &mut is_malformed);
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        // A cookie may be sent in parts, which are compressed on their own.
        let earlier = headers
            .iter_mut()
            .find(|earlier| name == "cookie" && earlier.name == name);
        if let Some(earlier) = earlier {
            earlier.value = Secret::new(joined(earlier.value.expose(), &value));
        } else {
            let value = Secret::new(value);
            headers.push(Header { name, value });
        }
    }
    if is_malformed {
        losses.count(Loss::HttpMalformed);
        *completeness = completeness.and(Completeness::Truncated);
    }
    headers
}

fn joined(first: &[u8], second: &[u8]) -> Bytes {
    let mut whole = BytesMut::with_capacity(first.len() + CRUMB.len() + second.len());
    for part in [first, CRUMB, second] {
        whole.extend_from_slice(part);
    }
    whole.freeze()
}

/// A value that can stand in a line, as everything behind this expects.
fn clean(value: Option<Bytes>, is_malformed: &mut bool) -> Bytes {
    let Some(value) = value else {
        return Bytes::from_static(UNKNOWN.as_bytes());
    };
    let is_bad = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
    if value.iter().any(is_bad) {
        *is_malformed = true;
        let good = value
            .iter()
            .map(|byte| if is_bad(byte) { b' ' } else { *byte });
        let good: Vec<u8> = good.collect();
        return Bytes::copy_from_slice(good.trim_ascii());
    }
    value.slice_ref(value.trim_ascii())
}

/// The head of the request that a header list begins.
pub(super) fn request_head(list: &mut Headers, losses: &mut Losses) -> RequestHead {
    let fields = std::mem::take(&mut list.fields);
    let is_known = |field: &Field| field.name.is_some() && field.value.is_some();
    let mut completeness = list.completeness;
    if !fields.iter().all(is_known) {
        completeness = completeness.and(list.unknown);
    }
    let memory = fields.iter().map(|field| field.length() + 64).sum();
    let mut is_malformed = false;
    let method = value(&fields, ":method").filter(|method| is_method(method));
    let method = method.map_or(UNKNOWN.into(), |method| {
        String::from_utf8_lossy(method).into_owned()
    });
    let authority = value(&fields, ":authority").cloned();
    // CONNECT has no path.
    let path = value(&fields, ":path").cloned();
    let target = path.or_else(|| authority.clone().filter(|_| method == "CONNECT"));
    let target = clean(target, &mut is_malformed);
    let authority = authority.map(|authority| clean(Some(authority), &mut is_malformed));
    if is_malformed {
        losses.count(Loss::HttpMalformed);
        completeness = completeness.and(Completeness::Truncated);
    }
    let mut headers = headers(fields, &mut completeness, losses);
    let named = headers.iter().position(|header| header.name == "host");
    if let (Some(authority), None) = (&authority, named) {
        let header = Header {
            name: "host".to_owned(),
            value: Secret::new(authority.clone()),
        };
        headers.insert(0, header);
    }
    let host = authority
        .as_deref()
        .and_then(host_of_authority)
        .or_else(|| {
            let header = headers.get(named?)?;
            host_of_authority(header.value.expose())
        });
    RequestHead {
        protocol: Protocol::Http2,
        method,
        target,
        host,
        headers,
        completeness,
        memory,
    }
}
