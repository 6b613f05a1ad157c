//! The instructions that a function can reach, and the ways between them.

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction as Decoded, InstructionInfoFactory,
    Mnemonic, OpKind, Register,
};

use super::{
    Cost, Exits, Memory, Point, Why,
    instruction::{self, Below, MEMORY, RESULT, Stack, Written},
};

/// Where thread-local storage keeps the value that guards a stack frame, from
/// `fs`: `__stack_chk_fail` is called when a function finds it changed.
const STACK_GUARD: u64 = 0x28;

/// How many instructions before a computed jump belong to it at most.
const MAX_JUMP: usize = 12;

/// The longest table of a computed jump.
const MAX_TABLE: u64 = 512;

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
    /// To one of the offsets in the table with this index.
    Table(u32),
    /// To an address that is computed.
    Computed,
    /// To an address that is read from one place, not from a table.
    Loaded,
    /// Back to the caller.
    Return,
    /// Nowhere.
    Nowhere,
}

/// Where an instruction has a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operand {
    /// In this register, or a part of it.
    Register(Register),
    /// In memory: at a base, an index and a distance.
    Memory(Register, Register, u64),
}

impl Operand {
    fn of(decoded: &Decoded, operand: u32) -> Option<Self> {
        match decoded.op_kind(operand) {
            OpKind::Register => {
                let register = decoded.op_register(operand).full_register();
                Some(Self::Register(register))
            }
            OpKind::Memory => Some(Self::Memory(
                decoded.memory_base(),
                decoded.memory_index(),
                decoded.memory_displacement64(),
            )),
            _ => None,
        }
    }
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
    /// Offsets to which computed jumps lead.
    tables: Vec<Vec<u32>>,
    memory: Memory<'a>,
}

