//! Where in a library the probes sit.
//!
//! In: a library. Out: its [`Sites`], decided once for each build from the code of
//! the functions that the [hook table](super::table) names.

use std::{fs, sync::LazyLock};

use phiwatch_ebpf::abi::{cookie, function};

use super::{
    elf::{self, Elf},
    library::{self, Library, LibraryError},
    place::{self, Cost, Depth, Exits, Placement, Point, Why},
    status::State,
    table::{Attachment, EXIT_PROGRAM, HOOKS, Hook, Object, Reading},
    unnamed,
};

/// The getter of what the last call on an `SSL` object waits for.
const WANT: &str = "SSL_want";

/// What is mentioned by every file that has, or calls, a function which sends.
const LANDMARKS: &[&str] = &["SSL_write", "gnutls_record_send"];

/// How many bytes of constants a program may have that is searched whatever it does.
const MAX_CONSTANTS: u64 = 16 << 20;

/// How far functions are looked for that no symbol names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// In small programs. Almost all processes map files without any.
    Usual,
    /// In every file: its process greets a TLS server, and nothing else is known that
    /// it could do that with.
    Thorough,
}

impl Effort {
    /// Whether functions without symbols are looked for in this file.
    fn reaches(self, elf: &Elf<'_>) -> bool {
        self == Self::Thorough || elf.is_program() && elf.constants() <= MAX_CONSTANTS
    }

    /// How many bytes of a file may have to be searched.
    pub(super) fn weight(self, library: &Library) -> u64 {
        let weight = library.elf().map(|elf| {
            let loaded = match self {
                Self::Thorough => elf.loaded_weight(),
                Self::Usual if self.reaches(&elf) => elf.constants(),
                Self::Usual => 0,
            };
            elf.weight() + loaded
        });
        weight.unwrap_or(0)
    }
}

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
    /// Whether the file has the function and its calls are not read, not even where
    /// another function is probed.
    pub is_missed: bool,
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
    /// What the function is called, if no symbol names it.
    unnamed: Option<&'static str>,
    /// Where the function begins in the file, bytes.
    offset: u64,
    address: u64,
    code: Vec<u8>,
    placement: Placement,
    /// Where it ends if it goes on in another function.
    tail: Option<Tail>,
}

/// The ends of a function that another one goes on in.
struct Tail {
    /// Where it begins in the file, bytes.
    offset: u64,
    address: u64,
    points: Vec<Point>,
}

