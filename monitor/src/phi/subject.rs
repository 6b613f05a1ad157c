//! One value, prepared once for all detectors.

use percent_encoding::percent_decode_str;

use super::{
    key::{Key, keys},
    lexicon::{self, Kind, Term},
    text,
    trade::Trades,
};
use crate::field::{Field, Part, Step, ValueKind};

/// Bytes of one value that are examined.
const MAX_VALUE_LENGTH: usize = 16_384;

/// Parameters of one URL that are examined.
const MAX_URL_PARAMETERS: usize = 64;

/// Fields before and after a value among which the one that names it is sought.
const LABEL_REACH: usize = 6;

/// Labels longer than this are prose.
const MAX_LABEL_LENGTH: usize = 200;

/// Keys that leave it to a neighbor to say what the value is.
const VALUE_KEYS: &[&str] = &[
    "answer", "answers", "idvalue", "response", "score", "val", "value", "values",
];

/// Keys of such neighbors, the more telling first.
const LABEL_KEYS: &[&str] = &[
    "idtype",
    "identifiertype",
    "property",
    "fieldname",
    "field",
    "key",
    "question",
    "questiontext",
    "questionid",
    "attribute",
    "type",
    "name",
    "label",
    "code",
    "id",
];

/// Keys that hold an address of a page.
const URL_KEYS: &[&str] = &[
    "currenturl",
    "dl",
    "documentlocation",
    "dp",
    "dr",
    "eventsourceurl",
    "fullurl",
    "href",
    "itemurl",
    "link",
    "pagelocation",
    "pagepath",
    "pagereferrer",
    "pageuri",
    "pageurl",
    "path",
    "pathname",
    "ref",
    "referer",
    "referrer",
    "referrerurl",
    "refr",
    "rl",
    "sourceurl",
    "tealiumreferrer",
    "uri",
    "url",
    "urlref",
];

/// Keys that hold the name of an event.
const EVENT_KEYS: &[&str] = &[
    "actionname",
    "conversion",
    "customeventname",
    "ea",
    "ec",
    "el",
    "en",
    "ev",
    "event",
    "eventaction",
    "eventcategory",
    "eventlabel",
    "eventname",
    "eventtype",
    "evtname",
    "metric",
    "trackingtype",
];

/// Keys that hold a title or a category of content.
const TITLE_KEYS: &[&str] = &[
    "category",
    "contentcategory",
    "contentname",
    "contenttype",
    "description",
    "dt",
    "itemname",
    "pagename",
    "pagetitle",
    "screenname",
    "search",
    "searchstring",
    "searchterm",
    "title",
    "tl",
];

/// Parents under which `name` is the name of an event.
const EVENT_PARENTS: &[&str] = &["batch", "conversion", "events", "event", "metric"];

/// Keys whose text is about software or access, not about people.
const OPAQUE_KEYS: &[&str] = &[
    "accesstoken",
    "apikey",
    "apisecret",
    "authorization",
    "clientuseragent",
    "cookie",
    "eventid",
    "library",
    "locale",
    "messageid",
    "sdk",
    "secret",
    "timezone",
    "token",
    "ua",
    "useragent",
    "version",
    "writekey",
];

/// Keys whose text is an id in a list of goods: words in it are no statement.
const PRODUCT_ID_KEYS: &[&str] = &[
    "contentid",
    "contentids",
    "itemid",
    "productid",
    "productsku",
    "sku",
    "skuid",
    "variantid",
];

/// Objects whose `id` is such an id.
const GOODS: &[&str] = &[
    "content",
    "contents",
    "item",
    "items",
    "lineitems",
    "product",
    "products",
];

/// Headers that are examined besides `x-…`.
const HEADERS: &[&str] = &[
    "cfconnectingip",
    "cfconnectingipv6",
    "clientip",
    "cookie",
    "fastlyclientip",
    "forwarded",
    "from",
    "referer",
    "trueclientip",
];

/// What kind of statement a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vehicle {
    /// An address, or a part of one.
    Url,
    /// The name of an event.
    Event,
    /// A title, a category, a search.
    Title,
    /// A property of an event or a person.
    Property,
    /// Not a statement: software, access, ids.
    Opaque,
}

