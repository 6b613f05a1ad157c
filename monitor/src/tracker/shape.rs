//! What the body of a tracker's protocol looks like.
//!
//! Many interfaces have a path such as `/v1/track`, including a clinic's own,
//! so such a path on an unknown host must be confirmed by the keys of the
//! message. Input: the paths of its fields as findings show them
//! (`body.batch[0].userId`). Output: whether they are those of the protocol.

use crate::{
    field::{Field, Fields, Step},
    name::named,
};

named! {
    /// The keys that a protocol's messages have.
    pub enum BodyShape {
        /// Segment's, which `RudderStack` and others use too: calls with a user and
        /// with what the library adds.
        Segment = "segment",
        /// `PostHog`'s: the project's key, an event, a distinct id.
        Posthog = "posthog",
        /// Mixpanel's: the project's token and the distinct id among the properties.
        Mixpanel = "mixpanel",
        /// Amplitude's: the project's key and events with a type.
        Amplitude = "amplitude",
        /// Universal Analytics: version, property, hit type, client.
        UniversalAnalytics = "universal_analytics",
        /// Snowplow's pixel: event, platform and tracker version.
        Snowplow = "snowplow",
        /// Adobe's experience data model.
        Xdm = "xdm",
    }
}

impl BodyShape {
    /// For each required item, the field paths that show it: `key` anywhere,
    /// `.key` at the top of the message, `key.` with anything below.
    const fn needs(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Segment => &[
                &["userId", "anonymousId", "user_id", "anonymous_id"],
                &["type", "event", "traits.", "name", "groupId", "previousId"],
                &[
                    "messageId",
                    "writeKey",
                    "originalTimestamp",
                    "sentAt",
                    "context.library.",
                    "batch[].context.",
                ],
            ],
            Self::Posthog => &[
                &["api_key", "token", "$token"],
                &["event"],
                &["distinct_id", "$distinct_id"],
            ],
            Self::Mixpanel => &[
                &["properties.token", "$token"],
                &["distinct_id", "$distinct_id"],
            ],
            Self::Amplitude => &[&[".api_key"], &["event_type"], &["user_id", "device_id"]],
            Self::UniversalAnalytics => &[&["v"], &["tid"], &["t"], &["cid", "uid"]],
            Self::Snowplow => &[&[".e"], &[".p"], &[".tv"]],
            Self::Xdm => &[&["xdm."]],
        }
    }
}

/// How many fields are checked: every message of a protocol shows its shape in
/// the first event.
const MAX_FIELDS: usize = 4_096;

/// Whether a message with these fields has the shape.
pub fn fields_fit(shape: BodyShape, fields: &Fields) -> bool {
    let path = |field: Field<'_>| {
        let mut path = field.part().as_str().to_owned();
        for step in field.steps() {
            match step {
                Step::Index(_) => path.push_str("[0]"),
                Step::Key(key) => path.extend([".", key]),
            }
        }
        path
    };
    body_fits(shape, fields.iter().map(path))
}

/// Whether a message with fields of these paths has the shape.
pub fn body_fits<S: AsRef<str>>(shape: BodyShape, paths: impl IntoIterator<Item = S>) -> bool {
    let needs = shape.needs();
    let mut missing: u32 = (1 << needs.len()) - 1;
    for path in paths.into_iter().take(MAX_FIELDS) {
        let path = path.as_ref();
        let Some(path) = path
            .strip_prefix("body")
            .or_else(|| path.strip_prefix("query"))
        else {
            continue;
        };
        for (bit, any) in needs.iter().enumerate() {
            if missing & (1 << bit) != 0 && any.iter().any(|wanted| shows(path, wanted)) {
                missing &= !(1 << bit);
            }
        }
        if missing == 0 {
            return true;
        }
    }
    false
}

/// Whether the steps of `path` are those of `wanted`. An index is ignored,
/// unless `[]` asks for one.
fn shows(path: &str, wanted: &str) -> bool {
    let top = wanted.starts_with('.');
    let below = wanted.ends_with('.');
    let wanted = wanted.trim_matches('.');
    let steps = || path.split('.').filter(|step| !step.is_empty());
    let keys = || wanted.split('.');
    let count = keys().count();
    let total = steps().count();
    let fits = |start: usize| {
        steps().skip(start).zip(keys()).all(|(step, key)| {
            let (name, index) = step
                .split_once('[')
                .map_or((step, false), |(name, _)| (name, true));
            match key.strip_suffix("[]") {
                Some(key) => index && name == key,
                None => name == key,
            }
        })
    };
    let Some(last) = total.checked_sub(count + usize::from(below)) else {
        return false;
    };
    // An index at the top (`body[0].event`) is no step of a key.
    let first = usize::from(steps().next().is_some_and(|step| step.starts_with('[')));
    match (top, below) {
        (true, true) => fits(first),
        (true, false) => last == first && fits(first),
        (false, true) => (0..=last).any(fits),
        (false, false) => fits(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shape: BodyShape, paths: &[&str], expected: bool) {
        assert_eq!(body_fits(shape, paths), expected, "{shape:?} {paths:?}");
    }

    #[test]
    fn messages_of_the_protocols_fit() {
        for (shape, paths) in [
            (
                BodyShape::Segment,
                "body.batch[0].type body.batch[0].userId body.batch[0].context.ip",
            ),
            (
                BodyShape::Segment,
                "body.event body.anonymousId body.messageId",
            ),
            (
                BodyShape::Segment,
                "body.traits.email body.userId body.context.library.name",
            ),
            (
                BodyShape::Posthog,
                "body.api_key body.batch[0].event body.batch[0].distinct_id",
            ),
            (
                BodyShape::Posthog,
                "body[0].event body[0].properties.token body[0].properties.distinct_id",
            ),
            (
                BodyShape::Mixpanel,
                "query.data.event query.data.properties.token query.data.properties.distinct_id",
            ),
            (BodyShape::Mixpanel, "body[0].$token body[0].$distinct_id"),
            (
                BodyShape::Amplitude,
                "body.api_key body.events[0].event_type body.events[0].user_id",
            ),
            (
                BodyShape::UniversalAnalytics,
                "query.v query.tid query.cid query.t",
            ),
            (BodyShape::Snowplow, "query.e query.p query.tv"),
            (BodyShape::Xdm, "body.events[0].xdm.eventType"),
        ] {
            let paths: Vec<_> = paths.split(' ').collect();
            check(shape, &paths, true);
            // Every part of a protocol's shape is needed.
            if paths.len() > 1 {
                check(shape, &paths[..1], false);
            }
        }
    }

    #[test]
    fn interfaces_of_others_do_not_fit() {
        for shape in BodyShape::ALL {
            check(
                *shape,
                &["body.patient.name", "body.event", "body.userId"],
                false,
            );
            check(*shape, &["body.batch[0].sku", "body.batch[0].type"], false);
            check(
                *shape,
                &["header.userId", "path[0]", "body", "body[0]"],
                false,
            );
            check(*shape, &[], false);
        }
        check(
            BodyShape::Segment,
            &["body.type", "body.userId", "body.context.reason"],
            false,
        );
    }
}
