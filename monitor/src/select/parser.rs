//! Tokens to an expression whose types are right.
//!
//! ```text
//! any   = all { ("or" | "||") all }
//! all   = part { ("and" | "&&") part }
//! part  = ("not" | "!") part | "(" any ")" | test
//! test  = FIELD operator operand
//! ```

use super::{
    error::FilterError,
    expression::{Check, Compare, Expression},
    lexer::{Kind, Token, tokens},
    literal::Literals,
    near,
    subject::{SUBJECTS, Subject, Type, Vocabulary, find},
};

/// Parentheses and negations in one another.
pub const MAX_DEPTH: usize = 64;

/// The operator between a field and its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Order(Compare),
    Fits,
    In,
    Has,
    HasAny,
    HasAll,
}

/// The expression that `text` spells.
pub(super) fn parse(text: &str, vocabulary: &Vocabulary) -> Result<Expression, FilterError> {
    let mut parser = Parser {
        text,
        vocabulary,
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
    };
    if parser.peek() == &Kind::End {
        return Err(parser.error("the expression is empty", "for example: severity >= high"));
    }
    let expression = parser.any()?;
    match parser.peek() {
        Kind::End => Ok(expression),
        Kind::Sign(")") => Err(parser.error("this parenthesis was never opened", "")),
        Kind::Sign("&" | "|") => {
            Err(parser.error("one sign is no operator", "write `and` or `or`"))
        }
        _ => Err(parser.error(
            "the expression could end here",
            "join two tests with `and` or `or`; put text with spaces into quotes",
        )),
    }
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) vocabulary: &'a Vocabulary,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.all()?];
        while self.takes(&["or", "||"]) {
            parts.push(self.all()?);
        }
        Ok(one_of(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.part()?];
        while self.takes(&["and", "&&"]) {
            parts.push(self.part()?);
        }
        Ok(one_of(parts, Expression::All))
    }

    fn part(&mut self) -> Result<Expression, FilterError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error(format!("more than {MAX_DEPTH} levels"), ""));
        }
        self.depth += 1;
        let part = if self.takes(&["not", "!"]) {
            self.part().map(|part| Expression::Not(Box::new(part)))
        } else if self.peek() == &Kind::Sign("(") {
            self.group()
        } else {
            self.test()
        };
        self.depth = self.depth.saturating_sub(1);
        part
    }

    fn group(&mut self) -> Result<Expression, FilterError> {
        let opened = self.advance();
        let inner = self.any()?;
        if self.takes(&[")"]) {
            return Ok(inner);
        }
        if self.peek() == &Kind::End {
            return Err(self.error_at(&opened, "this parenthesis is never closed", ""));
        }
        Err(self.error(
            "`and`, `or` or a closing parenthesis is missing before this",
            "",
        ))
    }

    fn test(&mut self) -> Result<Expression, FilterError> {
        let token = self.current().clone();
        let subject = match &token.kind {
            Kind::Word(name) => match find(name) {
                Some(subject) => subject,
                None => return Err(self.unknown_field(name)),
            },
            Kind::Quoted(_) => {
                return Err(self.error(
                    "a text stands where a field should",
                    "the field comes first: tracker == \"meta\"",
                ));
            }
            Kind::End => return Err(self.error("a test is missing here", "")),
            Kind::Sign(_) => {
                return Err(self.error("a field is missing before this", ""));
            }
        };
        self.advance();
        let (operator, is_negated) = self.operator(subject)?;
        let check = self.check(subject, operator)?;
        let test = Expression::Test(subject, check);
        Ok(if is_negated {
            Expression::Not(Box::new(test))
        } else {
            test
        })
    }

    fn unknown_field(&self, name: &str) -> FilterError {
        let names = SUBJECTS.iter().map(|subject| subject.name);
        let mut help = near::advice(name, names);
        let after = self.tokens.get(self.next.saturating_add(2));
        if let Some(Kind::Word(other)) = after.map(|token| &token.kind)
            && find(other).is_some()
        {
            help = format!("the field comes first: {other} … {name}");
        }
        if help.is_empty() {
            "`phiwatch replay --filter help` lists the fields".clone_into(&mut help);
        }
        self.error(format!("there is no field `{name}`"), help)
    }

    /// The operator behind `subject`, and whether it is negated.
    fn operator(&mut self, subject: &Subject) -> Result<(Operator, bool), FilterError> {
        let word = match self.peek() {
            Kind::Sign(sign) => (*sign).to_owned(),
            Kind::Word(word) => word.to_ascii_lowercase(),
            Kind::Quoted(_) | Kind::End => String::new(),
        };
        let is_negated = word == "not";
        let (operator, is_negated) = match word.as_str() {
            "==" | "is" => (Operator::Equal, false),
            "!=" => (Operator::Equal, true),
            "<" => (Operator::Order(Compare::Less), false),
            "<=" => (Operator::Order(Compare::AtMost), false),
            ">" => (Operator::Order(Compare::Greater), false),
            ">=" => (Operator::Order(Compare::AtLeast), false),
            "=~" => (Operator::Fits, false),
            "!~" => (Operator::Fits, true),
            "in" => (Operator::In, false),
            "has" | "contains" => (Operator::Has, false),
            "not" => {
                self.advance();
                match self.word().as_deref() {
                    Some("in") => (Operator::In, is_negated),
                    Some("has" | "contains") => (Operator::Has, is_negated),
                    _ => {
                        return Err(self.error(
                            "`in`, `has` or `contains` is missing here",
                            format!("or write: not {} …", subject.name),
                        ));
                    }
                }
            }
            "=" => return Err(self.error("`=` is no operator", "write `==`")),
            _ => {
                let help = format!("{} has {}", subject.name, operators(subject.of_type));
                return Err(self.error(
                    format!("an operator is missing after `{}`", subject.name),
                    help,
                ));
            }
        };
        self.fits(subject, operator)?;
        self.advance();
        if operator == Operator::Has && subject.of_type == Type::Set {
            match self.word().as_deref() {
                Some("any") => {
                    self.advance();
                    return Ok((Operator::HasAny, is_negated));
                }
                Some("all") => {
                    self.advance();
                    return Ok((Operator::HasAll, is_negated));
                }
                _ => {}
            }
        }
        Ok((operator, is_negated))
    }

    /// Fails if `subject` does not support the next operator.
    fn fits(&self, subject: &Subject, operator: Operator) -> Result<(), FilterError> {
        let Subject { name, of_type, .. } = subject;
        let is_right = match operator {
            // A set can be compared with `none`.
            Operator::Equal => *of_type != Type::Set || self.is_none(self.next.saturating_add(1)),
            Operator::Order(_) => matches!(of_type, Type::Severity | Type::Number | Type::Time),
            Operator::Fits | Operator::Has => matches!(of_type, Type::Text | Type::Set),
            Operator::In | Operator::HasAny | Operator::HasAll => true,
        };
        if is_right {
            return Ok(());
        }
        let message = format!(
            "`{name}` is {}, which has no such operator",
            of_type.article()
        );
        let help = match (of_type, operator) {
            (Type::Set, Operator::Equal) => {
                let value = self.tokens.get(self.next.saturating_add(1));
                let value = match value.map(|token| &token.kind) {
                    Some(Kind::Word(word) | Kind::Quoted(word)) => word,
                    _ => "…",
                };
                format!("write: {name} has {value}")
            }
            _ => format!("it has {}", operators(*of_type)),
        };
        Err(self.error(message, help))
    }

    fn check(
        &mut self,
        subject: &'static Subject,
        operator: Operator,
    ) -> Result<Check, FilterError> {
        if operator == Operator::Equal && self.is_none(self.next) {
            if matches!(subject.of_type, Type::Severity | Type::Time) {
                let message = format!("`{}` is always there", subject.name);
                return Err(self.error(message, ""));
            }
            self.advance();
            return Ok(Check::Missing);
        }
        let literals = Literals { subject };
        match operator {
            Operator::Equal => literals.compared(self, Compare::Equal),
            Operator::Order(compare) => literals.compared(self, compare),
            Operator::Fits => literals.pattern(self),
            Operator::Has if subject.of_type == Type::Text => literals.part(self),
            Operator::Has => {
                if self.peek() == &Kind::Sign("[") {
                    return Err(self.error(
                        "of several values, are all needed or is one enough?",
                        "write `has all [..]` or `has any [..]`",
                    ));
                }
                Ok(Check::Any(vec![literals.text(self)?]))
            }
            Operator::HasAll => {
                let mut all = Vec::new();
                self.list(|parser| {
                    all.push(literals.text(parser)?);
                    Ok(())
                })?;
                Ok(Check::All(all))
            }
            Operator::In | Operator::HasAny => literals.one_of(self),
        }
    }

    /// Takes `[ item, item … ]`.
    pub(super) fn list(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), FilterError>,
    ) -> Result<(), FilterError> {
        if !self.takes(&["["]) {
            return Err(self.error("a list is missing here", "for example: [meta, tiktok]"));
        }
        loop {
            item(self)?;
            if self.takes(&["]"]) {
                return Ok(());
            }
            if !self.takes(&[","]) {
                return Err(self.error("`,` or `]` is missing here", ""));
            }
        }
    }

    fn is_none(&self, index: usize) -> bool {
        let token = self.tokens.get(index).map(|token| &token.kind);
        matches!(token, Some(Kind::Word(word)) if word == "none" || word == "null")
    }

    /// The next token, if it is a word, in lower case.
    fn word(&self) -> Option<String> {
        match self.peek() {
            Kind::Word(word) => Some(word.to_ascii_lowercase()),
            _ => None,
        }
    }

    /// Takes the next token if it is one of these.
    pub(super) fn takes(&mut self, words: &[&str]) -> bool {
        let is_one = match self.peek() {
            Kind::Word(word) => words.iter().any(|own| own.eq_ignore_ascii_case(word)),
            Kind::Sign(sign) => words.contains(sign),
            Kind::Quoted(_) | Kind::End => false,
        };
        if is_one {
            self.advance();
        }
        is_one
    }

    pub(super) fn current(&self) -> &Token {
        const END: &Token = &Token {
            kind: Kind::End,
            position: 0,
            length: 0,
        };
        self.tokens
            .get(self.next)
            .or(self.tokens.last())
            .unwrap_or(END)
    }

    fn peek(&self) -> &Kind {
        &self.current().kind
    }

    pub(super) fn advance(&mut self) -> Token {
        let token = self.current().clone();
        self.next = self.next.saturating_add(1);
        token
    }

    /// A mistake at the next token.
    pub(super) fn error(&self, message: impl Into<String>, help: impl Into<String>) -> FilterError {
        self.error_at(self.current(), message, help)
    }

    pub(super) fn error_at(
        &self,
        token: &Token,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> FilterError {
        FilterError {
            message: message.into(),
            help: help.into(),
            text: self.text.to_owned(),
            position: token.position,
            length: token.length,
        }
    }
}

fn one_of(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}

/// The operators of a type, in words.
pub(super) const fn operators(of_type: Type) -> &'static str {
    match of_type {
        Type::Severity | Type::Number | Type::Time => "== != < <= > >= in",
        Type::Text => "== != =~ !~ in contains",
        Type::Set => "has, has any [..], has all [..], in, =~",
    }
}
