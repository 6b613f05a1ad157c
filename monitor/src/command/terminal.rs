//! What standard output and standard error are, and what they can show.

use std::{
    env,
    ffi::OsStr,
    io::{self, IsTerminal},
};

/// What an output can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terminal {
    /// Whether a person may be reading it.
    pub(super) is_terminal: bool,
    /// Whether it may have colors.
    pub(super) is_colored: bool,
}

impl Terminal {
    /// What standard output can show.
    pub(super) fn stdout() -> Self {
        Self {
            is_terminal: io::stdout().is_terminal(),
            is_colored: is_colored(&io::stdout()),
        }
    }
}

/// Whether output to `stream` may have colors: it is a terminal that has them, and
/// nobody asked for none.
pub fn is_colored(stream: &impl IsTerminal) -> bool {
    let (no_color, term) = (env::var_os("NO_COLOR"), env::var_os("TERM"));
    stream.is_terminal() && allows_color(no_color.as_deref(), term.as_deref())
}

/// Whether the values of `NO_COLOR` and `TERM` allow colors.
fn allows_color(no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_turns_colors_off() {
        for (no_color, term, expected) in [
            (None, None, true),
            (Some(""), Some("xterm-256color"), true),
            (Some("1"), Some("xterm-256color"), false),
            (Some("0"), None, false),
            (None, Some("dumb"), false),
        ] {
            let allows = allows_color(no_color.map(OsStr::new), term.map(OsStr::new));
            assert_eq!(allows, expected, "{no_color:?} {term:?}");
        }
    }
}
