//! Where a function of Go's is probed.

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};

use super::{Point, instruction};

/// Where the goroutine that `r14` points to keeps the end of its stack, bytes:
/// `stackguard0` of `runtime.g`.
const STACK_GUARD: u64 = 0x10;

/// How many instructions the test of the stack's size has at most: Go 1.27 computes
/// how much of it the function needs, compares and branches.
const MAX_TEST: usize = 4;

/// Where each call of the function is seen once, with its arguments in the registers
/// of Go's calling convention since 1.17; `None` if it does not begin as those do.
///
/// A function begins with a test of the stack's size. Where that fails the function
/// begins once more, on a larger stack, so the probe sits behind it: on the instruction
/// that makes the frame, to which nothing jumps. The test also tells the convention:
/// only since 1.17 it finds the goroutine in `r14`.
pub fn go_entry(code: &[u8], address: u64) -> Option<Point> {
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut is_compared = false;
    for _ in 0..MAX_TEST {
        decoder.decode_out(&mut instruction);
        if instruction.mnemonic() == Mnemonic::Cmp {
            is_compared = compares_stack(&instruction);
        } else if is_compared && instruction.mnemonic() == Mnemonic::Jbe {
            let offset = instruction.next_ip().wrapping_sub(address);
            let rest = code.get(usize::try_from(offset).ok()?..)?;
            decoder.decode_out(&mut instruction);
            return makes_frame(&instruction).then(|| Point {
                offset,
                depth: 0,
                cost: instruction::cost(rest),
                is_call: false,
            });
        } else if instruction.flow_control() != FlowControl::Next || instruction.is_invalid() {
            return None;
        }
    }
    None
}

/// `cmp rsp, [r14+0x10]`, or the same of a register with less than `rsp`.
fn compares_stack(instruction: &Instruction) -> bool {
    instruction.op1_kind() == OpKind::Memory
        && instruction.memory_base() == Register::R14
        && instruction.memory_displacement64() == STACK_GUARD
        && matches!(
            instruction.op0_register(),
            Register::RSP | Register::R12 | Register::R13
        )
}

/// `push rbp`, or `sub rsp, size` before Go 1.21. Where `size` would be 128, `add`
/// of the negative number is shorter.
fn makes_frame(instruction: &Instruction) -> bool {
    match instruction.mnemonic() {
        Mnemonic::Push => instruction.op0_register() == Register::RBP,
        Mnemonic::Sub | Mnemonic::Add => instruction.op0_register() == Register::RSP,
        _ => false,
    }
}