impl Sites {
    /// Decides where the probes of `library` sit. Without cookies they sit where
    /// the stack pointer is that of the function's first instruction.
    pub(super) fn decide(
        library: &Library,
        has_cookies: bool,
        effort: Effort,
    ) -> Result<Self, LibraryError> {
        let named = library::object(&library.path);
        // Whatever a file is called, it is one that mentions what all senders call;
        // most mention nothing of it and cost no more than that.
        let mut elf = library.elf()?;
        let broken = |source| library.broken(source);
        let mut mentions = elf.mentions(LANDMARKS).map_err(broken)?;
        if named.is_none()
            && !mentions.contains(&true)
            && elf.add_debug_symbols().map_err(broken)?
        {
            mentions = elf.mentions(LANDMARKS).map_err(broken)?;
        }
        let is_named = named.is_some() || mentions.contains(&true) || elf.is_go();
        if !is_named && !effort.reaches(&elf) {
            return Ok(Self::default());
        }
        let hooks: Vec<(&'static str, Function)> = HOOKS.iter().filter_map(function_of).collect();
        let symbols: Vec<&str> = hooks
            .iter()
            .map(|(_, function)| function.symbol)
            .chain([WANT])
            .collect();
        let mut found = elf.functions(&symbols).map_err(broken)?;
        let want = found.pop().flatten();
        let unnamed = add_unnamed(&elf, effort, &hooks, &mut found);
        let state = want.and_then(|want| place::returned_field(&want.code));
        let examined: Vec<Option<Examined>> = hooks
            .iter()
            .zip(found.into_iter().zip(unnamed))
            .map(|((_, function), (found, unnamed))| match function.object {
                Object::Go => examine_go(found?),
                Object::OpenSsl | Object::GnuTls | Object::Loader => {
                    let examined = examine(&elf, found?, function.arguments, has_cookies);
                    Some(Examined {
                        unnamed,
                        ..examined
                    })
                }
            })
            .collect();
        let of = |symbol: &str| {
            let mut both = hooks.iter().zip(&examined);
            both.find(|((_, function), _)| function.symbol == symbol)
                .and_then(|(_, examined)| examined.as_ref())
        };
        let defined = defined(named, &hooks, &examined);
        // GnuTLS comes with a library of OpenSSL's functions that are made of its own.
        let is_wrapper =
            mentions[1] && !defined.contains(&Object::GnuTls) && of("SSL_write_ex").is_none();
        let mut sites = Self::default();
        let mut read = Vec::new();
        for ((hook, function), examined) in hooks.iter().zip(&examined) {
            let is_expected = if defined.is_empty() {
                // What it is called says what it should have.
                named == Some(function.object)
            } else {
                defined.contains(&function.object)
            };
            if !is_expected || is_wrapper && function.object == Object::OpenSsl {
                continue;
            }
            let unprobed = match examined {
                None => {
                    let detail = format!("{} is not defined", function.symbol);
                    Some((State::Disabled, detail))
                }
                Some(_) => covered(function.symbol, of),
            };
            let is_own = unprobed.is_none();
            let (state, detail) = match (unprobed, examined) {
                (None, Some(examined)) => {
                    // The field is one of OpenSSL's objects.
                    let state = state.filter(|_| function.object == Object::OpenSsl);
                    sites.take(hook, *function, examined, has_cookies, state.unwrap_or(0))
                }
                (Some(unprobed), _) => unprobed,
                (None, None) => continue,
            };
            if state == State::Active && function.reading == Reading::Received {
                read.push(function.object);
            }
            let unnamed = examined.as_ref().and_then(|examined| examined.unnamed);
            let detail = match unnamed {
                Some(name) => format!("{detail} (found by reference, no symbol: {name})"),
                None => detail,
            };
            sites.decisions.push(Decision {
                hook,
                state,
                detail,
                is_missed: is_own && state != State::Active,
            });
        }
        for (hook, function) in hooks {
            if !read.contains(&function.object) {
                let all = sites.calls.iter_mut().chain(&mut sites.results);
                for site in all.filter(|site| site.hook == hook) {
                    site.cookie |= cookie::NO_READS;
                }
            }
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
        let site_in = |offset: u64, point: &Point, is_exit: bool, flags: u64| {
            let stepped = match point.cost {
                Cost::Emulated => 0,
                Cost::SingleStepped => cookie::SINGLE_STEPPED,
            };
            Site {
                hook,
                offset: offset + point.offset,
                // `examine` chooses none that is deeper than a cookie can tell.
                cookie: cookie::pack(
                    u16::try_from(point.depth).unwrap_or(0),
                    0,
                    function.number,
                    flags | stepped,
                    state,
                ),
                is_exit,
                program: if is_exit { EXIT_PROGRAM } else { program },
            }
        };
        let site = |point: &Point, is_exit: bool, flags: u64| {
            site_in(examined.offset, point, is_exit, flags)
        };
        let begins = format!("{symbol} begins at {entry}");
        // Where it goes on in another function, the ends of that one are its own. Others
        // call that as well; the frame tells them apart, for which cookies are needed.
        let tail = examined.tail.as_ref().filter(|_| has_cookies);
        let ends = match (exits, tail) {
            (Exits::At(points), _) => Some((points.as_slice(), None)),
            (Exits::Partly(points, _), Some(tail)) => Some((points.as_slice(), Some(tail))),
            (Exits::Of(_), Some(tail)) => Some((&[][..], Some(tail))),
            _ => None,
        };
        match (reading, ends) {
            (Reading::Arguments | Reading::SentWhole, _) => {
                self.calls.push(site(entry, false, 0));
                (State::Active, begins)
            }
            (_, Some((points, tail))) => {
                let entry = site(entry, false, 0);
                if reading == Reading::Sent {
                    self.calls.push(entry);
                } else {
                    self.results.push(entry);
                }
                self.results
                    .extend(points.iter().map(|point| site(point, true, 0)));
                let mut ends: Vec<_> = points.iter().map(Point::to_string).collect();
                if let Some(Tail {
                    offset,
                    address,
                    points,
                }) = tail
                {
                    for point in points {
                        let site = site_in(*offset, point, true, cookie::SHARED);
                        let is_new = |other: &Site| other.offset != site.offset;
                        if self.results.iter().all(is_new) {
                            self.results.push(site);
                        }
                        ends.push(format!("{address:#x}{point}"));
                    }
                }
                (
                    State::Active,
                    format!("{begins}, ends at {}", ends.join(", ")),
                )
            }
            // Only a cookie can tell the program not to wait for the end.
            (Reading::Sent, None) if has_cookies => {
                self.calls.push(site(entry, false, cookie::NO_EXIT));
                let why = unknown(exits);
                (
                    State::Active,
                    format!("{begins}, its end is not probed: {why}"),
                )
            }
            (Reading::Sent | Reading::Received | Reading::Resent, None) => {
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
    object: Object,
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
            object,
            symbol,
            function,
            arguments,
            reading,
            program,
        } => {
            let function = Function {
                object,
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

/// Adds to the functions of a file without any of OpenSSL that sends those that no
/// symbol names; returns what they are called.
fn add_unnamed(
    elf: &Elf<'_>,
    effort: Effort,
    hooks: &[(&'static str, Function)],
    found: &mut [Option<elf::Function>],
) -> Vec<Option<&'static str>> {
    let mut names = vec![None; hooks.len()];
    let has_openssl = hooks.iter().zip(&*found).any(|((_, function), found)| {
        let is_sender = function.object == Object::OpenSsl && function.reading.is_sent();
        is_sender && found.is_some()
    });
    if has_openssl || !effort.reaches(elf) {
        return names;
    }
    // What cannot be searched shows nothing.
    for own in unnamed::find(elf).unwrap_or_default() {
        let is_it = |(_, function): &(_, Function)| function.symbol == own.symbol;
        if let Some(index) = hooks.iter().position(is_it) {
            (found[index], names[index]) = (Some(own.function), Some(own.name));
        }
    }
    names
}

/// What a file has of its own: all that it takes to be read, not only what it calls.
fn defined(
    named: Option<Object>,
    hooks: &[(&'static str, Function)],
    examined: &[Option<Examined>],
) -> Vec<Object> {
    // Its sender raises errors as only the library does. Where nothing is known that
    // ends a stream, the server's name that the next one is given does.
    let is_unnamed = |object| {
        let mut both = hooks.iter().zip(examined);
        both.any(|((_, function), examined)| {
            let unnamed = examined.as_ref().and_then(|own| own.unnamed);
            let says_name = matches!(
                function.number,
                function::SSL_CTRL | function::SSL_SERVER_NAME
            );
            function.object == object && says_name && unnamed.is_some()
        })
    };
    let is_defined = |object| match object {
        // Every static program has the loader's function, and calls it of no use.
        Object::Loader => named == Some(Object::Loader),
        Object::OpenSsl | Object::GnuTls | Object::Go => {
            let has = |is_one: &dyn Fn(&Function) -> bool| {
                let mut both = hooks.iter().zip(examined);
                both.any(|((_, function), examined)| {
                    function.object == object && is_one(function) && examined.is_some()
                })
            };
            // A file that stands before a library, to see or change what is sent,
            // frees no objects; the library itself is read.
            has(&|function| function.reading.is_sent())
                && (has(&|function| function::is_end(function.number)) || is_unnamed(object))
        }
    };
    Object::ALL
        .iter()
        .copied()
        .filter(|object| is_defined(*object))
        .collect()
}

fn examine(file: &Elf<'_>, found: elf::Function, arguments: u8, has_cookies: bool) -> Examined {
    let elf::Function {
        offset,
        address,
        code,
    } = found;
    let memory = |address, length| file.bytes_at(address, length);
    let placed = |depth| place::place_within(&code, address, arguments, depth, &memory);
    let mut placement = placed(if has_cookies { Depth::Any } else { Depth::None });
    let is_too_deep = placement.entry.depth > u32::from(u16::MAX);
    if is_too_deep || placement.entry.is_call && has_shadow_stacks() {
        let first = Point {
            offset: 0,
            depth: 0,
            cost: Cost::SingleStepped,
            is_call: false,
        };
        let plain = placed(Depth::None).entry;
        placement.entry = if plain.is_call { first } else { plain };
    }
    let tail = match placement.exits {
        Exits::Of(callee) | Exits::Partly(_, callee) => tail(file, callee),
        Exits::At(_) | Exits::Unknown(_) => None,
    };
    Examined {
        unnamed: None,
        offset,
        address,
        code,
        placement,
        tail,
    }
}

/// As [`examine`], for a function that is called as Go calls: one whose beginning is
/// not that of Go 1.17 and later has its arguments elsewhere and is not probed.
fn examine_go(found: elf::Function) -> Option<Examined> {
    let elf::Function {
        offset,
        address,
        code,
    } = found;
    let entry = place::go_entry(&code, address)?;
    Some(Examined {
        unnamed: None,
        offset,
        address,
        code,
        placement: Placement {
            entry,
            exits: Exits::Unknown(Why::Moves),
        },
        tail: None,
    })
}

/// The ends of the function at an address that another one goes on in.
fn tail(file: &Elf<'_>, callee: u64) -> Option<Tail> {
    let elf::Function {
        offset,
        address,
        code,
    } = file.function_at(callee)?;
    let memory = |address, length| file.bytes_at(address, length);
    match place::place_within(&code, address, 0, Depth::Any, &memory).exits {
        Exits::At(points) => Some(Tail {
            offset,
            address,
            points,
        }),
        _ => None,
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

/// Two functions of which one is made of the other in some libraries.
struct Pair {
    outer: &'static str,
    inner: &'static str,
    /// Whether the inner one is probed where the outer one calls it; else the outer.
    probes_inner: bool,
    /// Whether there is no other function that the outer one could go on in.
    is_only: bool,
}

const PAIRS: &[Pair] = &[
    // Since OpenSSL 3.3 the former is the latter with no flags.
    Pair {
        outer: "SSL_write_ex",
        inner: "SSL_write_ex2",
        probes_inner: false,
        is_only: true,
    },
    // In AWS-LC. Most programs call the inner one.
    Pair {
        outer: "SSL_write_ex",
        inner: "SSL_write",
        probes_inner: true,
        is_only: false,
    },
    Pair {
        outer: "SSL_read_ex",
        inner: "SSL_read",
        probes_inner: true,
        is_only: false,
    },
    // Since GnuTLS 3.6.3.
    Pair {
        outer: "gnutls_record_send",
        inner: "gnutls_record_send2",
        probes_inner: true,
        is_only: true,
    },
];

/// What is said of a function that is not probed because another one is, which it is
/// made of or part of: each call counts once.
fn covered<'a>(symbol: &str, of: impl Fn(&str) -> Option<&'a Examined>) -> Option<(State, String)> {
    PAIRS.iter().find_map(|pair| {
        let Pair {
            outer,
            inner,
            probes_inner,
            is_only: _,
        } = *pair;
        let relation = relation(of(outer)?, of(inner)?, pair);
        if symbol == outer && relation == Relation::GoesOn {
            let detail = format!("{outer} goes on in {inner}, which is probed");
            Some((State::Active, detail))
        } else if symbol == outer && relation == Relation::Calls && probes_inner {
            let detail = format!("{outer} calls {inner}, which is probed");
            Some((State::Active, detail))
        } else if symbol == inner && relation == Relation::Calls && !probes_inner {
            let detail = format!("{outer} is probed, which calls {inner}");
            Some((State::Disabled, detail))
        } else {
            None
        }
    })
}

/// How two functions of a library belong together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// The outer one ends by jumping into the inner one.
    GoesOn,
    /// It calls it.
    Calls,
    /// Each has a body of its own.
    Apart,
}

fn relation(outer: &Examined, inner: &Examined, pair: &Pair) -> Relation {
    match outer.placement.exits {
        // The address may be that of a stub that leads there.
        Exits::Of(address) if pair.is_only || address == inner.address => Relation::GoesOn,
        _ if place::calls(&outer.code, outer.address, inner.address) => Relation::Calls,
        _ => Relation::Apart,
    }
}

/// Why no end is probed.
fn unknown(exits: &Exits) -> &'static str {
    match exits {
        Exits::Unknown(why) => why.as_str(),
        Exits::Of(_) | Exits::Partly(..) => "it goes on in another function",
        Exits::At(_) => "",
    }
}
