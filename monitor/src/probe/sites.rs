//! Where in a library the probes sit.
//!
//! In: a library. Out: its [`Sites`], decided once for each build from the code of
//! the functions that the [hook table](super::table) names.

use std::{fs, sync::LazyLock};

use phiwatch_ebpf::abi::cookie;

use super::{
    elf,
    library::{Library, LibraryError},
    place::{self, Cost, Exits, Placement, Point},
    status::State,
    table::{Attachment, HOOKS, Hook, LOADER, Reading},
};

/// The getter of what the last call on an `SSL` object waits for.
const WANT: &str = "SSL_want";

/// One place in a library that is probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// The hook it belongs to.
    pub hook: &'static str,
    /// Its place in the file, bytes.
    pub offset: u64,
    /// What its program is told, but for the attachment.
    pub cookie: u64,
    /// Whether the function ends here.
    pub is_exit: bool,
    /// The program for kernels without cookies.
    pub program: &'static str,
}

/// What became of a hook in a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// The hook.
    pub hook: &'static str,
    /// Whether there is something to attach to.
    pub state: State,
    /// Where its probes sit, or why there are none.
    pub detail: String,
}

/// The sites of one library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sites {
    calls: Vec<Site>,
    results: Vec<Site>,
    /// One for each hook.
    pub decisions: Vec<Decision>,
}

/// Which sites of a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Where calls begin that send or say something.
    Calls,
    /// Where calls end, and where reads begin.
    Results,
}

/// What is probed of a function, before its sites are told what they belong to.
struct Examined {
    /// Where the function begins in the file, bytes.
    offset: u64,
    address: u64,
    code: Vec<u8>,
    placement: Placement,
}

impl Sites {
    /// Decides where the probes of `library` sit. Without cookies they sit where
    /// the stack pointer is that of the function's first instruction.
    pub(super) fn decide(library: &Library, has_cookies: bool) -> Result<Self, LibraryError> {
        let hooks: Vec<(&'static str, Function)> = HOOKS.iter().filter_map(function_of).collect();
        let symbols: Vec<&str> = hooks
            .iter()
            .map(|(_, function)| function.symbol)
            .chain([WANT])
            .collect();
        let mut found = library.functions(&symbols)?;
        let want = found.pop().flatten();
        let state = want.and_then(|want| place::returned_field(&want.code));
        let examined: Vec<Option<Examined>> = hooks
            .iter()
            .zip(found)
            .map(|((_, function), found)| Some(examine(found?, function.arguments, has_cookies)))
            .collect();
        let of = |symbol: &str| {
            let mut both = hooks.iter().zip(&examined);
            both.find(|((_, function), _)| function.symbol == symbol)
                .and_then(|(_, examined)| examined.as_ref())
        };
        let pair = of("SSL_write_ex").zip(of("SSL_write_ex2")).map(relation);
        let is_loader = of(LOADER).is_some();
        let mut sites = Self::default();
        for ((hook, function), examined) in hooks.iter().zip(&examined) {
            // Nobody expects a loader to do TLS, or the other way round.
            if (function.symbol == LOADER) != is_loader {
                continue;
            }
            let unprobed = match (examined, function.symbol, &pair) {
                (None, symbol, _) => Some((State::Disabled, format!("{symbol} is not exported"))),
                (_, "SSL_write_ex", Some(Relation::GoesOn)) => Some((
                    State::Active,
                    "SSL_write_ex goes on in SSL_write_ex2, which is probed".to_owned(),
                )),
                (_, "SSL_write_ex2", Some(Relation::Calls)) => Some((
                    State::Disabled,
                    "SSL_write_ex is probed, which calls SSL_write_ex2".to_owned(),
                )),
                _ => None,
            };
            let (state, detail) = match (unprobed, examined) {
                (None, Some(examined)) => {
                    sites.take(hook, *function, examined, has_cookies, state.unwrap_or(0))
                }
                (Some(unprobed), _) => unprobed,
                (None, None) => continue,
            };
            sites.decisions.push(Decision {
                hook,
                state,
                detail,
            });
        }
        Ok(sites)
    }

    /// Takes in the sites of one function, and says where they are.
    fn take(
        &mut self,
        hook: &'static str,
        function: Function,
        examined: &Examined,
        has_cookies: bool,
        state: u16,
    ) -> (State, String) {
        let Function {
            symbol,
            reading,
            program,
            ..
        } = function;
        let Placement { entry, exits } = &examined.placement;
        let site = |point: &Point, is_exit: bool, flags: u64| {
            let stepped = match point.cost {
                Cost::Emulated => 0,
                Cost::SingleStepped => cookie::SINGLE_STEPPED,
            };
            Site {
                hook,
                offset: examined.offset + point.offset,
                // `examine` chooses none that is deeper than a cookie can tell.
                cookie: cookie::pack(
                    u16::try_from(point.depth).unwrap_or(0),
                    0,
                    function.number,
                    flags | stepped,
                    state,
                ),
                is_exit,
                program: if is_exit { "ssl_exit" } else { program },
            }
        };
        let begins = format!("{symbol} begins at {entry}");
        match (reading, exits) {
            (Reading::Arguments, _) => {
                self.calls.push(site(entry, false, 0));
                (State::Active, begins)
            }
            (Reading::Sent | Reading::Received, Exits::At(points)) => {
                let entry = site(entry, false, 0);
                if reading == Reading::Sent {
                    self.calls.push(entry);
                } else {
                    self.results.push(entry);
                }
                self.results
                    .extend(points.iter().map(|point| site(point, true, 0)));
                let ends: Vec<_> = points.iter().map(Point::to_string).collect();
                (
                    State::Active,
                    format!("{begins}, ends at {}", ends.join(", ")),
                )
            }
            // Only a cookie can tell the program not to wait for the end.
            (Reading::Sent, Exits::Of(_) | Exits::Unknown(_)) if has_cookies => {
                self.calls.push(site(entry, false, cookie::NO_EXIT));
                let why = unknown(exits);
                (
                    State::Active,
                    format!("{begins}, its end is not probed: {why}"),
                )
            }
            (Reading::Sent | Reading::Received, Exits::Of(_) | Exits::Unknown(_)) => {
                let why = unknown(exits);
                (
                    State::Disabled,
                    format!("{symbol}: its end cannot be probed: {why}"),
                )
            }
        }
    }

    /// The sites of one site, for `doctor`.
    pub(super) fn of_one(site: Site) -> Self {
        Self {
            calls: vec![site],
            ..Self::default()
        }
    }

    /// The sites of one part.
    pub(super) fn part(&self, part: Part) -> &[Site] {
        match part {
            Part::Calls => &self.calls,
            Part::Results => &self.results,
        }
    }

    /// Whether there is nothing to probe.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.results.is_empty()
    }

