//! Tokens of markup to a [`Document`].

use std::cell::{Cell, RefCell};

use html5ever::tokenizer::{
    Tag, TagKind, Token, TokenSink, TokenSinkResult,
    states::{Rawtext, Rcdata, ScriptData},
};

use super::{Document, entry::Input, entry::Resource};

/// Most resources of one page.
const MAX_RESOURCES: usize = 2_000;
/// Most inputs of one page.
const MAX_INPUTS: usize = 1_000;
/// Most titles, headings and descriptions of one page.
const MAX_TEXTS: usize = 200;
/// Longest text of a title, a heading or a label, in bytes.
const MAX_TEXT: usize = 1_024;
/// Most bytes of all inline scripts of one page.
const MAX_SCRIPTS: usize = 1024 * 1024;
/// Most inline scripts of one page.
const MAX_SCRIPT_COUNT: usize = 1_000;

/// What the following characters belong to.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Nowhere,
    Script,
    Title,
    Heading,
    Label,
}

#[derive(Default)]
struct State {
    document: Document,
    place: Place,
    text: String,
    script_bytes: usize,
    label_for: String,
    /// The first input within the open label.
    labelled: Option<usize>,
    /// Labels whose input was not seen yet.
    waiting: Vec<(String, String)>,
}

/// Takes the tokens of one page.
#[derive(Default)]
pub(super) struct Sink {
    state: RefCell<State>,
    cut: Cell<bool>,
}

impl Sink {
    pub(super) fn cut(&self) {
        self.cut.set(true);
    }

