//! What a function of a library gives away about the library: where in a
//! structure a getter reads, and whether one function is made of another.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};

/// How many instructions of a getter are looked at.
const MAX_INSTRUCTIONS: usize = 64;

/// The offset of the field that a function returns as an `int`, where it does
/// nothing to it on the way to that return: `mov eax, [rdi + offset]` and, with no
/// other write to the result, `ret`. The first argument may have been copied to
/// another register.
///
/// `None` where no such pair is found, or several that differ.
pub fn returned_field(code: &[u8]) -> Option<u16> {
    let mut found = None;
    let mut pending = None;
    for instruction in Decoder::new(64, code, DecoderOptions::NONE)
        .into_iter()
        .take(MAX_INSTRUCTIONS)
    {
        if instruction.is_invalid() {
            break;
        }
        if let Some(offset) = read_field(&instruction) {
            pending = Some(offset);
            continue;
        }
        match instruction.flow_control() {
            FlowControl::Return => {
                if let Some(offset) = pending.take() {
                    if found.is_some_and(|other| other != offset) {
                        return None;
                    }
                    found = Some(offset);
                }
            }
            FlowControl::Next if is_harmless(&instruction) => {}
            // Whatever comes between is not understood.
            _ => pending = None,
        }
    }
    found
}

/// Whether the function whose instructions are `code` and whose first one is at
/// `address` calls the one at `target`.
pub fn calls(code: &[u8], address: u64, target: u64) -> bool {
    Decoder::with_ip(64, code, address, DecoderOptions::NONE)
        .into_iter()
        .any(|instruction| {
            instruction.flow_control() == FlowControl::Call
                && instruction.near_branch_target() == target
        })
}

fn read_field(instruction: &Instruction) -> Option<u16> {
    let is_read = instruction.mnemonic() == Mnemonic::Mov
        && instruction.op0_kind() == OpKind::Register
        && instruction.op0_register() == Register::EAX
        && instruction.op1_kind() == OpKind::Memory
        && matches!(
            instruction.memory_base(),
            Register::RDI | Register::RAX | Register::RDX
        )
        && instruction.memory_index() == Register::None;
    let offset = u16::try_from(instruction.memory_displacement64()).ok()?;
    (is_read && offset > 0).then_some(offset)
}

/// What compilers put between a result and its return: frames that are taken
/// down, and registers that are cleared so that they give nothing away.
fn is_harmless(instruction: &Instruction) -> bool {
    let writes_result = instruction.op_count() > 0
        && instruction.op0_kind() == OpKind::Register
        && instruction.op0_register().full_register() == Register::RAX;
    !writes_result
        && matches!(
            instruction.mnemonic(),
            Mnemonic::Xor | Mnemonic::Pop | Mnemonic::Leave | Mnemonic::Nop | Mnemonic::Add
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(what: &str, code: &[u8], expected: Option<u16>) {
        assert_eq!(returned_field(code), expected, "{what}");
        // A getter that is cut gives the same or nothing, never something else.
        for end in 0..if expected.is_some() { code.len() } else { 0 } {
            let cut = returned_field(&code[..end]);
            assert!(cut.is_none() || cut == expected, "{what} cut at {end}");
        }
    }

    #[test]
    fn getters() {
        check(
            "mov eax, [rdi+0x28]; ret",
            &[0x8b, 0x47, 0x28, 0xc3],
            Some(0x28),
        );
        check(
            "endbr64; mov eax, [rdi+0x28]; xor edi, edi; ret",
            &[0xf3, 0x0f, 0x1e, 0xfa, 0x8b, 0x47, 0x28, 0x31, 0xff, 0xc3],
            Some(0x28),
        );
        check(
            "push rbp; mov rbp, rsp; mov eax, [rdi+0x128]; pop rbp; ret",
            &[
                0x55, 0x48, 0x89, 0xe5, 0x8b, 0x87, 0x28, 0x01, 0, 0, 0x5d, 0xc3,
            ],
            Some(0x128),
        );
        check(
            "mov eax, [rdi]; cmp eax, 0; mov eax, [rdi+0x68]; ret",
            &[0x8b, 0x07, 0x83, 0xf8, 0, 0x8b, 0x47, 0x68, 0xc3],
            Some(0x68),
        );
    }

    #[test]
    fn what_is_no_getter_says_nothing() {
        check(
            "mov eax, [rdi+8]; add eax, 1; ret",
            &[0x8b, 0x47, 8, 0x83, 0xc0, 1, 0xc3],
            None,
        );
        check("mov eax, [rsi+8]; ret", &[0x8b, 0x46, 8, 0xc3], None);
        check("mov eax, [rsp+8]; ret", &[0x8b, 0x44, 0x24, 8, 0xc3], None);
        check(
            "mov eax, [rdi+8]; ret; mov eax, [rdi+12]; ret",
            &[0x8b, 0x47, 8, 0xc3, 0x8b, 0x47, 12, 0xc3],
            None,
        );
        check("nothing", &[], None);
    }
}
