//! Where in a function a probe is cheap, told from its instructions alone.
//!
//! Linux executes the instruction under a uprobe in one of two ways. Jumps,
//! relative calls, pushes of a register and the one-byte `nop` are emulated
//! inside the trap (`branch_setup_xol_ops` and `push_setup_xol_ops` in
//! `arch/x86/kernel/uprobes.c`); anything else is copied away and single-stepped,
//! which is a second trap: 0.5 against 10 microseconds where this was measured.
//! Newer kernels emulate more, such as `nop` with operands; only what every
//! supported kernel emulates counts here.
//!
//! So an entry probe need not sit on the first instruction, and an exit probe
//! can replace a return probe, which would rewrite the application's stack:
//!
//! - an [entry](Placement::entry) is an instruction that each call passes exactly
//!   once, and before which no argument register has been written;
//! - an [exit](Exits::At) is an instruction after which neither the result
//!   register nor memory is written before the function returns.
//!
//! Both tell by how much the stack has grown there, since the address of the
//! stack at the first instruction, the *frame*, is what ties an exit to its
//! entry whatever thread or fiber runs.
//!
//! Decoding is a guess about code that a compiler has written, so whatever is
//! not understood makes the answer plainer, never bolder: the first instruction
//! is always right as an entry, and no exit is better than a wrong one. Work is
//! bounded by the length of the code.
//!
//! What this cannot see is the process: one with a shadow stack (CET) must not
//! have a probe on a `call` in some kernels, see [`Point::is_call`].

use std::fmt;

use graph::{Flow, Graph};
use instruction::arguments_mask;

pub use getter::{calls, returned_field};
pub use go::go_entry;

mod getter;
mod go;
mod graph;
mod instruction;
#[cfg(test)]
mod tests;

/// Longest function that is looked into, in bytes.
const MAX_CODE: usize = 64 * 1024;

/// Most exits of one function: each is one more probe to attach.
const MAX_EXITS: usize = 16;

/// Most returns of one function that are looked at, which may share exits.
const MAX_RETURNS: usize = 64;

/// One instruction that a probe can sit on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Bytes from the function's first instruction.
    pub offset: u64,
    /// Bytes by which the stack pointer, when this instruction is about to run,
    /// lies below its value at the first instruction.
    pub depth: u32,
    /// What a hit costs.
    pub cost: Cost,
    /// Whether the instruction is a `call`. Kernels since 6.6, the first with
    /// shadow stacks for processes, emulate one without pushing onto the shadow
    /// stack, so that the next `ret` of a process that has one faults; a later
    /// release mends it.
    pub is_call: bool,
}

/// `+0x16 (emulated)`.
impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cost = match self.cost {
            Cost::Emulated => "emulated",
            Cost::SingleStepped => "single-stepped",
        };
        write!(f, "+{:#x} ({cost})", self.offset)
    }
}

/// How the kernel executes the instruction under a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// Within the trap.
    Emulated,
    /// With a second trap.
    SingleStepped,
}

/// Where a function's result can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exits {
    /// Each return passes at least one of these, and the result is in its
    /// register at the first of them. A call may pass a second one.
    At(Vec<Point>),
    /// The function ends by jumping to the function at this address, with the
    /// stack as it found it: the exits of that one, with the same frame.
    Of(u64),
    /// Some ways through the function end in one of these, the others by going on in
    /// another function, as in [`Exits::Of`].
    Partly(Vec<Point>, u64),
    /// Nowhere.
    Unknown(Why),
}

/// Why no exit is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no code, or too much.
    Size,
    /// Bytes that are no instruction, or one that is not followed.
    Undecodable,
    /// Two ways through the function disagree about where instructions begin.
    Overlapping,
    /// The function runs, or jumps, past the end of its code.
    Leaves,
    /// A jump to an address that is computed.
    ComputedJump,
    /// The stack pointer at a return is not followed.
    Stack,
    /// No return was found.
    NoReturn,
    /// There are more exits than are worth their probes.
    TooMany,
    /// Its stack may move during the call.
    Moves,
}

impl Why {
    /// The reason in a few words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Size => "no code, or too much",
            Self::Undecodable => "bytes that are not understood",
            Self::Overlapping => "overlapping instructions",
            Self::Leaves => "it jumps out of its code",
            Self::ComputedJump => "a computed jump",
            Self::Stack => "the stack pointer is computed",
            Self::NoReturn => "it never returns",
            Self::TooMany => "too many returns",
            Self::Moves => "its stack moves",
        }
    }
}

/// Where to probe one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Where each call is seen once, with its arguments in their registers.
    pub entry: Point,
    /// Where its result is seen.
    pub exits: Exits,
}

/// Reads up to so many bytes at an address of the file that a function is in.
pub type Memory<'a> = &'a dyn Fn(u64, usize) -> Option<Vec<u8>>;