    pub(super) fn into_document(self) -> Document {
        let mut state = self.state.into_inner();
        state.end_place();
        let mut document = state.document;
        document.cut |= self.cut.get();
        document
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        match token {
            Token::CharacterTokens(text) => state.characters(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return state.start(&tag),
            Token::TagToken(tag) => state.end(&tag),
            // Conditional comments of old browsers are not part of the page.
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// The value of an attribute. Data attributes of lazy loaders count as well.
fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs
        .iter()
        .find(|attribute| &*attribute.name.local == name)
        .map(|attribute| &*attribute.value)
}

impl State {
    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        match name {
            "script" => {
                self.end_place();
                self.load(tag, &["src", "data-src"]);
                // Data of the page's own application does not reach a tracker.
                let is_data = attribute(tag, "type").is_some_and(|kind| kind.contains("json"));
                if !is_data {
                    self.begin_place(Place::Script);
                }
                return TokenSinkResult::RawData(ScriptData);
            }
            "img" | "iframe" | "source" | "embed" | "amp-pixel" | "amp-img" | "video" | "input"
                if name != "input" || attribute(tag, "type") == Some("image") =>
            {
                self.load(tag, &["src", "data-src", "data-lazy-src", "data-original"]);
                for set in ["srcset", "data-srcset"] {
                    for candidate in attribute(tag, set).unwrap_or_default().split(", ") {
                        let address = candidate.split_ascii_whitespace().next();
                        self.add(address.unwrap_or_default());
                    }
                }
            }
            "link" => {
                let rel = attribute(tag, "rel").unwrap_or_default();
                let loads = rel.split_ascii_whitespace().any(|word| {
                    const LOADING: &[&str] = &[
                        "preconnect",
                        "dns-prefetch",
                        "preload",
                        "prefetch",
                        "modulepreload",
                        "stylesheet",
                    ];
                    LOADING.iter().any(|known| word.eq_ignore_ascii_case(known))
                });
                if loads {
                    self.load(tag, &["href"]);
                }
            }
            "amp-analytics" => self.load(tag, &["config"]),
            "object" => self.load(tag, &["data"]),
            "form" => self.load(tag, &["action"]),
            "meta" => self.meta(tag),
            "h1" | "h2" => self.begin_place(Place::Heading),
            "label" | "legend" => {
                self.begin_place(Place::Label);
                attribute(tag, "for")
                    .unwrap_or_default()
                    .clone_into(&mut self.label_for);
            }
            _ => {}
        }
        if matches!(name, "input" | "select" | "textarea") {
            self.input(tag);
        }
        match name {
            "title" => {
                self.begin_place(Place::Title);
                TokenSinkResult::RawData(Rcdata)
            }
            "textarea" => TokenSinkResult::RawData(Rcdata),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                TokenSinkResult::RawData(Rawtext)
            }
            _ => TokenSinkResult::Continue,
        }
    }

    fn end(&mut self, tag: &Tag) {
        let name: &str = &tag.name;
        let ends = match self.place {
            Place::Nowhere => false,
            Place::Script => name == "script",
            Place::Title => name == "title",
            Place::Heading => matches!(name, "h1" | "h2" | "body"),
            Place::Label => matches!(name, "label" | "legend" | "form" | "body"),
        };
        if ends {
            self.end_place();
        }
    }

    fn begin_place(&mut self, place: Place) {
        self.end_place();
        self.place = place;
        self.text.clear();
        self.labelled = None;
        self.label_for.clear();
    }

    /// Keeps the text of the place that ends.
    fn end_place(&mut self) {
        let text = std::mem::take(&mut self.text);
        match std::mem::take(&mut self.place) {
            Place::Nowhere => {}
            Place::Script if text.trim().is_empty() => {}
            Place::Script if self.document.scripts.len() >= MAX_SCRIPT_COUNT => {
                self.document.cut = true;
            }
            Place::Script => self.document.scripts.push(text),
            Place::Title | Place::Heading => self.say("title", &text),
            Place::Label => self.end_label(&text),
        }
    }

    fn say(&mut self, key: &'static str, text: &str) {
        let text = squeeze(text);
        if text.is_empty() {
            return;
        }
        if self.document.texts.len() >= MAX_TEXTS {
            self.document.cut = true;
            return;
        }
        self.document.texts.push((key, text));
    }

    fn end_label(&mut self, text: &str) {
        let text = squeeze(text);
        let wanted = std::mem::take(&mut self.label_for);
        if text.is_empty() {
            return;
        }
        let inside = self
            .labelled
            .take()
            .and_then(|index| self.document.inputs.get_mut(index));
        let named = || !wanted.is_empty();
        if let Some(input) = inside {
            input.labels.push(text);
        } else if let Some(input) = self
            .document
            .inputs
            .iter_mut()
            .find(|input| named() && input.names.contains(&wanted))
        {
            input.labels.push(text);
        } else if self.waiting.len() < MAX_INPUTS {
            self.waiting.push((wanted, text));
        }
    }

    fn characters(&mut self, text: &str) {
        let room = match self.place {
            Place::Nowhere => return,
            Place::Script => {
                let room = MAX_SCRIPTS.saturating_sub(self.script_bytes);
                self.script_bytes = self.script_bytes.saturating_add(text.len().min(room));
                self.document.cut |= room < text.len();
                room
            }
            Place::Title | Place::Heading | Place::Label => {
                MAX_TEXT.saturating_sub(self.text.len())
            }
        };
        let kept = text.get(..text.floor_char_boundary(room));
        self.text.push_str(kept.unwrap_or(text));
    }

    fn load(&mut self, tag: &Tag, names: &[&str]) {
        for name in names {
            self.add(attribute(tag, name).unwrap_or_default());
        }
    }

    fn add(&mut self, address: &str) {
        let Some(resource) = Resource::parse(address) else {
            return;
        };
        let resources = &mut self.document.resources;
        if resources.len() >= MAX_RESOURCES {
            self.document.cut = true;
        } else if resources.last() != Some(&resource) {
            resources.push(resource);
        }
    }

    fn meta(&mut self, tag: &Tag) {
        let name = attribute(tag, "name")
            .or_else(|| attribute(tag, "property"))
            .unwrap_or_default()
            .to_ascii_lowercase();
        let content = attribute(tag, "content").unwrap_or_default();
        match name.as_str() {
            "description" | "keywords" | "og:description" | "twitter:description" => {
                self.say("description", head(content));
            }
            "title" | "og:title" | "twitter:title" => self.say("title", head(content)),
            _ => {}
        }
    }

    fn input(&mut self, tag: &Tag) {
        let kind = match &*tag.name {
            "input" => attribute(tag, "type").unwrap_or("text"),
            other => other,
        };
        let kind = kind.to_ascii_lowercase();
        // An input that nobody fills in asks for nothing.
        if matches!(
            kind.as_str(),
            "hidden" | "submit" | "button" | "image" | "reset" | "search" | "password"
        ) {
            return;
        }
        if self.document.inputs.len() >= MAX_INPUTS {
            self.document.cut = true;
            return;
        }
        let read = |names: &[&str]| {
            names
                .iter()
                .filter_map(|name| attribute(tag, name))
                .filter(|value| !value.is_empty())
                .map(|value| head(value).to_owned())
                .collect::<Vec<_>>()
        };
        let mut input = Input {
            kind,
            names: read(&["id", "name", "autocomplete"]),
            labels: read(&["placeholder", "aria-label", "title"]),
        };
        let waiting = &mut self.waiting;
        let own = waiting
            .iter()
            .rposition(|(wanted, _)| wanted.is_empty() || input.names.contains(wanted));
        if let Some(own) = own {
            let (_, label) = waiting.remove(own);
            input.labels.push(label);
            waiting.retain(|(wanted, _)| !wanted.is_empty());
        }
        if self.place == Place::Label {
            self.labelled.get_or_insert(self.document.inputs.len());
        }
        self.document.inputs.push(input);
    }
}

fn head(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT))
        .unwrap_or_default()
}

/// `text` without the white space of markup around words.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
