//! Functions of OpenSSL and its relatives in files that do not name them.
//!
//! In: a file without symbols of its TLS functions. Out: those that were recognized by
//! how they raise errors. Each relative tells an error's function in a way of its own:
//!
//! | library | what an error is raised with |
//! |---|---|
//! | OpenSSL 3 | path of the source file, line, name of the function |
//! | OpenSSL 1.1 | number of the library, of the function, of the reason, path, line |
//! | `BoringSSL`, AWS-LC | number of the library, 0, number of the reason, path, line |
//!
//! Names and numbers are part of the interface and do not change. A function counts
//! only if it is the only one that fits, and what else is known of it has to agree: one
//! that is called by another of them is called with the arguments that it should have.
//!
//! Some raise nothing:
//!
//! - `SSL_write_ex` and `SSL_write_ex2` of OpenSSL call the function that `SSL_write`
//!   calls, and `SSL_read_ex` that of `SSL_read`. Where a compiler has put it into
//!   those that call it they are not found.
//! - `SSL_free` of OpenSSL drops the reference that `SSL_dup` takes.
//! - `SSL_read` of `BoringSSL` raises what others raise as well, at a line between
//!   those of two functions that are known.

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register,
};

use super::{
    elf::{Elf, ElfError, Function, Raised, Referrer, Text},
    place,
};

/// A function that has no symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unnamed {
    /// The symbol of the hook that it is probed for.
    pub symbol: &'static str,
    /// What it is called in the library's source.
    pub name: &'static str,
    /// The function.
    pub function: Function,
}

/// How a function shows itself when it raises errors.
#[derive(Clone, Copy, Debug)]
enum Evidence {
    /// By its name.
    Name,
    /// By its number.
    Number(u32),
    /// By all of these reasons.
    Reasons(&'static [u32]),
}

/// What a function is recognized by.
#[derive(Clone, Copy, Debug)]
struct Mark {
    name: &'static str,
    /// How the path of its source file ends.
    path: &'static str,
    evidence: Evidence,
}

/// How far from a function those are that call it and come from the same source file,
/// bytes.
const NEAR: u64 = 256 << 10;

/// The longest function that only calls another one, bytes.
const MAX_PASSING: usize = 128;

/// `SSL_R_SSL_HANDSHAKE_FAILURE` and `SSL_R_UNINITIALIZED`, which `SSL_write` raises as
/// well as what `SSL_read` calls.
const READ_REASONS: [u32; 2] = [215, 226];
/// `SSL_R_BAD_LENGTH`, which only `SSL_write` raises.
const BAD_LENGTH: u32 = 111;
/// `ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED`.
const NOT_CALLED: u32 = 66;

/// `ERR_LIB_SSL` of OpenSSL's err.h.
const OPENSSL: u32 = 20;
/// The same of `BoringSSL`'s.
const BORINGSSL: u32 = 16;

/// The paths by which OpenSSL and its relatives are recognized, and a further one.
const PATHS: &[&str] = &["ssl/ssl_lib.c", "ssl/ssl_lib.cc", "ssl/s3_lib.c"];
/// How many of them a file must have one of.
const NECESSARY: usize = 2;

const fn mark(name: &'static str, path: usize, evidence: Evidence) -> Mark {
    Mark {
        name,
        path: PATHS[path],
        evidence,
    }
}

/// The marks of all functions. Of several with one name the first that is found counts.
const MARKS: &[Mark] = &[
    mark("SSL_write", 0, Evidence::Name),
    mark("ssl_write_internal", 0, Evidence::Name),
    mark("SSL_read", 0, Evidence::Name),
    mark("ssl_read_internal", 0, Evidence::Name),
    mark("ssl3_ctrl", 2, Evidence::Name),
    // SSL_F_SSL_WRITE and so on, of sslerr.h.
    mark("SSL_write", 0, Evidence::Number(208)),
    mark("ssl_write_internal", 0, Evidence::Number(524)),
    mark("SSL_read", 0, Evidence::Number(223)),
    mark("ssl_read_internal", 0, Evidence::Number(523)),
    mark("ssl3_ctrl", 2, Evidence::Number(213)),
    mark("SSL_write", 1, Evidence::Reasons(&[BAD_LENGTH, 226])),
    // SSL_R_SSL3_EXT_INVALID_SERVERNAME.
    mark("SSL_set_tlsext_host_name", 1, Evidence::Reasons(&[213])),
];

/// The functions of a file that are recognized.
pub(super) fn find(elf: &Elf<'_>) -> Result<Vec<Unnamed>, ElfError> {
    let paths = PATHS.iter().copied().map(Text::Path);
    let names = MARKS.iter().filter_map(|mark| match mark.evidence {
        Evidence::Name => Some(Text::Name(mark.name)),
        Evidence::Number(_) | Evidence::Reasons(_) => None,
    });
    let texts: Vec<Text> = paths.chain(names).collect();
    let referrers = elf.referrers(&texts, NECESSARY)?;
    let known = Known {
        texts: &texts,
        referrers: &referrers,
    };
    let mut found = Vec::new();
    let mut take = |symbol: &'static str, name: &'static str, function: Option<&Function>| {
        found.extend(function.cloned().map(|function| Unnamed {
            symbol,
            name,
            function,
        }));
    };
    for symbol in ["SSL_write", "SSL_read", "SSL_set_tlsext_host_name"] {
        take(symbol, symbol, known.only(symbol));
    }
    take("SSL_read", "SSL_read", known.boringssl_read());
    take("SSL_free", "SSL_free", known.free());
    take("SSL_ctrl", "ssl3_ctrl", known.only("ssl3_ctrl"));
    // What takes the flags that its inner function has before its last argument, and
    // what has none to take. `SSL_write_ex` of the former's library goes on in it.
    let writers = known.callers(elf, "SSL_write", "ssl_write_internal")?;
    if let Some((function, result)) = writers {
        let symbol = if result == 4 {
            "SSL_write_ex2"
        } else {
            "SSL_write_ex"
        };
        take(symbol, symbol, Some(&function));
    }
    if let Some((function, 3)) = known.callers(elf, "SSL_read", "ssl_read_internal")? {
        take("SSL_read_ex", "SSL_read_ex", Some(&function));
    }
    Ok(found)
}

/// What was found in a file.
struct Known<'a> {
    texts: &'a [Text],
    referrers: &'a [Referrer],
}

