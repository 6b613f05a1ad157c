//! One instruction: what it costs under a probe, and what it does to the stack.

use iced_x86::{Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind, Register};

use super::Cost;

/// The bit of the result register, `rax`, in what an instruction [writes](written).
pub(super) const RESULT: u8 = 1 << 6;

/// The bit of memory there.
pub(super) const MEMORY: u8 = 1 << 7;

/// Argument registers of the System V ABI in their order: bits 0 to 5 there.
const ARGUMENTS: [Register; 6] = [
    Register::RDI,
    Register::RSI,
    Register::RDX,
    Register::RCX,
    Register::R8,
    Register::R9,
];

/// The bits of the first `count` argument registers there.
pub(super) fn arguments_mask(count: u8) -> u8 {
    (1 << usize::from(count).min(ARGUMENTS.len())) - 1
}

/// How the kernel executes the instruction that `bytes` begin with.
///
/// The prefix of a branch hint (`3e`) is refused by the kernel, a jump with
/// `66` or `f2` differs between versions, and `90` with a REX prefix is no `nop`
/// although kernels take it for one: only the plain forms count.
pub(super) fn cost(bytes: &[u8]) -> Cost {
    match *bytes {
        [0x50..=0x57 | 0x70..=0x7f | 0x90 | 0xe8 | 0xe9 | 0xeb, ..]
        | [0x41, 0x50..=0x57, ..]
        | [0x0f, 0x80..=0x8f, ..] => Cost::Emulated,
        _ => Cost::SingleStepped,
    }
}

/// Whether `bytes` begin with a relative `call`.
pub(super) fn is_call(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0xe8)
}

/// Farthest that the stack pointer is followed from where it was, in bytes.
const FARTHEST: i64 = 1 << 30;

/// A register that holds an address of the stack, as bytes below the stack
/// pointer at the first instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// By this many.
    Known(i64),
    /// By a number that was not followed, or it holds something else.
    Lost,
}

impl Below {
    fn moved(self, by: i64) -> Self {
        match self {
            Self::Known(bytes) if (-FARTHEST..=FARTHEST).contains(&(bytes + by)) => {
                Self::Known(bytes + by)
            }
            _ => Self::Lost,
        }
    }

    fn joined(self, other: Self) -> Self {
        if self == other { self } else { Self::Lost }
    }
}

/// What is known of the stack before one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stack {
    /// `rsp`.
    pub(super) pointer: Below,
    /// `rbp`, which many functions restore `rsp` from.
    pub(super) frame: Below,
}

impl Stack {
    /// At the first instruction.
    pub(super) const FIRST: Self = Self {
        pointer: Below::Known(0),
        frame: Below::Lost,
    };

    /// What holds where two ways meet.
    pub(super) fn joined(self, other: Self) -> Self {
        Self {
            pointer: self.pointer.joined(other.pointer),
            frame: self.frame.joined(other.frame),
        }
    }

    /// After `instruction`, which writes the registers that it is told to.
    pub(super) fn after(self, instruction: &Instruction, writes: Written) -> Self {
        let [to, from] = [instruction.op0_register(), instruction.op1_register()];
        let immediate = || match instruction.op1_kind() {
            OpKind::Immediate8to64 | OpKind::Immediate32to64 => {
                Some(instruction.immediate(1).cast_signed())
            }
            _ => None,
        };
        let mut after = self;
        if writes.pointer {
            after.pointer = match (instruction.mnemonic(), to) {
                // A called function leaves the stack as it found it.
                (Mnemonic::Call, _) => self.pointer,
                (Mnemonic::Sub, Register::RSP) => {
                    immediate().map_or(Below::Lost, |by| self.pointer.moved(by))
                }
                (Mnemonic::Add, Register::RSP) => {
                    immediate().map_or(Below::Lost, |by| self.pointer.moved(-by))
                }
                (Mnemonic::Lea, Register::RSP) => self.address(instruction),
                (Mnemonic::Mov, Register::RSP) if from == Register::RBP => self.frame,
                (Mnemonic::Leave, _) => self.frame.moved(-8),
                (Mnemonic::Pop, Register::RSP) => Below::Lost,
                (Mnemonic::Push | Mnemonic::Pushfq | Mnemonic::Pop | Mnemonic::Popfq, _) => {
                    let increment = i64::from(instruction.stack_pointer_increment());
                    self.pointer.moved(-increment)
                }
                _ => Below::Lost,
            };
        }
        if writes.frame {
            after.frame = match (instruction.mnemonic(), to) {
                (Mnemonic::Lea, Register::RBP) => self.address(instruction),
                (Mnemonic::Mov, Register::RBP) if from == Register::RSP => self.pointer,
                _ => Below::Lost,
            };
        }
        after
    }

    /// The address that a `lea` computes.
    fn address(self, instruction: &Instruction) -> Below {
        let base = match instruction.memory_base() {
            Register::RSP => self.pointer,
            Register::RBP => self.frame,
            _ => Below::Lost,
        };
        let displacement = instruction.memory_displacement64().cast_signed();
        if instruction.memory_index() == Register::None
            && (-FARTHEST..=FARTHEST).contains(&displacement)
        {
            base.moved(-displacement)
        } else {
            Below::Lost
        }
    }
}

/// Which of the two registers of [`Stack`] an instruction writes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    /// `rsp`.
    pub(super) pointer: bool,
    /// `rbp`.
    pub(super) frame: bool,
}

/// What `decoded` writes, or may, as far as it matters: arguments, result and
/// memory, and the registers that lead through the stack.
pub(super) fn written(
    information: &mut InstructionInfoFactory,
    decoded: &Instruction,
) -> (u8, Written) {
    let writes = |access| {
        matches!(
            access,
            OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
        )
    };
    let used = information.info(decoded);
    let mut bits = 0;
    let mut stack = Written::default();
    for register in used.used_registers() {
        if !writes(register.access()) {
            continue;
        }
        let register = register.register().full_register();
        match register {
            Register::RAX => bits |= RESULT,
            Register::RSP => stack.pointer = true,
            Register::RBP => stack.frame = true,
            _ => {
                if let Some(bit) = ARGUMENTS.iter().position(|name| *name == register) {
                    bits |= 1 << bit;
                }
            }
        }
    }
    if used
        .used_memory()
        .iter()
        .any(|memory| writes(memory.access()))
    {
        bits |= MEMORY;
    }
    (bits, stack)
}
