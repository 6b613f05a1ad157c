//! The platforms' wire formats, from `formats/`: templates in, requests out.

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::{
    content::Content, encode, label::EventLabel, rng::Rng, template::TemplateWriter, words::Vehicle,
};

/// One format of one platform.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carrier {
    /// Its name in reports.
    pub id: String,
    /// The platform, as the facts name it.
    pub platform: String,
    /// Weight of the recipient in the severity matrix.
    pub r: u8,
    /// Recognised by its protocol, on a host of the sender's own.
    #[serde(default)]
    pub fingerprint: bool,
    request: String,
    #[serde(default)]
    pub(crate) query: Vec<(String, String)>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    #[serde(default)]
    pub(crate) form: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) lines: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) xml: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) ndjson: Vec<String>,
    content_type: Option<String>,
    #[serde(default)]
    gzip: Gzip,
    #[serde(default)]
    batch: bool,
    /// Only in the unseen split.
    #[serde(skip)]
    pub unseen: bool,
    /// Where it has room for words, and whether it has for attributes of the person.
    #[serde(skip)]
    room: (Vec<Vehicle>, bool),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Gzip {
    #[default]
    Never,
    Maybe,
    Always,
}

/// A request as it goes onto the wire.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its host.
    pub host: String,
    /// Its target.
    pub target: String,
    /// Its other headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// A call that discloses nothing.
pub struct Quiet {
    /// The platform.
    pub platform: String,
    request: String,
    body: String,
}

/// All carriers, and all quiet calls.
pub fn load() -> Result<(Vec<Carrier>, Vec<Quiet>)> {
    #[derive(Deserialize)]
    struct Carriers {
        carrier: Vec<Carrier>,
    }
    #[derive(Deserialize)]
    struct Calls {
        quiet: Vec<(String, String, String)>,
    }
    let mut carriers = Vec::new();
    for (text, unseen) in [
        (include_str!("../formats/ads.toml"), false),
        (include_str!("../formats/products.toml"), false),
        (include_str!("../formats/more.toml"), false),
        (include_str!("../formats/unseen.toml"), true),
    ] {
        let read = toml::from_str::<Carriers>(text).context("read the formats")?;
        let own = read.carrier.into_iter();
        carriers.extend(own.map(|carrier| Carrier {
            unseen,
            room: (carrier.find_vehicles(), carrier.text().contains("#traits")),
            ..carrier
        }));
    }
    let calls: Calls =
        toml::from_str(include_str!("../formats/quiet.toml")).context("read the quiet calls")?;
    let quiet = calls
        .quiet
        .into_iter()
        .map(|(platform, request, body)| Quiet {
            platform,
            request,
            body,
        });
    Ok((carriers, quiet.collect()))
}

impl Carrier {
    /// Everything that has slots, as one text.
    fn text(&self) -> String {
        let pairs = self
            .query
            .iter()
            .chain(&self.form)
            .chain(&self.lines)
            .chain(&self.xml);
        let mut all = self.request.clone();
        for (key, value) in pairs {
            all.push_str(key);
            all.push_str(value);
        }
        all.push_str(self.body.as_deref().unwrap_or_default());
        all.push_str(&self.ndjson.concat());
        all
    }

    /// Where it has room for words.
    pub fn vehicles(&self) -> &[Vehicle] {
        &self.room.0
    }

    fn find_vehicles(&self) -> Vec<Vehicle> {
        let text = self.text();
        [
            (Vehicle::Event, "{event"),
            (Vehicle::Path, "{url"),
            (Vehicle::Path, "{path"),
            (Vehicle::Title, "{title"),
            (Vehicle::Search, "{search"),
            (Vehicle::Item, "{item"),
            (Vehicle::Category, "{category"),
            (Vehicle::Prop, "#props"),
            (Vehicle::Note, "{note"),
        ]
        .into_iter()
        .filter(|(_, mark)| text.contains(mark))
        .map(|(vehicle, _)| vehicle)
        .collect()
    }

    /// Whether it goes to `host`.
    pub fn is_at(&self, host: &str) -> bool {
        self.request.split(' ').nth(1) == Some(host)
    }

    /// Whether it has room for attributes of the person.
    pub fn has_traits(&self) -> bool {
        self.room.1
    }

