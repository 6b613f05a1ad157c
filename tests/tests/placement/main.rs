//! Where probes are placed, in builds of libssl from many vendors: the decoder
//! against a debugger that single-steps the same functions.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use phiwatch::probe::place::{Cost, Exits, Placement, Point};
use tempfile::TempDir;

use crate::{
    build::BUILDS,
    debugger::{Call, Debuggers, Step},
    function::{Function, functions},
};

mod build;
mod debugger;
mod function;

/// Fails if `placement` contradicts what the debugger saw during a call whose
/// stack began at `frame`.
fn check_entry(steps: &[Step], placement: &Placement, arguments: u8, frame: u64) -> Result<()> {
    let entry = placement.entry;
    let first = steps.first().context("a step")?;
    let hits: Vec<_> = steps
        .iter()
        .filter(|step| step.offset == entry.offset)
        .collect();
    ensure!(hits.len() == 1, "the entry is passed {} times", hits.len());
    let count = usize::from(arguments);
    ensure!(
        hits[0].arguments[..count] == first.arguments[..count],
        "the arguments at the entry are others"
    );
    check_frame(hits[0], entry, frame)
}

fn check_frame(step: &Step, point: Point, frame: u64) -> Result<()> {
    let told = step.stack.wrapping_add(u64::from(point.depth));
    ensure!(told == frame, "{point:x?}: frame {told:x}, not {frame:x}");
    Ok(())
}

/// Checks the exits likewise. Returns whether there are any.
fn check_exits(steps: &[Step], placement: &Placement, returned: u64, frame: u64) -> Result<bool> {
    let Exits::At(points) = &placement.exits else {
        return Ok(false);
    };
    let hit = steps.iter().enumerate().find_map(|(index, step)| {
        let point = points.iter().find(|point| point.offset == step.offset)?;
        Some((index, step, *point))
    });
    let (index, step, point) = hit.context("it returned past the exits")?;
    let entry = steps
        .iter()
        .position(|step| step.offset == placement.entry.offset);
    ensure!(
        entry.is_some_and(|entry| entry < index),
        "an exit comes first"
    );
    ensure!(
        step.result == returned,
        "the result is {returned:x}, but {:x} at {point:x?}",
        step.result
    );
    check_frame(step, point, frame)?;
    Ok(true)
}

/// Checks one call. Returns whether its result would have been seen.
fn check(
    call: &Call,
    functions: &BTreeMap<&str, Function>,
    placed: impl Fn(&Function) -> Placement,
) -> Result<bool> {
    let function = functions
        .get(call.first.name.as_str())
        .context("a probed function")?;
    let steps = &call.first.steps;
    let frame = steps.first().context("a step")?.stack;
    let placement = placed(function);
    check_entry(steps, &placement, function.arguments, frame)?;
    if let Exits::Of(address) = placement.exits {
        let away = call.away.context("it ends in a call of another")?;
        ensure!(function.address.wrapping_add(away) == address, "of another");
        let Some(inner) = &call.inner else {
            return Ok(false);
        };
        let function = functions.get(inner.name.as_str()).context("its name")?;
        ensure!(
            function.address == address || function.stub == Some(address),
            "{} is another",
            inner.name
        );
        let placement = placed(function);
        check_entry(&inner.steps, &placement, function.arguments, frame)?;
        return check_exits(&inner.steps, &placement, call.returned, frame);
    }
    check_exits(steps, &placement, call.returned, frame)
}

fn shown(point: Point) -> String {
    let cost = match point.cost {
        Cost::Emulated if point.is_call => "emulated call",
        Cost::Emulated => "emulated",
        Cost::SingleStepped => "stepped",
    };
    format!("+{:#x} (depth {:#x}, {cost})", point.offset, point.depth)
}

/// The places agree with the debugger, and are cheap where possible.
#[test]
fn decoded_places_are_those_that_a_debugger_sees() -> Result<()> {
    let folder = TempDir::new()?;
    let debuggers = Debuggers::compiled(folder.path())?;
    println!("{:14} {:14} {:38} exits", "build", "function", "entry");
    let mut faults = Vec::new();
    for build in BUILDS {
        let name = build.shown();
        let functions = functions(&build.path()?).context(name)?;
        for (symbol, function) in &functions {
            let placement = function.placement();
            let exits = match &placement.exits {
                Exits::At(points) => {
                    let points: Vec<_> = points.iter().copied().map(shown).collect();
                    points.join(", ")
                }
                Exits::Of(address) | Exits::Partly(_, address) => {
                    format!("those of {address:#x}")
                }
                Exits::Unknown(why) => why.as_str().to_owned(),
            };
            let entry = shown(placement.entry);
            println!("{name:14} {symbol:14} {entry:38} {exits}");
        }
        let calls = debuggers.run(build, &functions).context(name)?;
        for call in &calls {
            for (kind, placed) in [
                ("", Function::placement as fn(&Function) -> Placement),
                (", without depth", Function::plain_placement),
            ] {
                let symbol = &call.first.name;
                let seen = match check(call, &functions, placed) {
                    Ok(seen) => seen,
                    Err(fault) => {
                        faults.push(format!("{name}: {symbol}{kind}: {fault}"));
                        continue;
                    }
                };
                if !seen && (symbol.contains("_write") || symbol.contains("_read")) {
                    faults.push(format!("{name}: {symbol}{kind}: no exit"));
                }
            }
        }
        for symbol in ["SSL_write", "SSL_read"] {
            let placement = functions[symbol].placement();
            if placement.entry.cost != Cost::Emulated {
                faults.push(format!("{name}: {symbol} is dear to enter"));
            }
            let cheap = matches!(&placement.exits, Exits::At(points)
                if points.iter().all(|point| point.cost == Cost::Emulated));
            if cheap != build.guarded {
                faults.push(format!("{name}: {symbol}: exits {:?}", placement.exits));
            }
        }
    }
    assert_eq!(faults, [""; 0]);
    Ok(())
}
