//! An expression to tokens.
//!
//! In: text. Out: words, quoted texts and signs, with their positions. A word
//! is anything without spaces and signs: `high`, `2h`, `2026-11-24T02:41Z`,
//! `*.facebook.com`; its meaning depends on what it is compared with.

use super::error::FilterError;

/// The longest expression, in bytes.
pub const MAX_LENGTH: usize = 8 * 1024;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word without quotes.
    Word(String),
    /// A text in quotes, which are removed.
    Quoted(String),
    /// One of [`SIGNS`].
    Sign(&'static str),
    /// Behind the last token.
    End,
}

/// A token and its place in the expression, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) position: usize,
    pub(super) length: usize,
}

/// Signs, longer ones before their own prefixes.
const SIGNS: &[&str] = &[
    "==", "!=", "<=", ">=", "=~", "!~", "&&", "||", "<", ">", "=", "!", "&", "|", "(", ")", "[",
    "]", ",",
];

/// The tokens of `text`, the last of which is [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let error = |message: String, help: &str, position: usize, length: usize| FilterError {
        message,
        help: help.to_owned(),
        text: text.chars().take(MAX_LENGTH).collect(),
        position,
        length,
    };
    if text.len() > MAX_LENGTH {
        let message = format!("the expression is longer than {MAX_LENGTH} bytes");
        return Err(error(message, "", 0, 1));
    }
    let mut tokens = Vec::new();
    let mut position = 0;
    while let Some(rest) = text.get(position..)
        && let Some(first) = rest.chars().next()
    {
        if first.is_whitespace() {
            position += first.len_utf8();
            continue;
        }
        let (kind, length) = if first == '"' || first == '\'' {
            quoted(rest, first).map_err(|problem| {
                let (message, offset, length) = problem;
                error(message.to_owned(), "", position + offset, length)
            })?
        } else if let Some(sign) = sign(rest) {
            (Kind::Sign(sign), sign.len())
        } else {
            let length = rest
                .char_indices()
                .find(|(_, c)| !is_word(*c))
                .map_or(rest.len(), |(end, _)| end);
            let Some(word) = rest.get(..length).filter(|word| !word.is_empty()) else {
                return Err(error(
                    "this character means nothing here".to_owned(),
                    "put text into quotes",
                    position,
                    first.len_utf8(),
                ));
            };
            (Kind::Word(word.to_owned()), length)
        };
        tokens.push(Token {
            kind,
            position,
            length,
        });
        position += length;
    }
    tokens.push(Token {
        kind: Kind::End,
        position: text.len(),
        length: 0,
    });
    Ok(tokens)
}

fn sign(rest: &str) -> Option<&'static str> {
    let sign = SIGNS.iter().copied().find(|sign| rest.starts_with(sign));
    sign.or_else(|| {
        // A plus or minus alone adds a duration; before a letter or digit it
        // belongs to a word.
        let second = rest.chars().nth(1);
        let is_alone = second.is_none_or(char::is_whitespace);
        ["+", "-"]
            .into_iter()
            .find(|sign| is_alone && rest.starts_with(sign))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || "_-.:/*?+@{}%~#$".contains(c)
}

/// The text in quotes at the beginning of `rest`; or what is wrong with it, and
/// where.
fn quoted(rest: &str, quote: char) -> Result<(Kind, usize), (&'static str, usize, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Ok((Kind::Quoted(text), at + c.len_utf8()));
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        text.push(match chars.next() {
            Some((_, 'n')) => '\n',
            Some((_, 't')) => '\t',
            Some((_, own @ ('\\' | '"' | '\''))) => own,
            Some((_, own)) => {
                return Err((
                    "after a backslash only \\, \", ', n and t are understood",
                    at,
                    1 + own.len_utf8(),
                ));
            }
            None => break,
        });
    }
    Err(("this quotation does not end", 0, 1))
}
