//! Examines one message alone: who receives it, and what is in it.
//!
//! In: one exchange. Out: an [`Examined`] with the proofs in it. It needs
//! nothing from other messages, so several can be examined in parallel.

use std::sync::Arc;

use super::{
    recorded,
    target::{is_third_party, path_of},
};
use crate::{
    canary::{self, Canaries, Disclosure, Planting},
    event::{Origin, Source},
    field::{self, FieldLimits},
    finding::{Context, DigestCache, HostSource, Proof, Sender, prove, template},
    http::{Exchange, Protocol, Request},
    loss::Losses,
    message::Message,
    phi::{self, Detector},
    redact::{RedactedRequest, RedactionKey, Redactor},
    token::TokenKey,
    tracker::{Catalog, Match, Service, Services, fields_fit},
};

/// The recipient of a request.
struct Destination<'a> {
    /// The tracker, if it is one.
    matched: Option<Match>,
    host: &'a str,
    host_source: HostSource,
    /// The fields, where they had to be read to decide.
    fields: Option<field::Fields>,
    /// Whether the stream may carry requests to a tracker.
    may_follow: bool,
    /// Whether only the path matches a tracker's protocol so far.
    is_guess: bool,
}

/// The operator's configuration, which is the same for every message.
#[derive(Clone)]
pub struct Examiner {
    pub(super) catalog: Catalog,
    pub(super) services: Services,
    pub(super) key: TokenKey,
    pub(super) canaries: Canaries,
    pub(super) limits: FieldLimits,
    pub(super) records: Records,
}

/// How messages are to be recorded.
#[derive(Clone)]
pub(super) enum Records {
    /// Not at all.
    None,
    /// With their values replaced.
    Redacted(Arc<Redactor>),
    /// As they were sent.
    Sent,
}

/// What a worker thread remembers of earlier messages to be faster.
#[derive(Default)]
pub(super) struct WorkerCache {
    detector: Detector,
    digests: DigestCache,
}

/// An exchange with the results of examining it.
pub(super) struct Examined {
    pub(super) exchange: Box<Exchange>,
    /// What a redacted capture holds of it.
    pub(super) recorded: Option<Box<Message>>,
    pub(super) source: Source,
    /// The tracker, if it is one.
    pub(super) matched: Option<Match>,
    pub(super) host: String,
    pub(super) host_source: HostSource,
    /// Whether the stream may carry requests that matter.
    pub(super) may_follow: bool,
    /// Whether only the path matches a tracker's protocol so far.
    pub(super) is_guess: bool,
    /// What the request says, if it goes to a tracker.
    pub(super) proofs: Vec<Proof>,
    /// The planted values in it.
    pub(super) plantings: Vec<Planting>,
    /// The request with its values replaced, if it is to be recorded.
    pub(super) redacted: Option<RedactedRequest>,
    /// What was lost while reading it.
    pub(super) losses: Losses,
}

impl Examiner {
    /// An examiner that recognizes the trackers of `catalog` and makes tokens
    /// with `key`.
    pub fn new(catalog: Catalog, key: TokenKey) -> Self {
        Self {
            catalog,
            services: Services::default(),
            key,
            canaries: Canaries::default(),
            limits: FieldLimits::default(),
            records: Records::None,
        }
    }

    /// The trackers that it recognizes.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// This examiner with another catalog.
    #[must_use]
    pub fn with_catalog(self, catalog: Catalog) -> Self {
        Self { catalog, ..self }
    }

    /// This examiner, which knows these services.
    #[must_use]
    pub fn with_services(self, services: Services) -> Self {
        Self { services, ..self }
    }

    /// This examiner, which seeks planted values as well.
    #[must_use]
    pub fn with_canaries(self, canaries: Canaries) -> Self {
        Self { canaries, ..self }
    }

    /// This examiner, also replacing the values of every message for a
    /// recording. Messages whose values were replaced before stay as they are.
    #[must_use]
    pub fn with_redactor(self, redactor: Redactor) -> Self {
        Self {
            records: Records::Redacted(Arc::new(redactor)),
            ..self
        }
    }

    /// This examiner, also recording every message as it was sent.
    #[must_use]
    pub fn keeping(self) -> Self {
        Self {
            records: Records::Sent,
            ..self
        }
    }

    /// This examiner, also replacing the values of every message, with a key
    /// derived from that of the tokens.
    #[must_use]
    pub fn redacting(self) -> Self {
        let key = RedactionKey::from_bytes(self.key.derived("redaction"));
        self.with_redactor(Redactor::new(key))
    }