/// What the rest of the message makes likely.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not states"
)]
pub(super) struct Surroundings {
    /// It names insurance.
    pub(super) insurance: bool,
    /// It names a questionnaire.
    pub(super) assessment: bool,
    /// It says something about health, apart from the keys that other trades
    /// have too.
    pub(super) health: bool,
    /// It names a drug or medication.
    pub(super) medication: bool,
    /// As many of its answers are small numbers as a questionnaire has.
    pub(super) answers: bool,
    /// It names reproduction.
    pub(super) reproductive: bool,
    /// Other trades that it names.
    pub(super) trades: Trades,
}

impl Surroundings {
    /// Whether it says something about health, apart from the keys that other
    /// trades have too.
    pub(super) const fn health(self) -> bool {
        self.health
    }
}

/// One value and what leads to it. Holds payload: no `Debug`.
pub(super) struct Subject<'a> {
    /// Without surrounding white space.
    pub(super) value: &'a str,
    pub(super) kind: ValueKind,
    pub(super) part: Part,
    /// Keys on the way, outermost first.
    pub(super) keys: Vec<Key>,
    pub(super) vehicle: Vehicle,
    /// Words of the value.
    pub(super) words: Vec<String>,
    /// Phrases in the value.
    pub(super) terms: Vec<Term>,
    /// Phrases in the last two keys.
    pub(super) key_terms: Vec<Term>,
}

impl<'a> Subject<'a> {
    /// Prepares the field at `index`. `None` for headers that say nothing about
    /// people.
    pub(super) fn new(fields: &'a [Field], index: usize) -> Option<Self> {
        let field = fields.get(index)?;
        let mut keys = keys(field);
        if field.part == Part::Header {
            let name = keys.first()?;
            if !HEADERS.contains(&name.folded.as_str()) && !name.has_word(&["x"]) {
                return None;
            }
        }
        if let Some(label) = label(fields, index, &keys) {
            keys.push(Key::new(label));
        }
        let value = head(field.value.expose(), MAX_VALUE_LENGTH).trim();
        Some(Self::prepare(value, field.kind, field.part, keys))
    }

    /// Prepares the parameter `key` of a URL that is the value of `self`.
    pub(super) fn parameter<'b>(&self, key: &str, value: &'b str) -> Subject<'b> {
        let mut keys = self.keys.clone();
        keys.extend(
            key.split(['.', '[', ']'])
                .filter(|part| !part.is_empty())
                .map(Key::new),
        );
        Subject::prepare(value.trim(), ValueKind::Text, self.part, keys)
    }

    fn prepare(value: &'a str, kind: ValueKind, part: Part, keys: Vec<Key>) -> Self {
        let vehicle = vehicle(value, part, &keys);
        let is_product_id = keys.last().is_some_and(|leaf| {
            let parent = keys.iter().rev().nth(1);
            leaf.is_in(PRODUCT_ID_KEYS)
                || (leaf.folded == "id" && parent.is_some_and(|parent| parent.is_in(GOODS)))
        });
        let words = if vehicle == Vehicle::Opaque || is_product_id || kind == ValueKind::Literal {
            Vec::new()
        } else if value.contains('%') {
            text::words(&percent_decode_str(value).decode_utf8_lossy())
        } else {
            text::words(value)
        };
        let terms = lexicon::find(&words);
        let key_words: Vec<String> = keys
            .iter()
            .rev()
            .take(2)
            .rev()
            .flat_map(|key| key.words.iter().cloned())
            .collect();
        let key_terms = lexicon::find(&key_words);
        Self {
            value,
            kind,
            part,
            keys,
            vehicle,
            words,
            terms,
            key_terms,
        }
    }

    /// The last key.
    pub(super) fn leaf(&self) -> Option<&Key> {
        self.keys.last()
    }

    /// The key before the last.
    pub(super) fn parent(&self) -> Option<&Key> {
        self.keys.iter().rev().nth(1)
    }

    /// Whether the last key is in `table`.
    pub(super) fn leaf_in(&self, table: &[&str]) -> bool {
        self.leaf().is_some_and(|key| key.is_in(table))
    }

    /// Whether some key before the last has a word of `table`.
    pub(super) fn under(&self, table: &[&str]) -> bool {
        self.keys
            .iter()
            .rev()
            .skip(1)
            .any(|key| key.has_word(table))
    }

    /// Whether the value belongs to an object about a person.
    pub(super) fn in_person(&self) -> bool {
        self.parent().is_some_and(Key::is_person)
    }

    /// The first phrase of `kind` in the value.
    pub(super) fn term(&self, kind: Kind) -> Option<Term> {
        self.terms.iter().copied().find(|term| term.kind == kind)
    }

    /// The first phrase of `kind` in the last two keys.
    pub(super) fn key_term(&self, kind: Kind) -> Option<Term> {
        self.key_terms
            .iter()
            .copied()
            .find(|term| term.kind == kind)
    }

    /// Whether the value names what happened or where, instead of stating it.
    pub(super) fn is_context(&self) -> bool {
        matches!(self.vehicle, Vehicle::Url | Vehicle::Event | Vehicle::Title)
    }

    /// Whether the value has letters and is no placeholder.
    pub(super) fn is_text(&self) -> bool {
        self.kind == ValueKind::Text
            && self.value.chars().any(char::is_alphabetic)
            && !text::is_placeholder(self.value)
            && !text::is_negative(self.value)
    }

    /// Whether the value has one of these words.
    pub(super) fn has_word(&self, table: &[&str]) -> bool {
        self.words.iter().any(|word| table.contains(&word.as_str()))
    }

    /// The decoded parameters, if the value is a URL with a query.
    pub(super) fn url_parameters(&self) -> Vec<(String, String)> {
        if self.vehicle != Vehicle::Url || self.part == Part::Path {
            return Vec::new();
        }
        let Some((_, query)) = self.value.split_once('?') else {
            return Vec::new();
        };
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        query
            .split('#')
            .next()
            .unwrap_or_default()
            .split('&')
            .take(MAX_URL_PARAMETERS)
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (decode(key), decode(value)))
            .collect()
    }
}