/// Places the probes of the x86-64 function whose instructions are `code` and
/// whose first one is at `address`, so that the first `arguments` argument
/// registers (`rdi`, `rsi`, `rdx`, `rcx`, `r8`, `r9`) can be read at its entry.
/// `code` is the whole function: one that is cut short is not understood.
pub fn place(code: &[u8], address: u64, arguments: u8) -> Placement {
    place_within(code, address, arguments, Depth::Any, &|_, _| None)
}

/// As [`place`], for kernels before 5.15, which cannot tell a program which of
/// its probes was hit: only instructions at which the stack is as the function
/// found it.
pub fn place_without_depth(code: &[u8], address: u64, arguments: u8) -> Placement {
    place_within(code, address, arguments, Depth::None, &|_, _| None)
}

/// How far the stack may have grown where a probe sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// By any number of bytes.
    Any,
    /// Not at all.
    None,
}

/// The address of the pointer that `stub`, whose first instruction is at
/// `address`, jumps through, if it is one of a procedure linkage table: a library
/// that calls its own exported function, or [ends](Exits::Of) in it, may do so
/// by its name.
pub fn linked_through(stub: &[u8], address: u64) -> Option<u64> {
    graph::linked_through(stub, address)
}

/// As [`place`], with the constants of the file, among which are the tables of the
/// function's computed jumps.
pub fn place_within(
    code: &[u8],
    address: u64,
    arguments: u8,
    depth: Depth,
    memory: Memory<'_>,
) -> Placement {
    let deepest = match depth {
        Depth::Any => u32::MAX,
        Depth::None => 0,
    };
    let first = Point {
        offset: 0,
        depth: 0,
        cost: instruction::cost(code),
        is_call: instruction::is_call(code),
    };
    let graph = if code.is_empty() || code.len() > MAX_CODE {
        Err(Why::Size)
    } else {
        Graph::new(code, address, memory)
    };
    match graph {
        Ok(graph) => {
            let entry = entry(&graph, arguments, deepest).unwrap_or(first);
            Placement {
                entry,
                exits: exits(&graph, entry, deepest),
            }
        }
        Err(why) => Placement {
            entry: first,
            exits: Exits::Unknown(why),
        },
    }
}

/// The first emulated instruction of the straight line from the first one on, as
/// long as the arguments are intact and nothing jumps back into that line.
fn entry(graph: &Graph, arguments: u8, deepest: u32) -> Option<Point> {
    let wanted = arguments_mask(arguments);
    let mut depths = Vec::new();
    let mut at = graph.first();
    loop {
        let instruction = graph.instruction(at);
        let point = graph.point(at)?;
        depths.push(point.depth);
        if point.cost == Cost::Emulated && point.depth <= deepest {
            let once = !graph.is_jumped_into(point.offset) && !graph.may_return_to(&depths);
            return once.then_some(point);
        }
        if instruction.flow != Flow::Next || instruction.writes & wanted != 0 {
            return None;
        }
        at = graph.next(at)?;
    }
}

fn exits(graph: &Graph, entry: Point, deepest: u32) -> Exits {
    let (returns, callee) = match graph.ways_out() {
        Ok(ways) => ways,
        Err(exits) => return exits,
    };
    if returns.len() > MAX_RETURNS {
        return Exits::Unknown(Why::TooMany);
    }
    let settled = graph.settled();
    let mut points = Vec::new();
    for end in returns {
        match graph.point(end) {
            Some(point) if point.depth == 0 => {
                match cheap_exits(graph, end, &settled, entry, deepest) {
                    Some(cheap) => points.extend(cheap),
                    None => points.push(point),
                }
            }
            _ => return Exits::Unknown(Why::Stack),
        }
    }
    points.sort_unstable();
    points.dedup();
    match (points.len(), callee) {
        (0, _) => Exits::Unknown(Why::NoReturn),
        (1..=MAX_EXITS, None) => Exits::At(points),
        (1..=MAX_EXITS, Some(callee)) => Exits::Partly(points, callee),
        _ => Exits::Unknown(Why::TooMany),
    }
}

/// Emulated instructions, other than the entry, one of which every way to the
/// return `end` passes, with all that the function writes already written.
fn cheap_exits(
    graph: &Graph,
    end: u32,
    settled: &[bool],
    entry: Point,
    deepest: u32,
) -> Option<Vec<Point>> {
    let mut points = Vec::new();
    let mut seen = vec![false; settled.len()];
    let mut open = vec![end];
    while let Some(at) = open.pop() {
        // The way from the first instruction to here has no exit.
        if at == graph.first() {
            return None;
        }
        for &before in graph.before(at) {
            if !settled[before as usize] {
                return None;
            }
            if std::mem::replace(&mut seen[before as usize], true) {
                continue;
            }
            match graph.point(before) {
                Some(point) if point.offset == entry.offset => return None,
                Some(point) if point.cost == Cost::Emulated && point.depth <= deepest => {
                    points.push(point);
                }
                _ => open.push(before),
            }
        }
    }
    Some(points)
}