impl<'a> Graph<'a> {
    /// Decodes the function at `address`; fails where a way through it is not
    /// understood, so that what is found holds for all of them.
    pub(super) fn new(code: &'a [u8], address: u64, memory: Memory<'a>) -> Result<Self, Why> {
        let mut graph = Self {
            code,
            address,
            instructions: Vec::new(),
            at: vec![NONE; code.len()],
            before: Vec::new(),
            tables: Vec::new(),
            memory,
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
                let mut flow = self.flow(&decoded)?;
                if flow == Flow::Computed
                    && let Some(table) = self.table(offset, &decoded)
                {
                    flow = Flow::Table(self.tables.len() as u32);
                    open.extend(&table);
                    self.tables.push(table);
                }
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
                    | Flow::Table(_)
                    | Flow::Computed
                    | Flow::Loaded
                    | Flow::Return
                    | Flow::Nowhere => break,
                }
            }
        }
        Ok(())
    }

    /// The offsets to which the computed jump at `offset` leads, where it is what
    /// compilers make of a `switch`: an index that was compared with the last one
    /// selects a distance from the table itself. In any order but for the last two:
    /// `cmp index, last; ja other; lea table, [rip+..]; movsxd entry,
    /// [table+index*4]; add entry, table; jmp entry`.
    fn table(&self, offset: u32, jump: &Decoded) -> Option<Vec<u32>> {
        let target = (jump.op0_kind() == OpKind::Register).then(|| jump.op0_register())?;
        let (mut sum, mut entry, mut table, mut last) = (None, None, None, None);
        let mut index = None;
        let mut is_bound = false;
        let mut begin = offset;
        for before in self.instructions.iter().rev().take(MAX_JUMP) {
            if before.offset + u32::from(before.length) != begin {
                return None;
            }
            begin = before.offset;
            let decoded = &before.decoded;
            let [to, from] = [decoded.op0_register(), decoded.op1_register()];
            match decoded.mnemonic() {
                Mnemonic::Add if sum.is_none() && to == target => sum = Some((to, from)),
                Mnemonic::Movsxd if entry.is_none() && sum.is_some() => {
                    let base = decoded.memory_base();
                    let is_entry = decoded.memory_index_scale() == 4
                        && decoded.memory_displacement64() == 0
                        && (sum == Some((to, base)) || sum == Some((base, to)));
                    entry = Some(is_entry.then_some(base)?);
                    index = Some(Operand::Register(decoded.memory_index()));
                }
                Mnemonic::Lea if entry.is_some() && table.is_none() && entry == Some(to) => {
                    let is_near = decoded.is_ip_rel_memory_operand();
                    table = Some(is_near.then(|| decoded.ip_rel_memory_address())?);
                }
                Mnemonic::Ja if !is_bound && last.is_none() => is_bound = true,
                Mnemonic::Cmp if is_bound => {
                    is_bound = false;
                    // Another number's bound says nothing.
                    if index.is_none() || index != Operand::of(decoded, 0) {
                        return None;
                    }
                    last = Some(match decoded.op1_kind() {
                        OpKind::Immediate8
                        | OpKind::Immediate32
                        | OpKind::Immediate8to32
                        | OpKind::Immediate8to64 => decoded.immediate(1),
                        _ => return None,
                    });
                }
                _ if is_bound => return None,
                // The index was somewhere else before.
                Mnemonic::Mov | Mnemonic::Movzx
                    if index.is_some() && index == Operand::of(decoded, 0) =>
                {
                    index = Operand::of(decoded, 1);
                }
                Mnemonic::Cmp | Mnemonic::Test => {}
                _ if index.is_some() && index == Operand::of(decoded, 0) => return None,
                _ => {}
            }
            if let (Some(table), Some(last)) = (table, last) {
                return self.entries(table, last.checked_add(1)?);
            }
        }
        None
    }

    /// The offsets in the table at an address, all of them in the function.
    fn entries(&self, table: u64, count: u64) -> Option<Vec<u32>> {
        if count > MAX_TABLE {
            return None;
        }
        let bytes = (self.memory)(table, count as usize * 4)?;
        let (entries, _) = bytes.as_chunks();
        if entries.len() as u64 != count {
            return None;
        }
        let offsets = entries.iter().map(|entry| {
            let distance = i64::from(i32::from_le_bytes(*entry));
            self.offset_of(table.wrapping_add_signed(distance))
        });
        offsets.collect()
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
            for next in self.after(index as u32) {
                before[next as usize].push(index as u32);
            }
        }
        self.before = before;
    }

    /// The instructions that can come next.
    fn after(&self, index: u32) -> Vec<u32> {
        let next = self.index_at(self.end_of(index as usize));
        let to = |offset: &u32| self.index_at(*offset);
        match self.instructions[index as usize].flow {
            Flow::Next | Flow::Call | Flow::BranchAway => next.into_iter().collect(),
            Flow::Jump(offset) => to(&offset).into_iter().collect(),
            Flow::Branch(offset) => to(&offset).into_iter().chain(next).collect(),
            Flow::Table(table) => self.tables[table as usize].iter().filter_map(to).collect(),
            Flow::Away(_) | Flow::Computed | Flow::Loaded | Flow::Return | Flow::Nowhere => {
                Vec::new()
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
            for next in self.after(index) {
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
        }) || self
            .tables
            .iter()
            .flatten()
            .any(|target| u64::from(*target) <= last)
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

    /// The returns, with the function that it may go on in instead; or what else there
    /// is to say where the function is left in another way.
    pub(super) fn ways_out(&self) -> Result<(Vec<u32>, Option<u64>), Exits> {
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
            _ => Ok((returns, callee)),
        }
    }

    /// Per instruction, whether neither it nor anything after it, on a way that
    /// ends in a return, writes the result or memory, and whether no way leads from
    /// it into another function. Only for graphs of which the ways out are known.
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
            let leaves = matches!(instruction.flow, Flow::Away(_));
            if writes && ends[index] || leaves {
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
