//! Pages that a server sent and that load trackers, to findings.
//!
//! In: [`Page`]s. Out: findings of kind `page`: one for each tracker on each
//! route of each service, and again when the relevant markup changes.
//!
//! The severity follows from the matrix of all findings. The visitor's browser
//! always gives the tracker a cookie and an IP address, so the identifier is at
//! least I1; personal values that the page passes to a tracker, in its inline
//! scripts or its own address, count with their own level. What the route, the
//! title, the headings and the forms say about health is H2; explicit values in
//! inline scripts are H3. Then:
//!
//! - a form that asks a visitor for health information, or for more personal
//!   data than an email address, on a page about health: high at least;
//! - no form that asks for anything, and no route of care such as an assessment
//!   or a booking: a page for reading, one level milder;
//! - no health at all: info, and low if a form asks for identity.

mod form;
mod loader;
mod route;

use std::{
    collections::{BTreeMap, HashMap, HashSet, hash_map::Entry},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use bytes::Bytes;
use form::FormClasses;
use loader::Loaded;

use super::{
    EvidenceRecord, FieldRecord, Finding, HealthLevel, HostSource, IdentifierLevel, Kind, Memory,
    PeerRecord, RecipientRecord, RequestRecord, SCHEMA, Sender, Severity,
    assemble::{self, MAX_FIELDS},
    judge,
    proof::{Proof, prove},
    severity::{AGREEMENT_LEVELS, severity},
};
use crate::{
    event::{Origin, Timestamp},
    field::{FieldLimits, Fields, Part, html},
    http::{Completeness, Page, Protocol},
    loss::{Loss, Losses},
    name,
    phi::{self, Class, Evidence, Health},
    secret::Secret,
    token::TokenKey,
    tracker::{Catalog, Weight},
};

/// Most routes, each with one tracker, that are remembered.
const MAX_ROUTES: usize = 16_384;
/// How many versions of one route are distinguished; further ones are not
/// reported.
const MAX_VERSIONS: usize = 16;
/// Most bytes of pages, as sent, that are examined in one second.
const MAX_BYTES_PER_SECOND: usize = 16 * 1024 * 1024;
const SECOND: u64 = 1_000_000_000;

/// The known routes, and how much was examined recently.
#[derive(Default)]
pub struct Pages {
    routes: HashMap<u64, Route>,
    order: BTreeMap<u64, u64>,
    next: u64,
    second: u64,
    spent: usize,
}

/// What is the same for all pages of a service.
#[derive(Clone, Copy)]
pub struct PageSettings<'a> {
    /// The trackers.
    pub catalog: &'a Catalog,
    /// What the operator declared about the service.
    pub sender: Sender<'a>,
    /// The key of the tokens.
    pub key: &'a TokenKey,
    /// How much of a page is examined.
    pub limits: &'a FieldLimits,
    /// What was found in the page before its values were replaced.
    pub recorded: Option<&'a PageProofs>,
}

/// What was found in a page, from which its findings can be made again.
#[derive(Clone, Debug, Default)]
pub struct PageProofs {
    /// The evidence.
    pub proofs: Vec<Proof>,
    /// The template of its route.
    pub path: String,
}

/// A page that gave findings, with everything that a recording needs.
pub struct PageResult {
    /// The findings.
    pub findings: Vec<Finding>,
    /// What was found in it.
    pub proofs: PageProofs,
    /// Its markup, without codings.
    pub markup: Secret<Bytes>,
    /// Its fields.
    pub fields: Fields,
    /// The evidence in them.
    pub evidence: Vec<Evidence>,
}

struct Route {
    stamp: u64,
    versions: Vec<u64>,
}

/// What is the same for all trackers of a page.
struct PageContext<'a> {
    page: &'a Page,
    sender: Sender<'a>,
    completeness: Completeness,
    template: &'a str,
    proofs: &'a [Proof],
    asked: FormClasses,
}

