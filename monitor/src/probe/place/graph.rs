//! The instructions that a function can reach, and the ways between them.

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction as Decoded, InstructionInfoFactory,
    Mnemonic, OpKind, Register,
};

use super::{
    Cost, Exits, Point, Why,
    instruction::{self, Below, MEMORY, RESULT, Stack, Written},
};

/// Where thread-local storage keeps the value that guards a stack frame, from
/// `fs`: `__stack_chk_fail` is called when a function finds it changed.
const STACK_GUARD: u64 = 0x28;

/// Not the index of an instruction.
const NONE: u32 = u32::MAX;
/// The index of bytes inside an instruction.
const INSIDE: u32 = u32::MAX - 1;

/// Where control goes after an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// To the next one.
    Next,
    /// To the next one, after another function has run.
    Call,
    /// To the one at this offset.
    Jump(u32),
    /// To the one at this offset or the next.
    Branch(u32),
    /// To this address outside the function.
    Away(u64),
    /// There or to the next.
    BranchAway,
    /// To an address that is computed.
    Computed,
    /// To an address that is read from one place, not from a table.
    Loaded,
    /// Back to the caller.
    Return,
    /// Nowhere.
    Nowhere,
}

/// One instruction.
pub(super) struct Instruction {
    offset: u32,
    length: u8,
    pub(super) flow: Flow,
    /// Which of the registers that matter it writes.
    pub(super) writes: u8,
    cost: Cost,
    stack: Option<Stack>,
    decoded: Decoded,
    written: Written,
}

/// All that the first instruction can reach.
pub(super) struct Graph<'a> {
    code: &'a [u8],
    address: u64,
    /// In runs of consecutive instructions.
    instructions: Vec<Instruction>,
    /// The index of the instruction at each offset.
    at: Vec<u32>,
    /// From which instructions each can be reached.
    before: Vec<Vec<u32>>,
}

impl<'a> Graph<'a> {
    /// Decodes the function at `address`; fails where a way through it is not
    /// understood, so that what is found holds for all of them.
    pub(super) fn new(code: &'a [u8], address: u64) -> Result<Self, Why> {
        let mut graph = Self {
            code,
            address,
            instructions: Vec::new(),
            at: vec![NONE; code.len()],
            before: Vec::new(),
        };
        graph.decode()?;
        graph.end_guards();
        graph.connect();
        graph.follow_stack();
        Ok(graph)
    }

    fn decode(&mut self) -> Result<(), Why> {
        let mut reader = self.decoder();
        let mut information = InstructionInfoFactory::new();
        let mut open = vec![0];
        while let Some(mut offset) = open.pop() {
            loop {
                match self.at.get(offset as usize) {
                    None => return Err(Why::Leaves),
                    Some(&INSIDE) => return Err(Why::Overlapping),
                    Some(&NONE) => {}
                    Some(_) => break,
                }
                let position = offset as usize;
                reader.set_position(position).or(Err(Why::Leaves))?;
                reader.set_ip(self.address.wrapping_add(u64::from(offset)));
                let decoded = reader.decode();
                if decoded.is_invalid() {
                    return Err(Why::Undecodable);
                }
                let flow = self.flow(&decoded)?;
                let (writes, written) = instruction::written(&mut information, &decoded);
                let length = decoded.len();
                for inside in &mut self.at[position + 1..position + length] {
                    if std::mem::replace(inside, INSIDE) != NONE {
                        return Err(Why::Overlapping);
                    }
                }
                self.at[position] = self.instructions.len() as u32;
                self.instructions.push(Instruction {
                    offset,
                    length: length as u8,
                    flow,
                    writes,
                    cost: instruction::cost(&self.code[position..]),
                    stack: None,
                    decoded,
                    written,
                });
                offset += length as u32;
                match flow {
                    Flow::Jump(to) => offset = to,
                    Flow::Branch(to) => open.push(to),
                    // What follows the last call belongs to another function:
                    // the called one does not return.
                    Flow::Call if offset as usize == self.code.len() => {
                        self.end_path();
                        break;
                    }
                    Flow::Next | Flow::Call | Flow::BranchAway => {}
                    Flow::Away(_)
                    | Flow::Computed
                    | Flow::Loaded
                    | Flow::Return
                    | Flow::Nowhere => break,
                }
            }
        }
        Ok(())
    }

    /// The last decoded instruction is never left.
    fn end_path(&mut self) {
        if let Some(last) = self.instructions.last_mut() {
            last.flow = Flow::Nowhere;
        }
    }