    /// Where calls are probed, by which a file is recognised as hooked already.
    pub(super) fn call_offsets(&self) -> Vec<u64> {
        self.calls.iter().map(|site| site.offset).collect()
    }
}

/// A row of the hook table that is about a function.
#[derive(Clone, Copy)]
struct Function {
    symbol: &'static str,
    /// One of [`phiwatch_ebpf::abi::function`].
    number: u8,
    arguments: u8,
    reading: Reading,
    program: &'static str,
}

fn function_of(hook: &Hook) -> Option<(&'static str, Function)> {
    match hook.attachment {
        Attachment::Function {
            symbol,
            function,
            arguments,
            reading,
            program,
        } => {
            let function = Function {
                symbol,
                number: function,
                arguments,
                reading,
                program,
            };
            Some((hook.name, function))
        }
        _ => None,
    }
}

fn examine(found: elf::Function, arguments: u8, has_cookies: bool) -> Examined {
    let elf::Function {
        offset,
        address,
        code,
    } = found;
    let mut placement = if has_cookies {
        place::place(&code, address, arguments)
    } else {
        place::place_without_depth(&code, address, arguments)
    };
    let is_too_deep = placement.entry.depth > u32::from(u16::MAX);
    if is_too_deep || placement.entry.is_call && has_shadow_stacks() {
        let first = Point {
            offset: 0,
            depth: 0,
            cost: Cost::SingleStepped,
            is_call: false,
        };
        let plain = place::place_without_depth(&code, address, arguments).entry;
        placement.entry = if plain.is_call { first } else { plain };
    }
    Examined {
        offset,
        address,
        code,
        placement,
    }
}

/// Whether processes of this host can have shadow stacks, with which some kernels
/// do not emulate a `call` under a probe as they should.
fn has_shadow_stacks() -> bool {
    static ANSWER: LazyLock<bool> = LazyLock::new(|| {
        fs::read_to_string("/proc/cpuinfo")
            .is_ok_and(|text| text.split_whitespace().any(|flag| flag == "user_shstk"))
    });
    *ANSWER
}

/// How `SSL_write_ex` and `SSL_write_ex2` of a library belong together. Since
/// OpenSSL 3.3 the former is the latter with no flags.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// It ends by jumping there.
    GoesOn,
    /// It calls it.
    Calls,
    /// Each has a body of its own.
    Apart,
}

fn relation((ex, ex2): (&Examined, &Examined)) -> Relation {
    if matches!(ex.placement.exits, Exits::Of(_)) {
        Relation::GoesOn
    } else if place::calls(&ex.code, ex.address, ex2.address) {
        Relation::Calls
    } else {
        Relation::Apart
    }
}

/// Why no end is probed.
fn unknown(exits: &Exits) -> &'static str {
    match exits {
        Exits::Unknown(why) => why.as_str(),
        Exits::Of(_) => "it goes on in another function",
        Exits::At(_) => "",
    }
}