impl Pages {
    /// The findings that `page` adds to those of earlier pages; `None` if it
    /// adds none.
    pub fn examine(
        &mut self,
        page: &Page,
        settings: &PageSettings<'_>,
        memory: &mut Memory,
        losses: &mut Losses,
    ) -> Option<PageResult> {
        let PageSettings {
            catalog,
            sender,
            key,
            limits,
            recorded,
        } = *settings;
        if !self.affords(page.time, page.body.expose().len()) {
            losses.count(Loss::PageRateLimit);
            return None;
        }
        let (markup, completeness) = page.markup(losses)?;
        let document = html::read_page(markup.expose(), losses);
        let target = page.target.as_ref().map(|target| target.expose().as_ref());
        let (fields, mentions) = document.examine(target, limits, losses);
        let loaded = loader::loaded(&document, mentions, catalog);
        if loaded.is_empty() {
            return None;
        }
        let evidence = phi::rules(&fields);
        let found = recorded.cloned().unwrap_or_else(|| PageProofs {
            proofs: prove(key, &fields, evidence.clone(), None),
            path: target.map_or_else(|| "{id}".to_owned(), route::template),
        });
        let mut asked = form::asked(&document.inputs);
        for item in &found.proofs {
            if let Class::Health(class) = item.class
                && item.part == Part::Form
            {
                asked.health.insert(class);
            }
        }
        let context = PageContext {
            page,
            sender,
            completeness,
            template: &found.path,
            proofs: &found.proofs,
            asked,
        };
        let findings: Vec<_> = loaded
            .iter()
            .filter_map(|loaded| self.finding_for(&context, loaded, memory, losses))
            .collect();
        (!findings.is_empty()).then_some(PageResult {
            findings,
            proofs: found,
            markup,
            fields,
            evidence,
        })
    }

    /// Whether `length` more bytes may be examined at `time`.
    fn affords(&mut self, time: Timestamp, length: usize) -> bool {
        let second = time.0 / SECOND;
        if second != self.second {
            self.second = second;
            self.spent = 0;
        }
        self.spent = self.spent.saturating_add(length);
        self.spent <= MAX_BYTES_PER_SECOND
    }

    fn finding_for(
        &mut self,
        context: &PageContext<'_>,
        loaded: &Loaded,
        memory: &mut Memory,
        losses: &mut Losses,
    ) -> Option<Finding> {
        let mut finding = context.finding(loaded);
        let route = hash(&(
            context.owner(),
            &context.page.host,
            context.template,
            &loaded.tracker.id,
        ));
        let version = hash(&(
            &finding.identifiers,
            &finding.health,
            &context.asked.identifiers,
            &context.asked.health,
            finding.severity,
        ));
        if !self.is_new(route, version, losses) {
            return None;
        }
        // Added after the id, which does not cover what earlier events decide.
        if let Some(who) = memory.meet(&context.counted(), losses) {
            memory.count(&loaded.tracker.id, who, losses);
            finding.person = Some(who.person);
        }
        Some(finding)
    }

    /// Notes a version of a route. Returns whether it is a new one.
    fn is_new(&mut self, route: u64, version: u64, losses: &mut Losses) -> bool {
        let stamp = self.next;
        self.next = self.next.saturating_add(1);
        let is_new = match self.routes.entry(route) {
            Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                self.order.remove(&known.stamp);
                known.stamp = stamp;
                let is_new = !known.versions.contains(&version);
                if is_new && known.versions.len() >= MAX_VERSIONS {
                    losses.count(Loss::PageVersions);
                    false
                } else {
                    if is_new {
                        known.versions.push(version);
                    }
                    is_new
                }
            }
            Entry::Vacant(entry) => {
                entry.insert(Route {
                    stamp,
                    versions: vec![version],
                });
                true
            }
        };
        self.order.insert(stamp, route);
        while self.routes.len() > MAX_ROUTES
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.routes.remove(&oldest);
            losses.count(Loss::PageEvicted);
        }
        is_new
    }
}

