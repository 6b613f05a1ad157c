//! What is wrong with a filter, and where.

use std::fmt;

/// How many characters of a long expression are shown on each side of the
/// position.
const WINDOW: usize = 60;

/// A mistake in a filter expression. Prints the expression with a mark below
/// the position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// What is wrong.
    pub message: String,
    /// What to do about it; empty where there is no advice.
    pub help: String,
    /// The expression.
    pub text: String,
    /// Where the mistake begins, in bytes of the expression.
    pub position: usize,
    /// How long it is, in bytes.
    pub length: usize,
}

impl std::error::Error for FilterError {}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            message,
            help,
            text,
            position,
            length,
        } = self;
        let before = text.get(..*position).unwrap_or(text).chars().count();
        let marked = text.get(*position..position.saturating_add(*length));
        let marked = marked.unwrap_or_default().chars().count().max(1);
        let first = before.saturating_sub(WINDOW);
        // What a terminal would act upon is no expression.
        let shown = text
            .chars()
            .skip(first)
            .take(before.saturating_sub(first) + marked.min(WINDOW) + WINDOW)
            .map(|c| if c.is_control() { ' ' } else { c });
        let (start, end) = (
            if first > 0 { "…" } else { "" },
            if text.chars().count() > before + marked.min(WINDOW) + WINDOW {
                "…"
            } else {
                ""
            },
        );
        writeln!(f, "{message}, at character {}", before + 1)?;
        writeln!(f, "  {start}{}{end}", shown.collect::<String>())?;
        let indent = before.saturating_sub(first) + start.chars().count();
        write!(
            f,
            "  {:indent$}{}",
            "",
            "^".repeat(marked.min(WINDOW)),
            indent = indent
        )?;
        if !help.is_empty() {
            write!(f, " {help}")?;
        }
        Ok(())
    }
}
