//! Markup to what matters in a page: what it loads, what its inline scripts
//! say, its headings, and what its forms ask for.
//!
//! In: the bytes of a page in any split. Out: a [`Document`]. The tokenizer is
//! html5ever's, which reads markup as browsers do; no tree is built, so memory
//! is bounded by the limits below.

mod entry;
mod script;
mod sink;

use html5ever::{
    buffer_queue::BufferQueue,
    interface::TokenizerResult,
    tendril::StrTendril,
    tokenizer::{Tokenizer, TokenizerOpts},
};
use sink::Sink;

pub use entry::{Input, Resource};
pub(crate) use script::is_tracker_word;
pub use script::{LoaderName, Mentions};

use super::{FieldLimits, Fields, Part, Reader, Span, ValueKind, content, target};
use crate::loss::{Loss, Losses};

/// Most bytes of markup that are read of one page.
pub const MAX_MARKUP: usize = 2 * 1024 * 1024;
/// How many bytes in one tag may end an attribute: the tokenizer compares each
/// attribute with those before it, so that a tag with nothing else takes hours.
const MAX_TAG_PARTS: usize = 1_024;
/// Bytes that the tokenizer gets at once.
const STEP: usize = 16 * 1024;

/// What a page holds. It is payload: no `Debug`.
#[derive(Default)]
pub struct Document {
    /// What it loads, in order, each once.
    pub resources: Vec<Resource>,
    /// The text of its inline scripts.
    scripts: Vec<String>,
    /// Title, headings, description, keywords: key and text.
    texts: Vec<(&'static str, String)>,
    /// What its forms ask for.
    pub inputs: Vec<Input>,
    /// Whether a limit left something out.
    pub cut: bool,
}

/// Reads a page in any split.
pub struct HtmlReader {
    tokenizer: Tokenizer<Sink>,
    queue: BufferQueue,
    /// Bytes of a character that has not ended.
    carry: Vec<u8>,
    read: usize,
    tag: Tag,
}

/// The position within a tag, as far as counting its attributes needs it. What
/// looks like a tag in a script counts as well.
#[derive(Default)]
struct Tag {
    inside: bool,
    /// The quote that ends a value, or zero.
    quote: u8,
    /// The last byte that was no blank.
    last: u8,
    parts: usize,
}

impl Tag {
    fn take(&mut self, byte: u8) {
        if !self.inside {
            self.inside = self.last == b'<' && byte.is_ascii_alphabetic();
        } else if self.quote != 0 {
            if byte == self.quote {
                self.quote = 0;
                self.parts += 1;
            }
        } else {
            match byte {
                b'>' => *self = Self::default(),
                b'"' | b'\'' if self.last == b'=' => self.quote = byte,
                b'/' => self.parts += 1,
                _ if byte.is_ascii_whitespace() => self.parts += 1,
                _ => {}
            }
        }
        if !byte.is_ascii_whitespace() {
            self.last = byte;
        }
    }
}

impl Default for HtmlReader {
    fn default() -> Self {
        let options = TokenizerOpts {
            discard_bom: true,
            ..TokenizerOpts::default()
        };
        Self {
            tokenizer: Tokenizer::new(Sink::default(), options),
            queue: BufferQueue::default(),
            carry: Vec::new(),
            read: 0,
            tag: Tag::default(),
        }
    }
}

impl HtmlReader {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = MAX_MARKUP.saturating_sub(self.read).min(bytes.len());
        let room = self.up_to_endless_tag(bytes.get(..room).unwrap_or_default());
        if room < bytes.len() {
            self.tokenizer.sink.cut();
        }
        self.read = self.read.saturating_add(room);
        for step in bytes.get(..room).unwrap_or_default().chunks(STEP) {
            self.step(step);
        }
    }

    /// How many of `bytes` come before a tag has too many attributes; after
    /// that nothing more is read.
    fn up_to_endless_tag(&mut self, bytes: &[u8]) -> usize {
        for (index, byte) in bytes.iter().enumerate() {
            if self.tag.parts > MAX_TAG_PARTS {
                return index;
            }
            self.tag.take(*byte);
        }
        bytes.len()
    }

    fn step(&mut self, bytes: &[u8]) {
        let mut whole = std::mem::take(&mut self.carry);
        whole.extend_from_slice(bytes);
        let mut rest = whole.as_slice();
        let mut text = String::new();
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                }
                Err(error) => {
                    let (valid, broken) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    let Some(length) = error.error_len() else {
                        self.carry = broken.to_vec();
                        break;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = broken.get(length..).unwrap_or_default();
                }
            }
        }
        self.feed(&text);
    }

    fn feed(&self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.queue.push_back(StrTendril::from_slice(text));
        // Whatever the reason why it stopped early, it has to continue; each
        // time it has consumed something.
        while let TokenizerResult::Script(()) = self.tokenizer.feed(&self.queue) {}
    }

    /// The end of the page.
    pub fn finish(mut self) -> Document {
        if !std::mem::take(&mut self.carry).is_empty() {
            self.feed("\u{fffd}");
        }
        self.tokenizer.end();
        self.tokenizer.sink.into_document()
    }
}

/// Reads a page that is there as a whole.
pub fn read_page(markup: &[u8], losses: &mut Losses) -> Document {
    let mut reader = HtmlReader::default();
    reader.push(markup);
    let document = reader.finish();
    if document.cut {
        losses.count(Loss::FieldLimit);
    }
    document
}

impl Document {
    /// The fields of the page: the route, its title and headings
    /// ([`Part::Page`]), the labels of its forms ([`Part::Form`]), and the
    /// values in calls of trackers ([`Part::Body`]); and which trackers its
    /// inline scripts use. `route` is the target of the page's request.
    pub fn examine(
        &self,
        route: Option<&[u8]>,
        limits: &FieldLimits,
        losses: &mut Losses,
    ) -> (Fields, Mentions) {
        let mut reader = Reader::new(limits, losses);
        if let Some(route) = route {
            target::read(&mut reader, route);
        }
        for (key, text) in &self.texts {
            reader.start_part(Part::Page);
            reader.go_key(key.as_bytes());
            reader.emit(text.as_bytes(), ValueKind::Text, false);
        }
        for input in &self.inputs {
            for text in input.texts() {
                reader.start_part(Part::Form);
                reader.go_key(b"title");
                reader.emit(text.as_bytes(), ValueKind::Text, false);
            }
        }
        let mut mentions = Mentions::default();
        for text in &self.scripts {
            script::read(text, &mut reader, &mut mentions);
        }
        (reader.into_fields(), mentions)
    }
}

/// Yields a string of a script at the current path, or its contents.
fn read_string(reader: &mut Reader, text: &str) {
    content::read_value(reader, Span::plain(text.as_bytes()), false);
}

#[cfg(test)]
mod tests;
