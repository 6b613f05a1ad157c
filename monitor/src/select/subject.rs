//! What of a finding can be asked for.
//!
//! One table: the name of each field, its type, and its values if they are a
//! closed set.

use std::{borrow::Cow, sync::Arc};

use crate::{
    event::{Blindness, Source},
    finding::{Finding, Kind, Severity, category_name, form_name, source_name, token_digits},
    http::Completeness,
    phi::{Class, Form, Health, Identifier},
    rules,
    tracker::{Catalog, Category, IMPORTED},
};

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// `info` to `critical`.
    Severity,
    /// A number without sign.
    Number,
    /// A point in time.
    Time,
    /// A text.
    Text,
    /// Several texts.
    Set,
}

impl Type {
    /// What the type is, in words.
    pub(super) const fn article(self) -> &'static str {
        match self {
            Self::Severity => "a severity",
            Self::Number => "a number",
            Self::Time => "a time",
            Self::Text => "a text",
            Self::Set => "a set",
        }
    }
}

/// What a field of a finding holds.
pub(super) enum Value<'a> {
    Severity(Severity),
    Number(Option<u64>),
    Time(u64),
    Text(Option<Cow<'a, str>>),
    Set(Vec<Cow<'a, str>>),
}

/// A field that can be asked for.
pub(super) struct Subject {
    pub(super) name: &'static str,
    pub(super) of_type: Type,
    /// What it is, in the help.
    pub(super) about: &'static str,
    pub(super) value: for<'a> fn(&'a Finding) -> Value<'a>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! subjects {
    ($($name:literal $of_type:ident $about:literal $value:expr;)*) => {
        /// Every field, in the order of the record.
        pub(super) const SUBJECTS: &[Subject] = &[$(Subject {
            name: $name,
            of_type: Type::$of_type,
            about: $about,
            value: $value,
        }),*];
    };
}

fn text<'a>(text: impl Into<Cow<'a, str>>) -> Value<'a> {
    Value::Text(Some(text.into()))
}

fn maybe<'a>(text: Option<impl Into<Cow<'a, str>>>) -> Value<'a> {
    Value::Text(text.map(Into::into))
}

fn set<'a>(texts: impl Iterator<Item: Into<Cow<'a, str>>>) -> Value<'a> {
    Value::Set(texts.map(Into::into).collect())
}