/// At most `limit` bytes of `text`, ending at a character.
fn head(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

fn vehicle(value: &str, part: Part, keys: &[Key]) -> Vehicle {
    let Some(leaf) = keys.last() else {
        return if part == Part::Path {
            Vehicle::Url
        } else {
            Vehicle::Property
        };
    };
    let parent = keys.iter().rev().nth(1);
    let names_event = leaf.folded == "name"
        && parent.is_none_or(|parent| EVENT_PARENTS.contains(&parent.folded.as_str()));
    if OPAQUE_KEYS.contains(&leaf.folded.as_str())
        || parent.is_some_and(|parent| OPAQUE_KEYS.contains(&parent.folded.as_str()))
    {
        Vehicle::Opaque
    } else if part == Part::Path
        || value.starts_with("http://")
        || value.starts_with("https://")
        || URL_KEYS.contains(&leaf.folded.as_str())
    {
        Vehicle::Url
    } else if EVENT_KEYS.contains(&leaf.folded.as_str()) || names_event {
        Vehicle::Event
    } else if TITLE_KEYS.contains(&leaf.folded.as_str()) || leaf.folded == "name" {
        Vehicle::Title
    } else {
        Vehicle::Property
    }
}

/// What a neighbor calls the value at `index`: `{"idType": "SHA256_EMAIL",
/// "idValue": …}`, or for a path segment the segment before it.
fn label<'a>(fields: &'a [Field], index: usize, keys: &[Key]) -> Option<&'a str> {
    let field = fields.get(index)?;
    if field.part == Part::Path {
        let before = fields.get(index.checked_sub(1)?)?;
        let collection = before.value.expose().as_str();
        let named = matches!(
            collection,
            "members" | "users" | "customers" | "contacts" | "people" | "profiles"
        );
        return (before.part == Part::Path && named).then_some(collection);
    }
    if !VALUE_KEYS.contains(&keys.last()?.folded.as_str()) {
        return None;
    }
    let parent = parent_steps(field)?;
    let near = fields
        .get(index.saturating_sub(LABEL_REACH)..)
        .unwrap_or_default()
        .iter()
        .take(2 * LABEL_REACH + 1);
    let neighbors: Vec<(&Field, String)> = near
        .filter(|other| other.part == field.part && parent_steps(other) == Some(parent))
        .filter_map(|other| Some((other, text::fold(last_key(other)?))))
        .collect();
    LABEL_KEYS.iter().find_map(|wanted| {
        let (other, _) = neighbors.iter().find(|(_, key)| key == wanted)?;
        let label = other.value.expose().as_str();
        (label.len() <= MAX_LABEL_LENGTH).then_some(label)
    })
}

fn key_position(field: &Field) -> Option<usize> {
    field
        .steps
        .iter()
        .rposition(|step| matches!(step, Step::Key(_)))
}

fn parent_steps(field: &Field) -> Option<&[Step]> {
    field.steps.get(..key_position(field)?)
}

fn last_key(field: &Field) -> Option<&str> {
    match field.steps.get(key_position(field)?)? {
        Step::Key(key) => Some(key.expose()),
        Step::Index(_) => None,
    }
}