impl<'a> Known<'a> {
    /// The only function that shows itself as the one of this name.
    fn only(&self, name: &str) -> Option<&'a Function> {
        let marks = MARKS.iter().filter(|mark| mark.name == name);
        let mut all = marks.map(|mark| {
            let mut fitting = self.referrers.iter().filter(|own| self.fits(own, mark));
            let first = fitting.next();
            (first, fitting.next().is_some())
        });
        let (found, is_ambiguous) = all.find(|(first, _)| first.is_some())?;
        found.filter(|_| !is_ambiguous).map(|own| &own.function)
    }

    fn index(&self, text: Text) -> Option<usize> {
        self.texts.iter().position(|own| *own == text)
    }

    fn fits(&self, referrer: &Referrer, mark: &Mark) -> bool {
        let Some(path) = self.index(Text::Path(mark.path)) else {
            return false;
        };
        let raises = |library: u32, at: usize, number: u32| {
            let is_it = |raised: &Raised| {
                raised.text == path
                    && raised.arguments[0] == Some(library)
                    && raised.arguments[at] == Some(number)
            };
            referrer.raised.iter().any(is_it)
        };
        match mark.evidence {
            Evidence::Name => {
                let name = self.index(Text::Name(mark.name));
                let has = |text| referrer.texts.contains(&text);
                has(path) && name.is_some_and(has)
            }
            Evidence::Number(number) => raises(OPENSSL, 1, number),
            Evidence::Reasons(reasons) => {
                let mut reasons = reasons.iter();
                reasons.all(|reason| raises(BORINGSSL, 2, *reason))
            }
        }
    }

    /// The only function that raises nothing and calls the one named `inner`, as
    /// `outer` does, with the arguments that it is given; and which argument of `inner`
    /// is where the result goes.
    fn callers(
        &self,
        elf: &Elf<'_>,
        outer: &str,
        inner: &str,
    ) -> Result<Option<(Function, usize)>, ElfError> {
        let Some((outer, inner)) = self.only(outer).zip(self.only(inner)) else {
            return Ok(None);
        };
        let result = result_at(outer, inner.address);
        let Some(result) = result.filter(|result| matches!(result, 3 | 4)) else {
            return Ok(None);
        };
        let mut callers = elf.callers(inner.address, NEAR)?;
        callers.retain(|own| {
            let mut raising = self.referrers.iter();
            raising.all(|other| other.function.address != own.address)
                && keeps_arguments(own, inner.address)
        });
        let only = callers.pop().filter(|_| callers.is_empty());
        Ok(only.map(|function| (function, result)))
    }

    /// `SSL_read` of `BoringSSL`: between what it calls and `SSL_write` are, in the
    /// source, only itself and `SSL_peek`, in this order.
    fn boringssl_read(&self) -> Option<&'a Function> {
        let path = self.index(Text::Path(PATHS[1]))?;
        let line = |own: &Referrer, reason: u32| {
            let is_it = |raised: &&Raised| {
                raised.text == path
                    && raised.arguments[..3] == [Some(BORINGSSL), Some(0), Some(reason)]
            };
            own.raised.iter().find(is_it)?.arguments[4]
        };
        let write = self.only("SSL_write")?;
        let writer = self.referrers.iter().find(|own| own.function == *write)?;
        let last = line(writer, NOT_CALLED)?;
        let mut inner = self.referrers.iter().filter(|own| {
            let raises = |reason: u32| line(own, reason).is_some_and(|line| line < last);
            READ_REASONS.iter().all(|reason| raises(*reason)) && line(own, BAD_LENGTH).is_none()
        });
        let first = inner.next().filter(|_| inner.next().is_none())?;
        let after = line(first, READ_REASONS[0])?;
        let between = self.referrers.iter().filter_map(|own| {
            let line = line(own, NOT_CALLED)?;
            let is_between = after < line && line < last;
            let is_caller = own.function == first.function
                || place::calls(
                    &own.function.code,
                    own.function.address,
                    first.function.address,
                );
            (is_between && is_caller).then_some((line, &own.function))
        });
        between.min_by_key(|(line, _)| *line).map(|(_, own)| own)
    }

    /// `SSL_free` of OpenSSL: of the functions of its file that drop a reference to
    /// their argument the one whose references another one takes.
    fn free(&self) -> Option<&'a Function> {
        let path = self.index(Text::Path(PATHS[0]))?;
        let own = self
            .referrers
            .iter()
            .filter(|own| own.texts.contains(&path));
        let own: Vec<&Function> = own.map(|own| &own.function).collect();
        let taken: Vec<u64> = own
            .iter()
            .filter_map(|own| counted(own, is_taken))
            .collect();
        let mut free = own.iter().filter(|own| {
            let dropped = counted(own, is_dropped);
            dropped.is_some_and(|field| taken.contains(&field))
        });
        let first = free.next()?;
        free.next().is_none().then_some(*first)
    }
}