subjects! {
    "id" Text "id of the finding" |f| text(&*f.id);
    "time" Time "when the first byte was sent" |f| Value::Time(f.time.0);
    "kind" Text "request, page, contact, canary" |f| text(f.kind.as_str());
    "severity" Severity "info < low < medium < high < critical" |f| Value::Severity(f.severity);
    "label" Set "labels of the finding and of its fields" |f| {
        let fields = f.fields.iter().flat_map(|field| &field.labels);
        let fields = fields.map(|label| label.as_str());
        set(f.labels.iter().map(|label| label.as_str()).chain(fields))
    };
    "tracker" Text "id of the recipient (phiwatch trackers lists them)" |f| {
        text(&*f.recipient.tracker)
    };
    "owner" Text "company of the recipient" |f| text(&*f.recipient.owner);
    "category" Text "category of the recipient" |f| text(category_name(f.recipient.category));
    "host" Text "host that received it" |f| text(&*f.recipient.host);
    "page_host" Text "host of a page with a tracker in it" |f| {
        let request = f.request.as_ref();
        maybe(request.and_then(|request| request.host.as_deref()))
    };
    "class" Set "classes of data, of identifiers and health together" |f| {
        set(f.classes().map(Class::as_str))
    };
    "identifiers" Set "classes of identifiers" |f| set(f.identifiers.iter().map(|own| own.as_str()));
    "health" Set "classes of health information" |f| set(f.health.iter().map(|own| own.as_str()));
    "form" Set "forms of the values: plain, sha256, …" |f| {
        set(f.fields.iter().map(|field| form_name(field.form)))
    };
    "rule" Set "rules that recognized them" |f| {
        set(f.fields.iter().map(|field| field.rule))
    };
    "field" Set "paths of the fields: body.email, query.q, …" |f| {
        set(f.fields.iter().map(|field| &*field.path))
    };
    "token" Set "tokens of the values" |f| {
        set(f.fields.iter().map(|field| token_digits(field.token)))
    };
    "method" Text "method of the request" |f| {
        maybe(f.request.as_ref().map(|request| &*request.method))
    };
    "path" Text "path of the request, as findings show it" |f| {
        maybe(f.request.as_ref().map(|request| &*request.path))
    };
    "protocol" Text "http/1.1, …" |f| {
        maybe(f.request.as_ref().map(|request| request.protocol.as_str()))
    };
    "status" Number "status of the answer" |f| {
        let status = f.request.as_ref().and_then(|request| request.status);
        Value::Number(status.map(u64::from))
    };
    "bytes" Number "length of the request as sent; 10kB, 2MiB and so on" |f| {
        Value::Number(f.request.as_ref().map(|request| request.bytes))
    };
    "body_bytes" Number "length of its body as sent" |f| {
        Value::Number(f.request.as_ref().map(|request| request.body_bytes))
    };
    "reason" Text "of a contact: why it could not be read" |f| {
        maybe(f.contact.as_ref().map(|contact| contact.reason.as_str()))
    };
    "connections" Number "of a contact: how many connections it was" |f| {
        Value::Number(f.contact.as_ref().map(|contact| contact.connections))
    };
    "pid" Number "id of the process" |f| Value::Number(f.process.pid.map(u64::from));
    "exe" Text "executable of the process" |f| maybe(f.process.exe.as_deref());
    "comm" Text "name of the process" |f| maybe(f.process.comm.as_deref());
    "cgroup" Text "cgroup of the process" |f| maybe(f.process.cgroup.as_deref());
    "container" Text "id of its container" |f| maybe(f.process.container.as_deref());
    "unit" Text "its systemd unit" |f| maybe(f.process.unit.as_deref());
    "service" Text "the operator's name for it" |f| maybe(f.process.service.as_deref());
    "peer" Text "address and port of the other end" |f| maybe(f.peer.addr.map(|own| own.to_string()));
    "sni" Text "server name that the TLS client asked for" |f| maybe(f.peer.sni.as_deref());
    "source" Text "who saw it, like openssl or socket" |f| text(source_name(f.source));
    "completeness" Text "how much of the message was seen" |f| text(f.completeness.as_str());
    "person" Text "token of the person" |f| maybe(f.person.map(|own| own.to_string()));
    "state" Set "US states of the addresses in it" |f| set(f.states.iter().copied());
    "people" Number "how many people a summary is about" |f| Value::Number(f.people);
    "file" Text "capture file with the bytes" |f| {
        maybe(f.evidence.as_ref().map(|evidence| &*evidence.file))
    };
    "packet" Number "number of the packet in it" |f| {
        Value::Number(f.evidence.as_ref().map(|evidence| evidence.packet))
    };
}

/// The field of this name.
pub(super) fn find(name: &str) -> Option<&'static Subject> {
    SUBJECTS.iter().find(|subject| subject.name == name)
}

/// Names that a filter may use: those of the catalog, besides the closed sets.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    trackers: Vec<Arc<str>>,
}

impl Vocabulary {
    /// The names of the trackers of these catalogs.
    pub fn of<'a>(catalogs: impl IntoIterator<Item = &'a Catalog>) -> Self {
        let entries = catalogs.into_iter().flat_map(Catalog::entries);
        let mut trackers: Vec<Arc<str>> = entries.map(|entry| Arc::clone(&entry.id)).collect();
        // What imported lists and canaries name.
        trackers.extend([Arc::from(IMPORTED), Arc::from("unknown")]);
        trackers.sort();
        trackers.dedup();
        Self { trackers }
    }

    /// The ids of trackers.
    pub fn trackers(&self) -> impl Iterator<Item = &str> + Clone {
        self.trackers.iter().map(|id| &**id)
    }

    /// The values of a field that is a closed set; `None` where it is open.
    pub(super) fn values(&self, subject: &Subject) -> Option<Vec<&str>> {
        let identifiers = || Identifier::ALL.iter().map(|own| own.as_str());
        let health = || Health::ALL.iter().map(|own| own.as_str());
        Some(match subject.name {
            "kind" => Kind::ALL.iter().map(|own| own.as_str()).collect(),
            "severity" => Severity::ALL.iter().map(|own| own.as_str()).collect(),
            "tracker" => self.trackers().collect(),
            "category" => Category::ALL.iter().map(|own| own.as_str()).collect(),
            "class" => identifiers().chain(health()).collect(),
            "identifiers" => identifiers().collect(),
            "health" => health().collect(),
            "reason" => Blindness::ALL.iter().map(|own| own.as_str()).collect(),
            "form" => Form::ALL.iter().map(|own| own.as_str()).collect(),
            "source" => Source::ALL.iter().map(|own| own.as_str()).collect(),
            "completeness" => Completeness::ALL.iter().map(|own| own.as_str()).collect(),
            "rule" => rules::topics()
                .flat_map(|topic| topic.rules)
                .map(|(id, _)| *id)
                .collect(),
            _ => return None,
        })
    }
}
