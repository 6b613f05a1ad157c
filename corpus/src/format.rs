//! The platforms' wire formats, from `formats/`: templates in, requests out.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    content::Content,
    dice::Dice,
    encode,
    label::{EventLabel, Note},
    slot,
    words::Vehicle,
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
    query: Vec<(String, String)>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<String>,
    #[serde(default)]
    form: Vec<(String, String)>,
    #[serde(default)]
    lines: Vec<(String, String)>,
    #[serde(default)]
    xml: Vec<(String, String)>,
    #[serde(default)]
    ndjson: Vec<String>,
    content_type: Option<String>,
    #[serde(default)]
    gzip: Gzip,
    #[serde(default)]
    batch: bool,
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
    for text in [
        include_str!("../formats/ads.toml"),
        include_str!("../formats/products.toml"),
    ] {
        carriers.extend(
            toml::from_str::<Carriers>(text)
                .context("read the formats")?
                .carrier,
        );
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
    pub fn vehicles(&self) -> Vec<Vehicle> {
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

    /// Whether it has room for attributes of the person.
    pub fn has_traits(&self) -> bool {
        self.text().contains("#traits")
    }

    /// Whether one request holds many events.
    pub fn is_batch(&self) -> bool {
        self.batch || self.text().contains("#each")
    }

    /// Method, host and target with the slots filled by noise.
    pub fn address(&self, dice: &mut Dice) -> Result<(String, String, String)> {
        let content = Content::new(crate::content::Identity::Pseudonym, dice);
        let request = self.write(&[content], dice)?.0;
        Ok((request.method, request.host, request.target))
    }

    /// The request that carries `events`, and what it says of each.
    pub fn write(&self, events: &[Content], dice: &mut Dice) -> Result<(Request, Vec<EventLabel>)> {
        let mut pen = Pen {
            events,
            current: 0,
            notes: vec![vec![]; events.len()],
            dice,
        };
        let mut request = pen.line(&self.request)?;
        let query = pen.pairs(&self.query, Some('='))?;
        if !query.is_empty() {
            request.target += "?";
            request.target += &query;
        }
        for (name, value) in &self.headers {
            if let Some(value) = pen.string(value)? {
                request.headers.push((name.clone(), value));
            }
        }
        let (mut body, content_type) = pen.body(self)?;
        let content_type = self.content_type.as_deref().unwrap_or(content_type);
        if !body.is_empty() && !content_type.is_empty() {
            request
                .headers
                .push(("Content-Type".to_owned(), content_type.to_owned()));
        }
        let zipped = self.gzip == Gzip::Always || (self.gzip == Gzip::Maybe && pen.dice.chance(50));
        if zipped && !body.is_empty() {
            body = encode::gzip(&body)?;
            request
                .headers
                .push(("Content-Encoding".to_owned(), "gzip".to_owned()));
        }
        request.body = body;
        let labels = pen.notes.into_iter().zip(events).map(|(mut notes, event)| {
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
    pub fn write(&self, dice: &mut Dice) -> Result<Request> {
        let nobody = [Content::new(crate::content::Identity::Least, dice)];
        let mut pen = Pen {
            events: &nobody,
            current: 0,
            notes: vec![vec![]],
            dice,
        };
        let mut request = pen.line(&self.request)?;
        // Braces of JSON are no slots here, so only known names are filled.
        let mut body = self.body.clone();
        for name in [
            "n6", "n9", "n10", "n15", "n18", "uuid", "token", "token8", "hex32", "hex40", "epoch",
            "epoch_ms",
        ] {
            let mark = format!("{{{name}}}");
            while body.contains(&mark) {
                let value = crate::words::noise(name, pen.dice).unwrap_or_default();
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

    /// Whose it is, as the facts name it, and the call's template.
    pub fn template(&self) -> String {
        let line = self.request.split(['?', ';']).next().unwrap_or_default();
        format!("quiet {line}")
    }
}

/// Writes a request, and notes what it wrote about whom.
struct Pen<'a> {
    events: &'a [Content],
    current: usize,
    notes: Vec<Vec<Note>>,
    dice: &'a mut Dice,
}

impl Pen<'_> {
    /// `METHOD HOST TARGET`.
    fn line(&mut self, line: &str) -> Result<Request> {
        let mut parts = line.splitn(3, ' ');
        let (Some(method), Some(host), Some(target)) = (parts.next(), parts.next(), parts.next())
        else {
            bail!("not METHOD HOST TARGET: {line}");
        };
        let host = self.string(host)?.context("a host without a name")?;
        let mut target_out = String::new();
        // What stands between semicolons is left out where its slot is empty.
        for (position, part) in target.split(';').enumerate() {
            if let Some(part) = self.escaped(part)? {
                if position > 0 {
                    target_out.push(';');
                }
                target_out += &part;
            }
        }
        Ok(Request {
            method: method.to_owned(),
            host,
            target: target_out,
            headers: vec![],
            body: vec![],
        })
    }

    fn body(&mut self, carrier: &Carrier) -> Result<(Vec<u8>, &'static str)> {
        const FORM: &str = "application/x-www-form-urlencoded";
        if let Some(body) = &carrier.body {
            let value = self.json_text(body)?.unwrap_or(Value::Null);
            return Ok((serde_json::to_vec(&value)?, "application/json"));
        }
        if !carrier.form.is_empty() {
            return Ok((self.pairs(&carrier.form, Some('='))?.into_bytes(), FORM));
        }
        if !carrier.lines.is_empty() {
            let mut lines = Vec::new();
            for current in 0..self.events.len() {
                self.current = current;
                lines.push(self.pairs(&carrier.lines, Some('='))?);
            }
            return Ok((lines.join("\n").into_bytes(), "text/plain"));
        }
        if !carrier.xml.is_empty() {
            let mut out = String::from(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<request>\n<sc_xml_ver>1.0</sc_xml_ver>\n",
            );
            for (key, value) in &carrier.xml {
                if let Some(value) = self.string(value)? {
                    let value = value
                        .replace('&', "&amp;")
                        .replace('<', "&lt;")
                        .replace('>', "&gt;");
                    out += &format!("<{key}>{value}</{key}>\n");
                }
            }
            out += "</request>\n";
            return Ok((out.into_bytes(), "text/xml"));
        }
        let mut out = Vec::new();
        for line in &carrier.ndjson {
            if let Some(value) = self.json_text(line)? {
                serde_json::to_writer(&mut out, &value)?;
                out.push(b'\n');
            }
        }
        Ok((out, "application/json"))
    }

    /// Pairs of a query or a form. A `*` in a key stands for every property.
    fn pairs(&mut self, pairs: &[(String, String)], join: Option<char>) -> Result<String> {
        let mut out: Vec<String> = Vec::new();
        let join = join.unwrap_or('=');
        for (key, value) in pairs {
            if value == "#props" {
                for (name, value) in self.free(true) {
                    let key = encode::percent(&key.replace('*', &name));
                    out.push(format!("{key}{join}{}", encode::percent(&value)));
                }
                continue;
            }
            let made = match value.split_once(':') {
                Some(("json", text)) => self.nested(text)?,
                Some(("b64", text)) => self
                    .nested(text)?
                    .map(|text| encode::base64(text.as_bytes())),
                Some(("b64url", text)) => self
                    .nested(text)?
                    .map(|text| encode::base64url(text.as_bytes())),
                _ => self.string(value)?,
            };
            if let Some(made) = made {
                out.push(format!(
                    "{}{join}{}",
                    encode::percent(key),
                    encode::percent(&made)
                ));
            }
        }
        Ok(out.join("&"))
    }

    fn nested(&mut self, text: &str) -> Result<Option<String>> {
        Ok(self.json_text(text)?.map(|value| value.to_string()))
    }

    fn json_text(&mut self, text: &str) -> Result<Option<Value>> {
        let template: Value =
            serde_json::from_str(text).with_context(|| format!("a template: {text}"))?;
        self.json(&template)
    }

    /// A JSON template filled in; `None` where all its slots are empty.
    fn json(&mut self, template: &Value) -> Result<Option<Value>> {
        Ok(match template {
            Value::String(text) => {
                match text.strip_suffix("#}").filter(|text| text.starts_with('{')) {
                    Some(text) => match self.string(&format!("{text}}}"))? {
                        Some(number) => {
                            Some(serde_json::from_str(&number).unwrap_or(Value::String(number)))
                        }
                        None => None,
                    },
                    None => self.string(text)?.map(Value::String),
                }
            }
            Value::Array(items) => self.array(items)?,
            Value::Object(entries) => {
                for (mark, nested) in entries {
                    if let Some(text) = self.wrapped(mark, nested)? {
                        return Ok(text.map(Value::String));
                    }
                }
                let mut out = serde_json::Map::new();
                let mut has_empty = false;
                for (key, value) in entries {
                    if key == "#props" || key == "#traits" {
                        let free = self.free(key == "#props");
                        out.extend(
                            free.into_iter()
                                .map(|(key, value)| (key, Value::String(value))),
                        );
                    } else if let Some(value) = self.json(value)? {
                        out.insert(key.clone(), value);
                    } else {
                        has_empty = true;
                    }
                }
                (!out.is_empty() || !has_empty).then_some(Value::Object(out))
            }
            other => Some(other.clone()),
        })
    }

    /// `{"#json": …}` and its like: what is nested is written as a string.
    fn wrapped(&mut self, mark: &str, nested: &Value) -> Result<Option<Option<String>>> {
        Ok(match mark {
            "#json" => Some(self.json(nested)?.map(|value| value.to_string())),
            "#b64url" => Some(
                self.json(nested)?
                    .map(|value| encode::base64url(value.to_string().as_bytes())),
            ),
            "#query" => {
                let Value::Object(entries) = nested else {
                    bail!("#query of no object")
                };
                let pairs: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| {
                        (key.clone(), value.as_str().unwrap_or_default().to_owned())
                    })
                    .collect();
                Some(Some(format!("?{}", self.pairs(&pairs, None)?)))
            }
            _ => None,
        })
    }

    fn array(&mut self, items: &[Value]) -> Result<Option<Value>> {
        let each = match items {
            [Value::String(mark), template] if mark == "#each" => Some(template),
            [Value::Object(entries)] => entries.get("#each"),
            _ => None,
        };
        let mut out = Vec::new();
        if let Some(template) = each {
            for current in 0..self.events.len() {
                self.current = current;
                out.extend(self.json(template)?);
            }
            self.current = 0;
            return Ok(Some(Value::Array(out)));
        }
        for item in items {
            out.extend(self.json(item)?);
        }
        Ok((!out.is_empty() || items.is_empty()).then_some(Value::Array(out)))
    }

    /// The free properties, or attributes, of the current event.
    fn free(&mut self, is_prop: bool) -> Vec<(String, String)> {
        let event = &self.events[self.current];
        let list = if is_prop { &event.props } else { &event.traits };
        let notes = &mut self.notes[self.current];
        list.iter()
            .map(|(key, text)| {
                notes.extend(text.notes.iter().cloned());
                (key.clone(), text.value.clone())
            })
            .collect()
    }

    /// A text with its slots filled; `None` where one of them is empty.
    fn string(&mut self, text: &str) -> Result<Option<String>> {
        self.fill(text, |value| value)
    }

    /// The same for a target: what fills a slot is percent-encoded.
    fn escaped(&mut self, text: &str) -> Result<Option<String>> {
        self.fill(text, |value| encode::percent(&value))
    }

    fn fill(&mut self, text: &str, escape: fn(String) -> String) -> Result<Option<String>> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, after) = after
                .split_once('}')
                .with_context(|| format!("an open slot: {text}"))?;
            out += before;
            let event = &self.events[self.current];
            let Some((value, notes)) =
                slot::fill(slot, event, self.dice).with_context(|| format!("in {text}"))?
            else {
                return Ok(None);
            };
            self.notes[self.current].extend(notes);
            out += &escape(value);
            rest = after;
        }
        Ok(Some(out + rest))
    }
}