fn instructions(function: &Function) -> impl Iterator<Item = Instruction> {
    let options = DecoderOptions::NONE;
    Decoder::with_ip(64, &function.code, function.address, options).into_iter()
}

/// The field of the first count of references that a function changes so.
fn counted(function: &Function, is_it: impl Fn(&Instruction) -> bool) -> Option<u64> {
    let mut all = instructions(function);
    let first = all.find(|own| own.has_lock_prefix() && is_it(own))?;
    (first.memory_index() == Register::None).then(|| first.memory_displacement64())
}

/// Whether an instruction drops a reference to the first argument.
fn is_dropped(instruction: &Instruction) -> bool {
    instruction.code() == Code::Xadd_rm32_r32 && instruction.memory_base() == Register::RDI
}

/// Whether an instruction takes a reference.
fn is_taken(instruction: &Instruction) -> bool {
    let is_add = matches!(instruction.mnemonic(), Mnemonic::Add | Mnemonic::Inc);
    let is_one = instruction.mnemonic() == Mnemonic::Inc
        || matches!(instruction.op1_kind(), OpKind::Immediate8to32)
            && instruction.immediate(1) == 1;
    is_add && is_one && instruction.op0_kind() == OpKind::Memory
}

/// The registers of the first five arguments.
const ARGUMENTS: [Register; 5] = [
    Register::RDI,
    Register::RSI,
    Register::RDX,
    Register::RCX,
    Register::R8,
];

/// Which argument of the function at `inner` is a variable of `outer`, which calls it:
/// the last of them, counted from 0.
fn result_at(outer: &Function, inner: u64) -> Option<usize> {
    let mut is_variable = [false; 5];
    for instruction in instructions(outer) {
        if is_call_of(&instruction, inner) {
            return is_variable.iter().rposition(|is_variable| *is_variable);
        }
        if instruction.flow_control() == FlowControl::Call {
            is_variable = [false; 5];
        }
        if let Some(index) = written(&instruction) {
            let is_stack = |register| matches!(register, Register::RSP | Register::RBP);
            is_variable[index] = match instruction.mnemonic() {
                Mnemonic::Lea => is_stack(instruction.memory_base()),
                Mnemonic::Mov => instruction.op1_register() == Register::RSP,
                _ => false,
            };
        }
    }
    None
}

/// Whether a function calls the one at `inner` with the first four arguments that it is
/// given, and does little else.
fn keeps_arguments(outer: &Function, inner: u64) -> bool {
    let mut before = instructions(outer).take_while(|own| !is_call_of(own, inner));
    outer.code.len() <= MAX_PASSING
        && before.all(|own| written(&own).is_none() && own.flow_control() == FlowControl::Next)
}

/// Whether an instruction calls the function at `inner`, or goes on in it.
fn is_call_of(instruction: &Instruction, inner: u64) -> bool {
    let flow = instruction.flow_control();
    matches!(flow, FlowControl::Call | FlowControl::UnconditionalBranch)
        && instruction.near_branch_target() == inner
}

/// Which argument's register an instruction writes first of all.
fn written(instruction: &Instruction) -> Option<usize> {
    if instruction.op0_kind() != OpKind::Register
        || matches!(
            instruction.mnemonic(),
            Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Push
        )
    {
        return None;
    }
    let register = instruction.op0_register().full_register();
    ARGUMENTS.iter().position(|own| *own == register)
}

#[cfg(test)]
mod tests;
