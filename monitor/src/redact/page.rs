//! Pages: tags and the addresses of what they load stay; texts, attributes and
//! strings of scripts are replaced.

use super::{
    rewriter::{Rewriter, Scope},
    scramble, vocabulary,
};
use crate::field::{Encoding, entity, url};

/// Names of elements.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "address",
    "amp-analytics",
    "amp-img",
    "amp-pixel",
    "article",
    "aside",
    "audio",
    "b",
    "base",
    "blockquote",
    "body",
    "br",
    "button",
    "canvas",
    "caption",
    "center",
    "circle",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "datalist",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "g",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "label",
    "legend",
    "li",
    "line",
    "link",
    "main",
    "map",
    "mark",
    "menu",
    "meta",
    "meter",
    "nav",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "ol",
    "optgroup",
    "option",
    "output",
    "p",
    "param",
    "path",
    "picture",
    "pre",
    "progress",
    "q",
    "rect",
    "s",
    "script",
    "section",
    "select",
    "slot",
    "small",
    "source",
    "span",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "u",
    "ul",
    "use",
    "var",
    "video",
    "xmp",
];
/// Attributes whose value is a keyword of the format.
const FORMAL: &[&str] = &[
    "as",
    "async",
    "autocomplete",
    "charset",
    "checked",
    "crossorigin",
    "defer",
    "dir",
    "disabled",
    "enctype",
    "fetchpriority",
    "height",
    "hidden",
    "http-equiv",
    "lang",
    "loading",
    "max",
    "maxlength",
    "method",
    "min",
    "multiple",
    "nomodule",
    "novalidate",
    "placeholder-shown",
    "property",
    "readonly",
    "referrerpolicy",
    "rel",
    "required",
    "role",
    "rows",
    "cols",
    "sizes",
    "spellcheck",
    "step",
    "tabindex",
    "target",
    "type",
    "width",
];
/// Attributes that name something.
const NAMING: &[&str] = &["for", "form", "id", "list", "name"];
/// Attributes that people read.
const READ: &[&str] = &["alt", "aria-label", "label", "placeholder", "title"];
/// Attributes that lead somewhere.
const LEADING: &[&str] = &[
    "action",
    "config",
    "content",
    "data",
    "data-lazy-src",
    "data-original",
    "data-src",
    "data-srcset",
    "formaction",
    "href",
    "poster",
    "src",
    "srcset",
    "value",
];
/// The longest word of the format, in bytes.
const MAX_FORMAL: usize = 64;