    fn decoder(&self) -> Decoder<'a> {
        Decoder::with_ip(64, self.code, self.address, DecoderOptions::NONE)
    }

    fn flow(&self, decoded: &Decoded) -> Result<Flow, Why> {
        let target = self.offset_of(decoded.near_branch_target());
        Ok(match decoded.flow_control() {
            FlowControl::Next if decoded.mnemonic() == Mnemonic::Hlt => Flow::Nowhere,
            FlowControl::Next => Flow::Next,
            FlowControl::Call | FlowControl::IndirectCall => Flow::Call,
            FlowControl::UnconditionalBranch => match target {
                Some(offset) => Flow::Jump(offset),
                None => Flow::Away(decoded.near_branch_target()),
            },
            FlowControl::ConditionalBranch => target.map_or(Flow::BranchAway, Flow::Branch),
            FlowControl::IndirectBranch
                if decoded.op0_kind() == OpKind::Memory
                    && decoded.memory_index() == Register::None =>
            {
                Flow::Loaded
            }
            FlowControl::IndirectBranch => Flow::Computed,
            FlowControl::Return if decoded.code() == Code::Retnq => Flow::Return,
            FlowControl::Exception => Flow::Nowhere,
            FlowControl::Interrupt if decoded.code() == Code::Int3 => Flow::Nowhere,
            FlowControl::Return | FlowControl::Interrupt | FlowControl::XbeginXabortXend => {
                return Err(Why::Undecodable);
            }
        })
    }

    /// The offset of an address inside the function.
    fn offset_of(&self, address: u64) -> Option<u32> {
        let offset = address.wrapping_sub(self.address);
        (offset < self.code.len() as u64).then_some(offset as u32)
    }

    /// Marks the calls of `__stack_chk_fail`, which do not return: the first
    /// instruction on the failing side of a comparison with the stack guard.
    fn end_guards(&mut self) {
        for index in 0..self.instructions.len() {
            let Flow::Branch(target) = self.instructions[index].flow else {
                continue;
            };
            if !self.compares_guard(index) {
                continue;
            }
            let failing = match self.instructions[index].decoded.mnemonic() {
                Mnemonic::Jne => target,
                Mnemonic::Je => self.end_of(index),
                _ => continue,
            };
            if let Some(call) = self.index_at(failing)
                && self.instructions[call as usize].flow == Flow::Call
            {
                self.instructions[call as usize].flow = Flow::Nowhere;
            }
        }
    }

    /// Whether one of the two instructions right before this one reads the stack
    /// guard: `sub rdx, fs:[0x28]`, or a load and a comparison.
    fn compares_guard(&self, index: usize) -> bool {
        let mut begin = self.instructions[index].offset;
        for before in self.instructions[..index].iter().rev().take(2) {
            if before.offset + u32::from(before.length) != begin {
                return false;
            }
            begin = before.offset;
            let decoded = &before.decoded;
            if decoded.segment_prefix() == Register::FS
                && decoded.memory_base() == Register::None
                && decoded.memory_index() == Register::None
                && decoded.memory_displacement64() == STACK_GUARD
            {
                return true;
            }
        }
        false
    }

    fn connect(&mut self) {
        let mut before = vec![Vec::new(); self.instructions.len()];
        for index in 0..self.instructions.len() {
            for next in self.after(index as u32).into_iter().flatten() {
                before[next as usize].push(index as u32);
            }
        }
        self.before = before;
    }

    /// The one or two instructions that can come next.
    fn after(&self, index: u32) -> [Option<u32>; 2] {
        let next = || self.index_at(self.end_of(index as usize));
        match self.instructions[index as usize].flow {
            Flow::Next | Flow::Call | Flow::BranchAway => [next(), None],
            Flow::Jump(to) => [self.index_at(to), None],
            Flow::Branch(to) => [self.index_at(to), next()],
            Flow::Away(_) | Flow::Computed | Flow::Loaded | Flow::Return | Flow::Nowhere => {
                [None, None]
            }
        }
    }

    /// Gives each instruction what all ways to it agree about. What is known of
    /// a register changes twice at most.
    fn follow_stack(&mut self) {
        self.instructions[0].stack = Some(Stack::FIRST);
        let mut open = vec![self.first()];
        while let Some(index) = open.pop() {
            let instruction = &self.instructions[index as usize];
            let Some(stack) = instruction.stack else {
                continue;
            };
            let stack = stack.after(&instruction.decoded, instruction.written);
            for next in self.after(index).into_iter().flatten() {
                let known = &mut self.instructions[next as usize].stack;
                let joined = known.map_or(stack, |known| known.joined(stack));
                if *known != Some(joined) {
                    *known = Some(joined);
                    open.push(next);
                }
            }
        }
    }

    /// The index of the first instruction.
    #[expect(clippy::unused_self, reason = "it is a fact about a graph")]
    pub(super) fn first(&self) -> u32 {
        0
    }

    /// The instruction with this index.
    pub(super) fn instruction(&self, index: u32) -> &Instruction {
        &self.instructions[index as usize]
    }

    /// The index of the instruction that follows in memory.
    pub(super) fn next(&self, index: u32) -> Option<u32> {
        self.index_at(self.end_of(index as usize))
    }

    /// Which instructions can come right before this one.
    pub(super) fn before(&self, index: u32) -> &[u32] {
        &self.before[index as usize]
    }

    /// The instruction as a place for a probe, if its depth is known.
    pub(super) fn point(&self, index: u32) -> Option<Point> {
        let instruction = self.instruction(index);
        let Below::Known(depth) = instruction.stack?.pointer else {
            return None;
        };
        Some(Point {
            offset: u64::from(instruction.offset),
            depth: u32::try_from(depth).ok()?,
            cost: instruction.cost,
            is_call: instruction::is_call(&self.code[instruction.offset as usize..]),
        })
    }

    fn end_of(&self, index: usize) -> u32 {
        let instruction = &self.instructions[index];
        instruction.offset + u32::from(instruction.length)
    }

    fn index_at(&self, offset: u32) -> Option<u32> {
        let index = *self.at.get(offset as usize)?;
        (index < INSIDE).then_some(index)
    }

    /// Whether a jump leads to one of the instructions up to `last`, from
    /// anywhere: code that only a computed jump reaches counts, too.
    pub(super) fn is_jumped_into(&self, last: u64) -> bool {
        self.decoder().into_iter().any(|decoded| {
            let jumps = matches!(
                decoded.flow_control(),
                FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch
            );
            let target = decoded.near_branch_target().wrapping_sub(self.address);
            jumps && target <= last
        })
    }

    /// Whether a jump whose target is not known, or code that is kept away from
    /// the function, may lead back to an instruction at one of these depths. A
    /// compiler keeps to one depth at each instruction. With the stack as it was
    /// a jump to another function is a call of it.
    pub(super) fn may_return_to(&self, depths: &[u32]) -> bool {
        self.instructions.iter().enumerate().any(|(index, other)| {
            let depth = self.point(index as u32).map(|point| point.depth);
            match other.flow {
                Flow::Away(_) | Flow::Loaded if depth == Some(0) => false,
                Flow::Away(_) | Flow::BranchAway | Flow::Computed | Flow::Loaded => {
                    depth.is_none_or(|depth| depths.contains(&depth))
                }
                _ => false,
            }
        })
    }

    /// The returns; or what else there is to say where the function is left in
    /// another way.
    pub(super) fn ways_out(&self) -> Result<Vec<u32>, Exits> {
        let mut returns = Vec::new();
        let mut callee = None;
        for (index, instruction) in self.instructions.iter().enumerate() {
            let depth = || self.point(index as u32).map(|point| point.depth);
            match instruction.flow {
                Flow::Return => returns.push(index as u32),
                Flow::Computed | Flow::Loaded => return Err(Exits::Unknown(Why::ComputedJump)),
                Flow::BranchAway => return Err(Exits::Unknown(Why::Leaves)),
                Flow::Away(to) => {
                    if depth() != Some(0) || callee.is_some_and(|callee| callee != to) {
                        return Err(Exits::Unknown(Why::Leaves));
                    }
                    callee = Some(to);
                }
                _ => {}
            }
        }
        match callee {
            Some(callee) if returns.is_empty() => Err(Exits::Of(callee)),
            Some(_) => Err(Exits::Unknown(Why::Leaves)),
            None => Ok(returns),
        }
    }

    /// Per instruction, whether neither it nor anything after it, on a way that
    /// ends in a return, writes the result or memory. Only for graphs that are
    /// left by returns alone.
    pub(super) fn settled(&self) -> Vec<bool> {
        let count = self.instructions.len();
        let returns = self
            .instructions
            .iter()
            .enumerate()
            .filter(|(_, instruction)| instruction.flow == Flow::Return)
            .map(|(index, _)| index as u32);
        let mut ends = vec![false; count];
        self.spread(&mut ends, returns.collect(), |_| true);
        let mut open = Vec::new();
        for (index, instruction) in self.instructions.iter().enumerate() {
            let writes =
                instruction.flow == Flow::Call || instruction.writes & (RESULT | MEMORY) != 0;
            if writes && ends[index] {
                open.push(index as u32);
            }
        }
        let mut unsettled = vec![false; count];
        self.spread(&mut unsettled, open, |index| ends[index as usize]);
        unsettled.into_iter().map(|unsettled| !unsettled).collect()
    }

    /// Marks the instructions in `open` and, against the flow, all from which
    /// they can be reached through those that `passes`.
    fn spread(&self, marked: &mut [bool], mut open: Vec<u32>, passes: impl Fn(u32) -> bool) {
        while let Some(index) = open.pop() {
            if std::mem::replace(&mut marked[index as usize], true) {
                continue;
            }
            open.extend(self.before(index).iter().copied().filter(|&p| passes(p)));
        }
    }
}

/// See [`super::linked_through`].
pub(super) fn linked_through(stub: &[u8], address: u64) -> Option<u64> {
    let jump = Decoder::with_ip(64, stub, address, DecoderOptions::NONE)
        .into_iter()
        .find(|decoded| decoded.mnemonic() != Mnemonic::Endbr64)?;
    let is_one =
        jump.flow_control() == FlowControl::IndirectBranch && jump.is_ip_rel_memory_operand();
    is_one.then(|| jump.ip_rel_memory_address())
}
