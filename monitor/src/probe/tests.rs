//! What can be checked of the programs without a kernel.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SymbolKind};
use phiwatch_ebpf::abi;

use super::table::{Attachment, HOOKS, Object};

/// Stack bytes from which kernels since 6.13 give a program a private stack,
/// which with preemption has panicked under uprobes.
const PRIVATE_STACK: i64 = 64;

static OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/phiwatch-ebpf"));

/// Deepest stack access of every function, in bytes below the frame pointer:
/// what the verifier reports as stack depth.
fn stack_depths(object: &[u8]) -> BTreeMap<String, (String, i64)> {
    const FRAME: u8 = 10;
    let elf = object::File::parse(object).expect("the build script builds an ELF file");
    let mut depths = BTreeMap::new();
    for symbol in elf
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text)
    {
        let section = elf
            .section_by_index(symbol.section_index().expect("defined"))
            .expect("exists");
        let data = section.data().expect("readable");
        let start = symbol.address() as usize;
        let code = &data[start..start + symbol.size() as usize];
        let mut depth = 0;
        let mut copied_frame = None;
        for instruction in code.chunks_exact(8) {
            let (class, to, from) = (instruction[0], instruction[1] & 15, instruction[1] >> 4);
            let offset = i64::from(i16::from_le_bytes([instruction[2], instruction[3]]));
            let immediate = i64::from(i32::from_le_bytes([
                instruction[4],
                instruction[5],
                instruction[6],
                instruction[7],
            ]));
            match class & 7 {
                // Loads address by their source register, stores by the other.
                1 if from == FRAME => depth = depth.min(offset),
                2 | 3 if to == FRAME => depth = depth.min(offset),
                _ => {}
            }
            // A called function has a frame of its own on top of this one.
            let is_uprobe = section.name().is_ok_and(|name| name.starts_with('u'));
            assert!(
                !(is_uprobe && class == 0x85 && from == 1),
                "a uprobe program calls a function"
            );
            match class {
                0xbf if from == FRAME => copied_frame = Some(to),
                0x07 if copied_frame == Some(to) => {
                    depth = depth.min(immediate);
                    copied_frame = None;
                }
                _ => {}
            }
        }
        let name = symbol.name().expect("named").to_owned();
        depths.insert(name, (section.name().expect("named").to_owned(), -depth));
    }
    depths
}

#[test]
fn uprobe_programs_stay_below_the_private_stack() {
    let depths = stack_depths(OBJECT);
    let mut uprobes = 0;
    for (name, (section, depth)) in &depths {
        if section.starts_with("uprobe") {
            uprobes += 1;
            assert!(*depth < PRIVATE_STACK, "{name} uses {depth} bytes of stack");
        }
    }
    // One for each function, and those for ends and for kernels with cookies.
    let functions = HOOKS.iter().map(|hook| hook.attachment);
    let functions = functions.filter(|own| matches!(own, Attachment::Function { .. }));
    assert_eq!(uprobes, functions.count() + 3, "{depths:?}");
    assert!(
        depths["egress"].1 > 0,
        "the measure sees stack accesses: {depths:?}"
    );
}

#[test]
fn the_programs_take_a_function_for_what_the_table_says() {
    for hook in HOOKS {
        if let Attachment::Function {
            object,
            function,
            reading,
            ..
        } = hook.attachment
        {
            let is_write = abi::function::is_write(function);
            assert_eq!(is_write, reading.is_sent(), "{}", hook.name);
            assert!(Object::ALL.contains(&object), "{}", hook.name);
        }
    }
}

#[test]
fn no_program_is_for_a_return_probe() {
    let elf = object::File::parse(OBJECT).expect("the build script builds an ELF file");
    let sections: Vec<_> = elf.sections().filter_map(|own| own.name().ok()).collect();
    assert!(sections.contains(&"uprobe"), "{sections:?}");
    for section in sections {
        // A return probe changes the application's stack; a session is one too.
        let is_return = section.contains("retprobe") || section.contains("session");
        assert!(!is_return, "{section}");
    }
}

#[test]
fn every_hook_names_programs_of_the_object() {
    let elf = object::File::parse(OBJECT).expect("the build script builds an ELF file");
    let programs: Vec<_> = elf
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_global())
        .filter(|symbol| {
            let section = symbol.section_index().expect("defined");
            elf.section_by_index(section).expect("exists").name() != Ok(".text")
        })
        .map(|symbol| symbol.name().expect("named").to_owned())
        .collect();
    for name in &programs {
        assert!(
            HOOKS.iter().any(|hook| hook.uses(name)),
            "no hook uses {name}"
        );
    }
    let used = HOOKS
        .iter()
        .map(|hook| hook.name)
        .collect::<std::collections::BTreeSet<_>>();
    assert_eq!(used.len(), HOOKS.len(), "hook names are unique");
}