    /// Examines one exchange; `recorded` is what a redacted capture holds of it.
    /// `cache` only affects speed.
    pub(super) fn examine(
        &self,
        cache: &mut WorkerCache,
        mut exchange: Box<Exchange>,
        recorded: Option<Box<Message>>,
    ) -> Examined {
        let mut losses = Losses::default();
        if exchange.coded.is_some() && self.may_read(&exchange) {
            exchange.decode(&mut losses);
        }
        let Exchange { request, facts, .. } = &*exchange;
        let origin = facts.origin.as_deref();
        let Destination {
            matched,
            host,
            host_source,
            fields,
            may_follow,
            is_guess,
        } = self.destination(request, facts.server_name.as_deref(), &mut losses);
        let sought = !self.canaries.is_empty()
            && is_third_party(host, origin)
            && !self.catalog.is_first_party(host);
        let mut found = Found::default();
        let redactor = match &self.records {
            Records::Redacted(redactor) if recorded.is_none() => Some(&**redactor),
            _ => None,
        };
        let is_wanted = matched.is_some() || redactor.is_some();
        let known = recorded.as_ref().map(|message| &*message.facts);
        match known {
            Some(facts) if recorded::is_current(facts) => {
                found.proofs = recorded::proofs(facts);
            }
            _ if is_wanted || sought => {
                let fields =
                    fields.unwrap_or_else(|| field::read(request, &self.limits, &mut losses));
                let wanted = Wanted {
                    matched: matched.as_ref(),
                    is_read: is_wanted,
                    sought,
                    redactor,
                };
                found = self.find(request, fields, &wanted, cache);
                if let Some(facts) = known {
                    found.proofs = recorded::joined(facts, found.proofs);
                }
            }
            _ => {}
        }
        if let Some(facts) = known.filter(|_| !self.canaries.is_empty()) {
            found.plantings = recorded::plantings(facts);
        }
        let Found {
            proofs,
            plantings,
            redacted,
        } = found;
        Examined {
            source: origin.map_or(Source::Pcap, |origin| origin.source),
            host: host.to_owned(),
            host_source,
            may_follow: may_follow || sought,
            is_guess,
            proofs,
            plantings,
            redacted,
            losses,
            matched,
            recorded,
            exchange,
        }
    }

    /// Whether the content of a request may matter, as far as its head shows.
    fn may_read(&self, exchange: &Exchange) -> bool {
        let Exchange { request, facts, .. } = exchange;
        let path = path_of(request.target.expose());
        let is_tracker = |host| {
            let found = self.catalog.match_request(host, &request.method, &path);
            found.is_some()
        };
        !matches!(self.records, Records::None)
            || !self.canaries.is_empty()
            || is_tracker(request.host.as_deref())
            || (facts.server_name.as_deref()).is_some_and(|name| is_tracker(Some(name)))
    }

    /// What a request says, as far as it is wanted.
    fn find(
        &self,
        request: &Request,
        mut fields: field::Fields,
        wanted: &Wanted<'_>,
        cache: &mut WorkerCache,
    ) -> Found {
        let Wanted {
            matched,
            is_read,
            sought,
            redactor,
        } = *wanted;
        let mut found = Found::default();
        let mut planted: Vec<String> = Vec::new();
        if sought {
            let disclosures = self.canaries.find(&fields, request.body.expose());
            for disclosure in &disclosures {
                let planting = canary::prove(&self.key, &fields, disclosure);
                found.plantings.push(planting);
                planted.extend(values(&fields, disclosure));
            }
        }
        if is_read {
            phi::label_columns(&mut fields);
            let evidence = cache.detector.detect(&fields);
            found.redacted = redactor.map(|redactor| {
                let planted: Vec<_> = planted.iter().map(String::as_str).collect();
                let pattern = matched.and_then(|matched| matched.pattern.as_deref());
                let shown = template(request.target.expose(), pattern);
                redactor.request(request, &shown, &fields, &evidence, &planted)
            });
            found.proofs = prove(&self.key, &fields, evidence, Some(&mut cache.digests));
        }
        found
    }