    /// Whether one request holds many events.
    pub fn is_batch(&self) -> bool {
        self.batch || self.text().contains("#each")
    }

    /// Method, host and target with the slots filled by noise.
    pub fn address(&self, rng: &mut Rng) -> Result<(String, String, String)> {
        let content = Content::new(crate::content::Identity::Pseudonym, rng);
        let request = self.write(&[content], rng)?.0;
        Ok((request.method, request.host, request.target))
    }

    /// The request that carries `events`, and what it says of each.
    pub fn write(&self, events: &[Content], rng: &mut Rng) -> Result<(Request, Vec<EventLabel>)> {
        let mut template = TemplateWriter {
            events,
            current: 0,
            is_own: false,
            notes: vec![vec![]; events.len()],
            rng,
        };
        let mut request = template.line(&self.request)?;
        let query = template.pairs(&self.query, Some('='))?;
        if !query.is_empty() {
            request.target += "?";
            request.target += &query;
        }
        for (name, value) in &self.headers {
            if let Some(value) = template.string(value)? {
                request.headers.push((name.clone(), value));
            }
        }
        let (mut body, content_type) = template.body(self)?;
        let content_type = self.content_type.as_deref().unwrap_or(content_type);
        if !body.is_empty() && !content_type.is_empty() {
            request
                .headers
                .push(("Content-Type".to_owned(), content_type.to_owned()));
        }
        let zipped =
            self.gzip == Gzip::Always || (self.gzip == Gzip::Maybe && template.rng.chance(50));
        if zipped && !body.is_empty() {
            body = encode::gzip(&body)?;
            request
                .headers
                .push(("Content-Encoding".to_owned(), "gzip".to_owned()));
        }
        request.body = body;
        let labels = template
            .notes
            .into_iter()
            .zip(events)
            .map(|(mut notes, event)| {
                notes.sort();
                notes.dedup();
                EventLabel {
                    notes,
                    said: event.said.clone(),
                }
            });
        Ok((request, labels.collect()))
    }
}

impl Quiet {
    /// The call.
    pub fn write(&self, rng: &mut Rng) -> Result<Request> {
        let nobody = [Content::new(crate::content::Identity::Least, rng)];
        let mut template = TemplateWriter {
            events: &nobody,
            current: 0,
            is_own: false,
            notes: vec![vec![]],
            rng,
        };
        let mut request = template.line(&self.request)?;
        // Braces of JSON are not slots here, so only known names are filled.
        let mut body = self.body.clone();
        for name in [
            "n6", "n9", "n10", "n15", "n18", "uuid", "token", "token8", "hex24", "hex32", "hex40",
            "epoch", "epoch_ms",
        ] {
            let mark = format!("{{{name}}}");
            while body.contains(&mark) {
                let value = crate::words::noise(name, template.rng).unwrap_or_default();
                body = body.replacen(&mark, &value, 1);
            }
        }
        if !body.is_empty() {
            let kind = if body.starts_with(['{', '[']) {
                "application/json"
            } else {
                "application/x-www-form-urlencoded"
            };
            request
                .headers
                .push(("Content-Type".to_owned(), kind.to_owned()));
        }
        request.body = body.into_bytes();
        Ok(request)
    }

    /// The service, as the facts name it, and the template of the call.
    pub fn template(&self) -> String {
        let line = self.request.split(['?', ';']).next().unwrap_or_default();
        format!("quiet {line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Identity;

    #[test]
    fn what_stands_beside_the_events_of_a_batch_is_true_of_each() {
        let (carriers, _) = load().unwrap();
        let with = |id: &str, class: &str| {
            let carrier = carriers.iter().find(|carrier| carrier.id == id).unwrap();
            let mut rng = Rng::new(8);
            let events: Vec<Content> = (0..3)
                .map(|_| Content::new(Identity::Pseudonym, &mut rng))
                .collect();
            let (_, labels) = carrier.write(&events, &mut rng).unwrap();
            let has_id = |label: &&EventLabel| label.notes.iter().any(|note| note.class == class);
            labels.iter().filter(has_id).count()
        };
        assert_eq!(with("unseen.ga4.items", "online_id"), 3, "beside");
        assert_eq!(with("unseen.iterable.bulk", "external_id"), 3, "in each");
    }
}