impl PageContext<'_> {
    /// Who sends the page: the name of the service, or else the executable, or
    /// else the port.
    fn owner(&self) -> Option<String> {
        let origin = self.origin()?;
        let process = origin.process.as_deref();
        if let Some(service) = self.sender.service {
            return Some(service.to_owned());
        }
        process
            .and_then(|process| {
                process
                    .service
                    .as_ref()
                    .or(process.unit.as_ref())
                    .or(process.container.as_ref())
                    .or(process.exe.as_ref())
                    .cloned()
            })
            .or_else(|| origin.local.map(|local| local.port().to_string()))
    }

    fn origin(&self) -> Option<&Origin> {
        self.page.facts.origin.as_deref()
    }

    /// The evidence that counts: health information anywhere, identifiers only
    /// where they are a visitor's. A headline may name anybody.
    fn counted(&self) -> Vec<&Proof> {
        self.proofs
            .iter()
            .filter(|item| {
                matches!(item.class, Class::Health(_))
                    || !matches!(item.part, Part::Page | Part::Form)
            })
            .collect()
    }

    fn judge(&self, counted: &[&Proof], weight: Weight) -> Severity {
        let inline = |item: &&&Proof| matches!(item.part, Part::Body | Part::Query | Part::Path);
        let identifier = judge::identifier_level(counted).max(IdentifierLevel::I1);
        let explicit: Vec<&Proof> = counted.iter().filter(inline).copied().collect();
        let mut health = judge::health_level(&explicit);
        let context = counted
            .iter()
            .any(|item| matches!(item.class, Class::Health(_)));
        if self.sender.is_health {
            health = health.max(HealthLevel::H1);
        }
        if context || !self.asked.health.is_empty() {
            health = health.max(HealthLevel::H2);
        }
        let base = severity(identifier, health, weight).unwrap_or(Severity::Info);
        // An agreement makes both the matrix and these additions milder.
        let agreed = weight == Weight::R1;
        let levels = if agreed { AGREEMENT_LEVELS } else { 0 };
        let at_least = |level: Severity| base.max(level.milder(levels));
        let plain = identifier == IdentifierLevel::I1 && health == HealthLevel::H2;
        if health < HealthLevel::H2 {
            if self.asked.is_personal() {
                at_least(Severity::Low)
            } else {
                base
            }
        } else if self.asked.is_personal() {
            at_least(Severity::High)
        } else if plain && self.asked.identifiers.is_empty() && !route::is_care(self.template) {
            base.milder(1)
        } else {
            base
        }
    }

    fn finding(&self, loaded: &Loaded) -> Finding {
        let page = self.page;
        let counted = self.counted();
        let mut identifiers = self.asked.identifiers.clone();
        let mut health = self.asked.health.clone();
        for item in &counted {
            match item.class {
                Class::Identifier(class) => identifiers.insert(class),
                Class::Health(class) => health.insert(class),
            };
        }
        if self.sender.is_health {
            health.insert(Health::Inherent);
        }
        let severity = self.judge(&counted, loaded.weight);
        let mut finding = Finding {
            schema: SCHEMA,
            id: String::new(),
            time: page.time,
            kind: Kind::Page,
            severity,
            why: self.why(loaded, severity),
            labels: Vec::new(),
            recipient: RecipientRecord {
                tracker: Arc::clone(&loaded.tracker.id),
                owner: Arc::clone(&loaded.tracker.owner),
                category: Some(loaded.tracker.category),
                host: loaded.host.clone(),
                matched_by: loaded.matched_by,
            },
            identifiers: name::sorted(identifiers),
            health: name::sorted(health),
            fields: self.records(&counted),
            request: Some(RequestRecord {
                method: assemble::method(page.method.as_deref().unwrap_or("GET")).to_owned(),
                host: page.host.clone(),
                path: self.template.to_owned(),
                protocol: Protocol::Http1,
                status: Some(page.status),
                bytes: page.wire_length,
                body_bytes: page.wire_length,
            }),
            contact: None,
            process: assemble::process(self.origin(), self.sender),
            // The other end is the visitor.
            peer: PeerRecord {
                addr: None,
                sni: None,
                host_source: HostSource::Page,
            },
            source: self.origin().map(|origin| origin.source),
            completeness: self.completeness,
            person: None,
            people: None,
            evidence: None,
            states: Vec::new(),
        };
        finding.id = assemble::id(&finding);
        finding.evidence = page.place.as_ref().map(|place| EvidenceRecord {
            file: place.file.to_string(),
            packet: place.packet,
        });
        finding
    }

    /// What happened and what its severity follows from, in words.
    fn why(&self, loaded: &Loaded, severity: Severity) -> String {
        let owner = &loaded.tracker.owner;
        let asks = if self.asked.is_personal() {
            ", and a form on it asks the visitor for personal data"
        } else {
            ""
        };
        format!(
            "a page of this service loads a script or image of {owner}, whose browser request \
             gives a cookie and an address on the network{asks}. Severity {}: see the health \
             classes for what the page is about.",
            severity.as_str()
        )
    }

    /// The evidence, each class once at each path, and what forms ask for.
    fn records(&self, counted: &[&Proof]) -> Vec<FieldRecord> {
        let mut known = HashSet::new();
        let found = counted
            .iter()
            .filter(|item| known.insert((item.class, item.path.as_str())))
            .map(|item| item.record());
        let mut records: Vec<_> = found.collect();
        let FormClasses {
            identifiers,
            health,
        } = &self.asked;
        let identifiers = name::sorted(identifiers.iter().copied());
        let health = name::sorted(health.iter().copied());
        let identifiers = identifiers.into_iter().map(Class::Identifier);
        let asked = identifiers.chain(health.into_iter().map(Class::Health));
        records.extend(asked.map(|class| FieldRecord {
            class,
            form: None,
            path: "form".to_owned(),
            rule: "page.form",
            masked: String::new(),
            token: None,
            labels: Vec::new(),
        }));
        records.truncate(MAX_FIELDS);
        records
    }
}

/// A hash for lookups in this process only.
fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
