//! Fills a template: text, pairs, JSON with nested values. Every filled slot is
//! noted for the event that it belongs to.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{
    content::{Content, Text},
    encode,
    format::{Carrier, Request},
    label::Note,
    rng::Rng,
    slot,
};

/// Writes a request, and notes what it says about whom.
pub(crate) struct TemplateWriter<'a> {
    pub(crate) events: &'a [Content],
    pub(crate) current: usize,
    /// Whether what is written belongs to the current event only. What is
    /// written outside of the events of a batch applies to all of them.
    pub(crate) is_own: bool,
    pub(crate) notes: Vec<Vec<Note>>,
    pub(crate) rng: &'a mut Rng,
}

impl TemplateWriter<'_> {
    /// `METHOD HOST TARGET`.
    pub(crate) fn line(&mut self, line: &str) -> Result<Request> {
        let mut parts = line.splitn(3, ' ');
        let (Some(method), Some(host), Some(target)) = (parts.next(), parts.next(), parts.next())
        else {
            bail!("not METHOD HOST TARGET: {line}");
        };
        let host = self.string(host)?.context("a host without a name")?;
        let mut target_out = String::new();
        // A part between semicolons is left out if its slot is empty.
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

    pub(crate) fn body(&mut self, carrier: &Carrier) -> Result<(Vec<u8>, &'static str)> {
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
            self.is_own = true;
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
                    out.extend(["<", key, ">", &value, "</", key, ">\n"]);
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
    pub(crate) fn pairs(
        &mut self,
        pairs: &[(String, String)],
        join: Option<char>,
    ) -> Result<String> {
        let mut out: Vec<String> = Vec::new();
        let join = join.unwrap_or('=');
        for (key, value) in pairs {
            if value == "#props" {
                for (name, value) in self.free(true).into_iter().flat_map(flat) {
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
            Value::String(text) => match text.strip_suffix("#}") {
                // A number, where there is one.
                Some(slot) => self
                    .string(&format!("{slot}}}"))?
                    .map(|number| serde_json::from_str(&number).unwrap_or(Value::String(number))),
                None => self.string(text)?.map(Value::String),
            },
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
                        let typed = self.events[self.current].typed;
                        for (key, value) in free {
                            insert(&mut out, key, value, typed);
                        }
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

    /// `{"#json": …}` and its like: the nested value is written as a string.
    #[expect(
        clippy::option_option,
        reason = "no wrapping, and a wrapping of nothing, are two answers"
    )]
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
            self.is_own = true;
            for current in 0..self.events.len() {
                self.current = current;
                out.extend(self.json(template)?);
            }
            self.current = 0;
            self.is_own = false;
            return Ok(Some(Value::Array(out)));
        }
        for item in items {
            out.extend(self.json(item)?);
        }
        Ok((!out.is_empty() || items.is_empty()).then_some(Value::Array(out)))
    }

    /// The free properties, or attributes, of the current event.
    fn free(&mut self, is_prop: bool) -> Vec<(String, Text)> {
        let event = &self.events[self.current];
        let list = if is_prop { &event.props } else { &event.traits };
        let notes: Vec<Note> = list
            .iter()
            .flat_map(|(_, text)| text.notes.iter().cloned())
            .collect();
        let free = list
            .iter()
            .map(|(key, text)| (key.clone(), text.clone()))
            .collect();
        self.note(&notes);
        free
    }

    fn note(&mut self, notes: &[Note]) {
        let whose = if self.is_own {
            self.current..self.current + 1
        } else {
            0..self.events.len()
        };
        for own in &mut self.notes[whose] {
            own.extend(notes.iter().cloned());
        }
    }

    /// A text with its slots filled; `None` where one of them is empty.
    pub(crate) fn string(&mut self, text: &str) -> Result<Option<String>> {
        self.fill(text, |value| value)
    }

    /// Like [`Self::string`], for a target: the values of slots are
    /// percent-encoded.
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
                slot::fill(slot, event, self.rng).with_context(|| format!("in {text}"))?
            else {
                return Ok(None);
            };
            self.note(&notes);
            out += &escape(value);
            rest = after;
        }
        Ok(Some(out + rest))
    }
}

/// A free property as pairs of a query or a form: `a.b` is member `b` of object `a`,
/// lists are JSON.
fn flat((key, text): (String, Text)) -> Vec<(String, String)> {
    let Some(Value::Object(object)) = text.json else {
        return vec![(key, text.value)];
    };
    let members = object.into_iter();
    members
        .flat_map(|(name, value)| {
            let text = Text {
                value: match &value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                },
                json: Some(value),
                notes: vec![],
            };
            flat((format!("{key}.{name}"), text))
        })
        .collect()
}

/// Inserts a free property as a program would. With `typed`, numbers and
/// booleans are not strings, and `a.b` becomes member `b` of object `a`.
fn insert(out: &mut serde_json::Map<String, Value>, key: String, text: Text, typed: bool) {
    if let Some(value) = text.json {
        out.insert(key, value);
        return;
    }
    let value = text.value;
    if !typed {
        out.insert(key, Value::String(value));
        return;
    }
    let value = match serde_json::from_str(&value) {
        Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
        _ => Value::String(value),
    };
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let mut at = out;
    for part in parts {
        let next = at
            .entry(part.to_owned())
            .or_insert_with(|| Value::Object(serde_json::Map::new()));
        match next {
            Value::Object(entries) => at = entries,
            // Another property has the name already.
            _ => return,
        }
    }
    at.insert(last.to_owned(), value);
}
