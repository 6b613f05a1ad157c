//! The values behind a finding, for people who may see them.
//!
//! In: the message that a finding is about. Out: the value of each of its
//! fields, as sent. Only `phiwatch explain --reveal` calls this, after it has
//! recorded who asked and why.

use super::{assembler::Step, examiner::Examiner};
use crate::{
    canary,
    event::{Place, Timestamp},
    field::{self, Fields, html},
    finding::{FieldRecord, Finding, prove},
    http::{Exchange, Page},
    loss::Losses,
    phi::{self, Class},
    secret::Secret,
    token::Token,
};

/// The values of a message that belong to a finding.
pub enum Revealed {
    /// The message is another one.
    Other,
    /// It is the message, and its values were replaced when it was recorded.
    Redacted,
    /// The value of each field of the finding; `None` if it is not a value of
    /// the message, such as what a form asks for.
    Values(Vec<Option<Secret<String>>>),
}

impl Examiner {
    /// The values behind `finding`, if `step` is the message that it is about.
    pub fn reveal(&self, step: &Step, finding: &Finding) -> Revealed {
        let (values, recorded) = match step {
            Step::Exchange(exchange, recorded) => {
                let request = &exchange.request;
                if !is_of(finding, request.time, request.place.as_ref()) {
                    return Revealed::Other;
                }
                (self.in_request(exchange, finding), recorded)
            }
            Step::Page(page, recorded) => {
                if !is_of(finding, page.time, page.place.as_ref()) {
                    return Revealed::Other;
                }
                (self.in_page(page, finding), recorded)
            }
            Step::Time(_)
            | Step::Hello { .. }
            | Step::Tunneled { .. }
            | Step::Plaintext { .. }
            | Step::Encrypted(..)
            | Step::Obstacle(..)
            | Step::Closed(_) => return Revealed::Other,
        };
        if recorded.is_some() {
            return Revealed::Redacted;
        }
        // Several messages can begin at the same time in the same packet.
        if values.iter().all(Option::is_none) && !finding.fields.is_empty() {
            return Revealed::Other;
        }
        Revealed::Values(values)
    }

    fn in_request(&self, exchange: &Exchange, finding: &Finding) -> Vec<Option<Secret<String>>> {
        let mut losses = Losses::default();
        // Codings are removed only to read the body.
        let mut exchange = exchange.clone();
        exchange.decode(&mut losses);
        let request = &exchange.request;
        let mut fields = field::read(request, &self.limits, &mut losses);
        let planted = self.canaries.find(&fields, request.body.expose());
        let mut known = Vec::new();
        for disclosure in &planted {
            let records = canary::prove(&self.key, &fields, disclosure).fields;
            for (record, hit) in records.into_iter().zip(&disclosure.hits) {
                let sent = hit.field.and_then(|index| fields.get(index));
                let value = sent.map_or_else(
                    || hit.normalized.expose().clone(),
                    |field| field.value().to_owned(),
                );
                known.push((record.class, record.path, record.token, Secret::new(value)));
            }
        }
        phi::label_columns(&mut fields);
        known.extend(self.proven(&fields));
        select(&finding.fields, &known)
    }

    fn in_page(&self, page: &Page, finding: &Finding) -> Vec<Option<Secret<String>>> {
        let mut losses = Losses::default();
        let Some((markup, _)) = page.markup(&mut losses) else {
            return vec![None; finding.fields.len()];
        };
        let document = html::read_page(markup.expose(), &mut losses);
        let target = page.target.as_ref().map(|target| target.expose().as_ref());
        let (fields, _) = document.examine(target, &self.limits, &mut losses);
        select(&finding.fields, &self.proven(&fields))
    }

    /// Every value that is evidence, with its class, path and token.
    fn proven(&self, fields: &Fields) -> Vec<Known> {
        let proofs = prove(&self.key, fields, phi::detect(fields), None);
        proofs
            .into_iter()
            .filter_map(|proof| {
                let value = fields.get(proof.field)?.value().to_owned();
                let token = Some(proof.token);
                Some((proof.class, proof.path, token, Secret::new(value)))
            })
            .collect()
    }
}

/// Class, path and token of a piece of evidence, and the value.
type Known = (Class, String, Option<Token>, Secret<String>);

fn select(wanted: &[FieldRecord], known: &[Known]) -> Vec<Option<Secret<String>>> {
    let find = |record: &FieldRecord| {
        let mut all = known.iter();
        let own = all.find(|(class, path, token, _)| {
            *class == record.class && *path == record.path && *token == record.token
        });
        own.map(|(_, _, _, value)| value.clone())
    };
    wanted.iter().map(find).collect()
}

/// Whether a message of this time and place can be that of `finding`.
fn is_of(finding: &Finding, time: Timestamp, place: Option<&Place>) -> bool {
    let evidence = finding.evidence.as_ref();
    let is_there = match (evidence, place) {
        (Some(evidence), Some(place)) => {
            evidence.file == *place.file && evidence.packet == place.packet
        }
        (None, None) => true,
        _ => false,
    };
    is_there && time == finding.time
}