    /// The recipient of a request. The host that it names has precedence; the
    /// TLS server name counts if it is a tracker's, even if the request names
    /// another host.
    fn destination<'a>(
        &self,
        request: &'a Request,
        server_name: Option<&'a str>,
        losses: &mut Losses,
    ) -> Destination<'a> {
        let path = path_of(request.target.expose());
        let is_absolute = !request.target.expose().starts_with(b"/");
        let named = request.host.as_deref().map(|host| {
            (
                host,
                if is_absolute {
                    HostSource::Target
                } else {
                    HostSource::HostHeader
                },
            )
        });
        let sni = server_name.map(|name| (name, HostSource::Sni));
        let candidates: Vec<(&str, HostSource)> = named.into_iter().chain(sni).collect();
        let (host, host_source) = candidates
            .first()
            .copied()
            .unwrap_or(("", HostSource::None));
        // A host that serves trackers under other paths, or a proxy, may get the
        // next request to a tracker on this connection.
        let mut destination = Destination {
            matched: None,
            host,
            host_source,
            fields: None,
            may_follow: is_absolute
                || is_shared(request, server_name)
                || candidates
                    .iter()
                    .any(|(host, _)| self.catalog.match_host(host).is_some()),
            is_guess: false,
        };
        let nameless = candidates.is_empty().then_some((None, HostSource::None));
        let named = candidates.iter().map(|(host, from)| (Some(*host), *from));
        for (host, from) in named.chain(nameless) {
            let Some(mut found) = self.catalog.match_request(host, &request.method, &path) else {
                continue;
            };
            if found.needs_body_shape.is_some() {
                destination.is_guess = true;
                destination.may_follow = true;
                let limits = &self.limits;
                let fields = (destination.fields)
                    .get_or_insert_with(|| field::read(request, limits, &mut *losses));
                let confirmed = self.catalog.confirm(host, &request.method, &path, |shape| {
                    fields_fit(shape, fields)
                });
                let Some(confirmed) = confirmed else {
                    continue;
                };
                found = confirmed;
            }
            destination.matched = Some(found);
            destination.host = host.unwrap_or_default();
            destination.host_source = from;
            break;
        }
        destination
    }

    /// What the operator declared about the sender of a message.
    pub(super) fn sender(&self, origin: Option<&Origin>) -> Sender<'_> {
        let service = origin
            .and_then(|origin| origin.process.as_deref())
            .and_then(|process| self.services.find(process));
        sender(service)
    }

    /// Everything about an examined request that its findings include.
    pub(super) fn context<'a>(&'a self, examined: &'a Examined) -> Context<'a> {
        let Exchange { request, facts, .. } = &*examined.exchange;
        let origin = facts.origin.as_deref();
        Context {
            request,
            origin,
            sender: self.sender(origin),
            server_name: facts.server_name.as_deref(),
            matched: examined.matched.as_ref(),
            host: &examined.host,
            host_source: examined.host_source,
            path: examined
                .recorded
                .as_ref()
                .map(|recorded| recorded.facts.path.as_str())
                .filter(|path| !path.is_empty()),
            key: &self.key,
        }
    }
}

/// What has to be done with one request.
struct Wanted<'a> {
    /// The tracker that it goes to.
    matched: Option<&'a Match>,
    /// What it says is wanted.
    is_read: bool,
    /// Planted values are sought in it.
    sought: bool,
    /// Replaces its values.
    redactor: Option<&'a Redactor>,
}

/// What was found in one request.
#[derive(Default)]
struct Found {
    proofs: Vec<Proof>,
    plantings: Vec<Planting>,
    redacted: Option<RedactedRequest>,
}

/// The values of a disclosed canary as they occur in the message.
fn values(fields: &field::Fields, disclosure: &Disclosure) -> Vec<String> {
    disclosure
        .hits
        .iter()
        .flat_map(|hit| {
            let sent = hit.field.and_then(|field| fields.get(field));
            let sent = sent.map(|field| field.value().to_owned());
            [Some(hit.normalized.expose().clone()), sent]
        })
        .flatten()
        .collect()
}

/// What the operator declared about a service.
fn sender(service: Option<&Service>) -> Sender<'_> {
    service.map_or_else(Sender::default, |service| Sender {
        service: Some(&service.name),
        is_health: service.health,
    })
}

/// Whether a connection may carry requests to several hosts. One of HTTP/2 may where it
/// does not lead to the host that this request names: to a proxy or a sidecar. Nothing
/// that is left out of it could be understood later, so this must be certain.
fn is_shared(request: &Request, server_name: Option<&str>) -> bool {
    let is_direct = || {
        let names = request.host.as_deref().zip(server_name);
        names.is_some_and(|(host, name)| host.eq_ignore_ascii_case(name))
    };
    request.protocol == Protocol::Http2 && !is_direct()
}