impl Rewriter<'_> {
    /// A page.
    pub(super) fn page(&mut self, markup: &[u8]) -> Vec<u8> {
        self.scope = Scope::Page;
        let mut out = Vec::with_capacity(markup.len());
        let mut rest = markup;
        while !rest.is_empty() {
            let (text, behind) = url::split_once(rest, b'<');
            self.page_text(text, &mut out);
            let Some(tag) = behind else { break };
            out.push(b'<');
            rest = self.page_tag(tag, &mut out);
        }
        self.scope = Scope::Message;
        out
    }

    /// A text that people read: words of interfaces stay.
    fn page_text(&self, raw: &[u8], out: &mut Vec<u8>) {
        let inner = raw.trim_ascii();
        if inner.is_empty() {
            return out.extend_from_slice(raw);
        }
        let from = raw.len().saturating_sub(raw.trim_ascii_start().len());
        out.extend_from_slice(raw.get(..from).unwrap_or_default());
        let decoded = entity::unescape(inner);
        let new = self.read(&decoded);
        Encoding::Entities.escape_like(inner, &new, out);
        let end = from.saturating_add(inner.len());
        out.extend_from_slice(raw.get(end..).unwrap_or_default());
    }

    fn read(&self, text: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(text) else {
            return scramble::bytes(self.known.key, text);
        };
        let squeezed = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        if self.known.has(&squeezed) && squeezed.len() == text.len() {
            return self.known.text(&squeezed, None).into_bytes();
        }
        let is_label = vocabulary::is_interface_text(text) && !self.known.hides(text);
        if is_label {
            return text.as_bytes().to_vec();
        }
        self.known.text(text, None).into_bytes()
    }

    /// What is behind a `<`. Returns what follows it.
    fn page_tag<'t>(&mut self, tag: &'t [u8], out: &mut Vec<u8>) -> &'t [u8] {
        if tag.starts_with(b"!") || tag.starts_with(b"?") {
            let end: &[u8] = if tag.starts_with(b"!--") {
                b"-->"
            } else {
                b">"
            };
            let at = memchr::memmem::find(tag, end).unwrap_or(tag.len());
            let (own, behind) = tag.split_at(at);
            if own.eq_ignore_ascii_case(b"!doctype html") {
                out.extend_from_slice(own);
            } else {
                out.extend(scramble::bytes(self.known.key, own));
            }
            return behind;
        }
        let slash = usize::from(tag.starts_with(b"/"));
        let (slash, inner) = tag.split_at(slash);
        if !inner.first().is_some_and(u8::is_ascii_alphabetic) {
            return tag;
        }
        out.extend_from_slice(slash);
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"/>".contains(byte);
        let end = inner.iter().position(is_end).unwrap_or(inner.len());
        let (raw, attributes) = inner.split_at(end);
        let name = String::from_utf8_lossy(raw).to_ascii_lowercase();
        if ELEMENTS.contains(&name.as_str()) {
            out.extend_from_slice(raw);
        } else {
            out.extend(self.key(raw));
        }
        let mut is_data = false;
        let rest = self.attributes(&name, attributes, &mut is_data, out);
        if slash.is_empty() {
            self.raw_text(&name, is_data, rest, out)
        } else {
            rest
        }
    }

    /// The text of an element whose content is not markup. Returns what
    /// follows.
    fn raw_text<'t>(
        &mut self,
        name: &str,
        is_data: bool,
        rest: &'t [u8],
        out: &mut Vec<u8>,
    ) -> &'t [u8] {
        if !matches!(name, "script" | "style" | "textarea" | "title" | "xmp") {
            return rest;
        }
        let end = end_of(name.as_bytes(), rest);
        let (content, behind) = rest.split_at(end);
        match name {
            "script" if is_data => {
                let new = self.value(content);
                out.extend(new);
            }
            "script" => self.script(content, out),
            "style" => out.extend(scramble::bytes(self.known.key, content)),
            _ => self.page_text(content, out),
        }
        behind
    }

    /// The attributes of a tag, and its end. Returns what follows.
    fn attributes<'t>(
        &mut self,
        element: &str,
        text: &'t [u8],
        is_data: &mut bool,
        out: &mut Vec<u8>,
    ) -> &'t [u8] {
        let mut rest = text;
        loop {
            let blank = rest
                .iter()
                .position(|byte| !byte.is_ascii_whitespace() && *byte != b'/')
                .unwrap_or(rest.len());
            let (blanks, inner) = rest.split_at(blank);
            out.extend_from_slice(blanks);
            rest = inner;
            let Some(first) = rest.first() else {
                return rest;
            };
            if *first == b'>' {
                out.push(b'>');
                return rest.get(1..).unwrap_or_default();
            }
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"=/>".contains(byte);
            let skipped = usize::from(*first == b'=');
            let end = rest
                .iter()
                .skip(skipped)
                .position(is_end)
                .map_or(rest.len(), |at| at.saturating_add(skipped));
            let (raw, behind) = rest.split_at(end);
            let name = String::from_utf8_lossy(raw).to_ascii_lowercase();
            out.extend(self.attribute_name(&name, raw));
            let blanks = behind.len() - behind.trim_ascii_start().len();
            let Some(value) = behind.trim_ascii_start().strip_prefix(b"=") else {
                rest = behind;
                continue;
            };
            out.extend_from_slice(behind.get(..blanks).unwrap_or_default());
            out.push(b'=');
            rest = self.attribute(element, &name, value, is_data, out);
        }
    }

    fn attribute_name(&self, name: &str, raw: &[u8]) -> Vec<u8> {
        let is_known = [FORMAL, NAMING, READ, LEADING]
            .iter()
            .any(|names| names.contains(&name))
            || matches!(
                name,
                "class" | "style" | "onload" | "onclick" | "onerror" | "onsubmit"
            );
        let rest = name
            .strip_prefix("data-")
            .or_else(|| name.strip_prefix("aria-"));
        let is_kept = |name: &str| vocabulary::is_kept_key(name, &self.known.hidden);
        if is_known || is_kept(name) || rest.is_some_and(is_kept) {
            raw.to_vec()
        } else {
            self.key(raw)
        }
    }

    /// The value of an attribute. Returns what follows.
    fn attribute<'t>(
        &mut self,
        element: &str,
        name: &str,
        text: &'t [u8],
        is_data: &mut bool,
        out: &mut Vec<u8>,
    ) -> &'t [u8] {
        let blank = text.len() - text.trim_ascii_start().len();
        let (blanks, text) = text.split_at(blank);
        out.extend_from_slice(blanks);
        let (quote, raw, behind) = if let Some((quote @ (b'"' | b'\''), inner)) = text.split_first()
        {
            let end = memchr::memchr(*quote, inner).unwrap_or(inner.len());
            let (raw, behind) = inner.split_at(end);
            (Some(*quote), raw, behind)
        } else {
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
            let end = text.iter().position(is_end).unwrap_or(text.len());
            let (raw, behind) = text.split_at(end);
            (None, raw, behind)
        };
        out.extend(quote);
        let value = entity::unescape(raw);
        if name == "type" && memchr::memmem::find(&value, b"json").is_some() {
            *is_data = element == "script";
        }
        let new = self.attribute_value(element, name, &value);
        Encoding::Entities.escape_like(raw, &new, out);
        match (quote, behind.split_first()) {
            (Some(quote), Some((_, behind))) => {
                out.push(quote);
                behind
            }
            _ => behind,
        }
    }

    fn attribute_value(&mut self, element: &str, name: &str, value: &[u8]) -> Vec<u8> {
        let text = std::str::from_utf8(value).unwrap_or_default();
        if FORMAL.contains(&name) && self.is_formal(text) {
            return value.to_vec();
        }
        if element == "meta" && name == "name" && self.is_formal(text) {
            return value.to_vec();
        }
        if NAMING.contains(&name) {
            return self.key(value);
        }
        if READ.contains(&name) {
            return self.read(value);
        }
        if name == "class" {
            return value
                .split(|byte| *byte == b' ')
                .map(|class| self.key(class))
                .collect::<Vec<_>>()
                .join(&b' ');
        }
        if name.starts_with("on") {
            let mut out = Vec::new();
            self.script(value, &mut out);
            return out;
        }
        if name.ends_with("srcset") {
            return value
                .split(|byte| *byte == b' ')
                .map(|part| self.address(part))
                .collect::<Vec<_>>()
                .join(&b' ');
        }
        if LEADING.contains(&name) {
            return self.address(value);
        }
        self.value(value)
    }

    /// A word of the format, or a list of them.
    fn is_formal(&self, text: &str) -> bool {
        text.len() <= MAX_FORMAL
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/;=,.:_-+ #%".contains(&byte))
            && text
                .split(|c: char| !c.is_ascii_digit())
                .all(|run| run.len() <= 4)
            && !self.known.hides(text)
    }

    /// An address, or a text. Without a scheme it is an address on this page's
    /// own host.
    pub(super) fn address(&mut self, value: &[u8]) -> Vec<u8> {
        if let Some(rest) = value.strip_prefix(b"//") {
            let mut whole = b"https://".to_vec();
            whole.extend_from_slice(rest);
            let new = self.value(&whole);
            return new.get(6..).unwrap_or_default().to_vec();
        }
        if value.starts_with(b"/") || value.starts_with(b"#") {
            let parts = url::Parts::of_path(value);
            return self.rewrite(value, |reader| url::read(reader, parts, false));
        }
        self.value(value)
    }
}

/// Where the element `name` ends in `text`.
fn end_of(name: &[u8], text: &[u8]) -> usize {
    memchr::memmem::find_iter(text, b"</")
        .find(|at| {
            let from = at.saturating_add(2);
            text.get(from..from.saturating_add(name.len()))
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
        .unwrap_or(text.len())
}
