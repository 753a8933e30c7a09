//! Variables: what each may be at a place of the script, and what the blocks around
//! that place leave of it. Where a branch may not be taken, both values are members.

use std::collections::HashMap;
use std::rc::Rc;

use super::array::Lists;
use super::word::Block;
use crate::formats::value::MAX_MEMBERS;
use crate::formats::value::Value;

/// How deep blocks are told apart; in deeper ones every assignment adds.
const MAX_FRAMES: usize = 24;
/// The longest symbol that is put together.
const MAX_SYMBOL_BYTES: usize = 1024;
/// What may be spent on the values of a script, beside [`WORK_PER_BYTE`] for its text.
const WORK: usize = 2 * 1024 * 1024;
/// What may be spent for each byte of a script: a variable that is put in costs about a
/// hundred, and is written in ten.
const WORK_PER_BYTE: usize = 12;
/// Why a value is not known of which that has come to its end.
pub(super) const TOO_LARGE: &str = "the script is too large to be evaluated to its end";

/// One member of what a text may be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Member {
    pub(super) value: Value,
    /// The text with names for what is not known, when something is not: two texts
    /// that are written alike are the same, whatever they are.
    pub(super) symbol: Option<Rc<str>>,
}

impl Member {
    /// Text that is known.
    pub(super) fn known(value: Value) -> Member {
        Member { value, symbol: None }
    }

    /// Something not known that goes by a name.
    pub(super) fn unknown(symbol: impl Into<Rc<str>>, reason: impl Into<String>) -> Member {
        Member { value: Value::unknown(reason), symbol: Some(symbol.into()) }
    }

    /// The text, with names for what is not known.
    pub(super) fn symbol(&self) -> &str {
        self.symbol.as_deref().unwrap_or(self.value.text())
    }

    /// Whether it stands for more members than are told apart.
    fn is_the_rest(&self) -> bool {
        self.symbol.as_deref() == Some("…")
    }

    /// Appends another one.
    pub(super) fn append(&mut self, other: &Member) {
        if self.symbol.is_some() || other.symbol.is_some() {
            let (own, more) = (self.symbol(), other.symbol());
            self.symbol = Some(match own {
                "" => more.into(),
                // What is longer than any reference is not told apart from others.
                _ if own.len() + more.len() > MAX_SYMBOL_BYTES => "…".into(),
                _ => [own, more].concat().into(),
            });
        }
        self.value.append(&other.value);
    }

    /// What it costs to copy or compare it, as bytes.
    pub(super) fn weight(&self) -> usize {
        32 + self.value.text().len() + 32 * self.value.via().len()
    }
}

/// What members cost to be copied or compared, as bytes.
pub(super) fn weight(members: &[Member]) -> usize {
    members.iter().map(Member::weight).sum()
}

/// Every member of one followed by every one of the other.
pub(super) fn product(mut left: Vec<Member>, right: &[Member]) -> Vec<Member> {
    if let [only] = right {
        left.iter_mut().for_each(|member| member.append(only));
        return left;
    }
    let mut members: Vec<Member> = Vec::new();
    for first in &left {
        for second in right {
            let mut both = first.clone();
            both.append(second);
            if !add(&mut members, both) {
                return members;
            }
        }
    }
    members
}

/// Adds a member; `false` when there is no room for more, which is then the last member.
fn add(members: &mut Vec<Member>, member: Member) -> bool {
    if members.contains(&member) {
        return true;
    }
    if members.len() > MAX_MEMBERS {
        return false;
    }
    if members.len() == MAX_MEMBERS {
        let reason = format!("more than {MAX_MEMBERS} values are not told apart");
        members.push(Member::unknown("…", reason));
        return false;
    }
    members.push(member);
    true
}

/// What a variable may hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    pub(super) members: Vec<Member>,
    /// The elements, of an array.
    pub(super) lists: Option<Rc<Lists>>,
    /// It may also be what it was before the script.
    pub(super) open: bool,
}

impl Contents {
    /// A text.
    pub(super) fn text(members: Vec<Member>) -> Contents {
        Contents { members, ..Contents::default() }
    }

    /// Adds what it may also be.
    fn merge(&mut self, other: &Contents) {
        self.merge_unlike(other, Member::eq);
    }

    fn merge_unlike(&mut self, other: &Contents, same: fn(&Member, &Member) -> bool) {
        if self.lists.is_some() || other.lists.is_some() {
            let mut lists = self.as_lists();
            lists.merge(&other.as_lists());
            self.lists = Some(Rc::new(lists));
        }
        // The members of the other one are told apart already.
        let own = self.members.len();
        for member in &other.members {
            if self.members.len() > MAX_MEMBERS {
                break;
            }
            if self.members[..own].iter().any(|known| same(known, member)) {
                continue;
            }
            if self.members.len() == MAX_MEMBERS {
                add(&mut self.members, member.clone());
            } else {
                self.members.push(member.clone());
            }
        }
        self.open |= other.open;
    }

    /// The lists of an array; of a text that of its one element.
    pub(super) fn as_lists(&self) -> Lists {
        match &self.lists {
            Some(lists) => (**lists).clone(),
            None => Lists::of_text(&self.members),
        }
    }

    /// Whether adding it to another one makes nothing new, not even another order.
    fn covers(&self, before: Option<&Rc<Contents>>) -> bool {
        match before {
            None => self.open,
            Some(before) => {
                self.lists.is_none()
                    && before.lists.is_none()
                    && (self.open || !before.open)
                    && self.members.starts_with(&before.members)
            }
        }
    }

    /// What it costs to merge another one into it.
    fn cost_of(&self, other: &Contents) -> usize {
        let lists: usize = self.lists.iter().chain(&other.lists).map(|lists| lists.weight()).sum();
        if self.members.len() > MAX_MEMBERS {
            32 + lists
        } else {
            32 * other.members.len() * (1 + self.members.len()) + lists
        }
    }
}

/// A variable, as an index of what is known of each.
type Name = u32;

/// What is known of a variable.
#[derive(Default)]
struct Known {
    now: Option<Rc<Contents>>,
    /// What functions assign, and what is assigned anywhere: what is known of it
    /// where something stands in a function, or runs after one.
    by_functions: Option<Rc<Contents>>,
    anywhere: Option<Rc<Contents>>,
    /// The innermost open block that assigns it, and the branch that it was last assigned in.
    owner: u32,
    branch: u32,
}

/// A variable that a block assigns, as it was before that.
struct Before {
    name: Name,
    contents: Option<Rc<Contents>>,
    owner: u32,
}

/// A block that is open.
struct Frame {
    block: Block,
    /// Blocks and branches are counted; inner ones have higher numbers.
    number: u32,
    branch: u32,
    /// It runs at least once, in one of its branches.
    certain: bool,
    /// What it assigns.
    before: Vec<Before>,
    /// What the branches that are done leave.
    ends: Vec<(Name, Rc<Contents>)>,
    /// The names that the branch that is open assigns.
    written: Vec<Name>,
    branches: usize,
    /// The branch that is open does not go on behind the block.
    leaves: bool,
    /// Nothing of the block has been seen.
    untouched: bool,
}

/// The variables of a script, and what may still be spent on their values: the same
/// for every byte of a script, so that what doubles itself ends.
#[derive(Default)]
pub(super) struct Scope {
    left: usize,
    names: HashMap<String, Name>,
    known: Vec<Known>,
    frames: Vec<Frame>,
    /// Blocks that are open beyond [`MAX_FRAMES`].
    loose: usize,
    /// How many blocks and branches were opened.
    count: u32,
    /// How many of the blocks that are open are bodies of functions.
    functions: usize,
    /// Something was left out when it was walked over before.
    was_spent: bool,
}

/// Adds what a variable may be to what is gathered; what that costs.
fn gather(all: &mut Option<Rc<Contents>>, contents: &Rc<Contents>) -> usize {
    match all {
        Some(known) => {
            if matches!(known.members.as_slice(), [only] if only.is_the_rest()) && known.lists.is_none() {
                return 0;
            }
            let cost = known.cost_of(contents);
            let known = Rc::make_mut(known);
            // The same text from elsewhere tells nothing more.
            known.merge_unlike(contents, |one, other| {
                one.symbol == other.symbol
                    && one.value.hole() == other.value.hole()
                    && one.value.text() == other.value.text()
            });
            if known.members.len() > MAX_MEMBERS {
                known.members.drain(..MAX_MEMBERS);
            }
            cost
        }
        None => {
            *all = Some(Rc::clone(contents));
            0
        }
    }
}

impl Scope {
    /// Before the first command of a script of that length.
    pub(super) fn new(bytes: usize) -> Scope {
        Scope { left: WORK + WORK_PER_BYTE * bytes, ..Scope::default() }
    }

    /// The same knowledge of what functions do, before the first command.
    pub(super) fn again(mut self, bytes: usize) -> Scope {
        let was_spent = self.is_spent();
        for known in &mut self.known {
            known.now = None;
            known.owner = 0;
            known.branch = 0;
        }
        Scope { names: self.names, known: self.known, was_spent, ..Scope::new(bytes) }
    }

    /// Takes what something costs from what is left; whether anything is.
    pub(super) fn spend(&mut self, work: usize) -> bool {
        self.left = self.left.saturating_sub(work);
        self.left > 0
    }

    /// Whether nothing is left: every variable is unknown from here on.
    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Whether not everything was evaluated, now or when what functions set was gathered.
    pub(super) fn was_spent(&self) -> bool {
        self.is_spent() || self.was_spent
    }

    fn known(&self, name: &str) -> Option<&Known> {
        self.known.get(*self.names.get(name)? as usize)
    }

    /// The index of a name.
    fn name(&mut self, name: &str) -> Name {
        match self.names.get(name) {
            Some(index) => *index,
            None => {
                // A script of 1 MiB has fewer than 2^20 names.
                let index = self.known.len() as Name;
                self.names.insert(name.to_owned(), index);
                self.known.push(Known::default());
                index
            }
        }
    }

    /// What a variable holds here, when the script sets it.
    pub(super) fn get(&self, name: &str) -> Option<Rc<Contents>> {
        if self.is_spent() {
            return Some(Rc::new(Contents::text(vec![Member::unknown("…", TOO_LARGE)])));
        }
        let known = self.known(name)?;
        if self.in_function() {
            let function = self.frames.iter().rev().find(|frame| frame.block == Block::Function);
            if function.is_some_and(|function| known.owner < function.number)
                && let Some(contents) = &known.anywhere
            {
                return Some(Rc::clone(contents));
            }
        }
        known.now.as_ref().or(known.by_functions.as_ref()).cloned()
    }

    /// What it holds without what functions assign.
    pub(super) fn current(&self, name: &str) -> Option<&Rc<Contents>> {
        self.known(name)?.now.as_ref()
    }

    /// Assigns; `maybe` when that may not happen, `local` in a function only.
    pub(super) fn set(&mut self, name: &str, mut contents: Contents, maybe: bool, local: bool) {
        let name = self.name(name);
        if maybe || self.loose > 0 {
            match self.known[name as usize].now.clone() {
                Some(before) => {
                    if !self.spend(contents.cost_of(&before)) {
                        return;
                    }
                    contents.merge(&before);
                }
                None => contents.open = true,
            }
        }
        if !self.spend(32) {
            return;
        }
        let contents = Rc::new(contents);
        if !local {
            let known = &mut self.known[name as usize];
            let mut cost = gather(&mut known.anywhere, &contents);
            if self.functions > 0 {
                cost += gather(&mut known.by_functions, &contents);
            }
            self.spend(cost);
        }
        self.write(name, Some(contents));
    }

    fn write(&mut self, name: Name, contents: Option<Rc<Contents>>) {
        let known = &mut self.known[name as usize];
        if let Some(frame) = self.frames.last_mut() {
            if known.owner != frame.number {
                frame.before.push(Before { name, contents: known.now.clone(), owner: known.owner });
                known.owner = frame.number;
            }
            if known.branch != frame.branch {
                frame.written.push(name);
                known.branch = frame.branch;
            }
        }
        known.now = contents;
    }

    /// Opens a block; `certain` when it runs in any case.
    pub(super) fn open(&mut self, block: Block, certain: bool) {
        if self.frames.len() >= MAX_FRAMES {
            self.loose += 1;
            return;
        }
        self.count += 1;
        self.functions += usize::from(block == Block::Function);
        self.frames.push(Frame {
            block,
            number: self.count,
            branch: self.count,
            certain: certain && !matches!(block, Block::Loop),
            before: Vec::new(),
            ends: Vec::new(),
            written: Vec::new(),
            branches: 0,
            leaves: false,
            untouched: block == Block::Case,
        });
    }

    /// Another branch of the innermost block; `last` when one is taken in any case.
    pub(super) fn branch(&mut self, block: Block, last: bool) {
        if self.loose > 0 || self.frames.last().is_none_or(|frame| frame.block != block) {
            return;
        }
        self.end_branch();
        if let Some(frame) = self.frames.last_mut() {
            frame.certain = last || (frame.certain && block == Block::Group);
        }
    }

    /// The loop that is open runs at least once.
    pub(super) fn runs(&mut self) {
        if self.loose == 0
            && let Some(frame) = self.frames.last_mut()
        {
            frame.certain = true;
        }
    }

    /// The branch that is open ends the script, the function or the loop.
    pub(super) fn leave(&mut self) {
        if self.loose == 0
            && let Some(frame) = self.frames.last_mut()
        {
            frame.leaves = matches!(frame.block, Block::If | Block::Case | Block::Group);
        }
    }

    fn end_branch(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        let leaves = std::mem::take(&mut frame.leaves);
        if !std::mem::take(&mut frame.untouched) && !leaves {
            frame.branches += 1;
        }
        self.count += 1;
        frame.branch = self.count;
        if frame.written.is_empty() {
            return;
        }
        let mut written = std::mem::take(&mut frame.written);
        written.sort_unstable();
        written.dedup();
        if !leaves {
            for name in written {
                if let Some(now) = &self.known[name as usize].now {
                    frame.ends.push((name, Rc::clone(now)));
                }
            }
        }
        for before in &frame.before {
            self.known[before.name as usize].now.clone_from(&before.contents);
        }
    }

    /// Closes a block, when it is the innermost one.
    pub(super) fn close(&mut self, block: Block) {
        if self.loose > 0 {
            self.loose -= 1;
            return;
        }
        if self.frames.last().is_none_or(|frame| frame.block != block) {
            return;
        }
        let certain_before = self.frames.last().is_some_and(|frame| match frame.block {
            Block::If | Block::Case => frame.branches > 0 && frame.certain,
            _ => frame.certain,
        });
        self.end_branch();
        let Some(mut frame) = self.frames.pop() else { return };
        for before in &frame.before {
            let known = &mut self.known[before.name as usize];
            known.owner = before.owner;
            // What is assigned behind it is another branch's.
            known.branch = 0;
        }
        self.functions -= usize::from(frame.block == Block::Function);
        if matches!(block, Block::Subshell | Block::Function) {
            return;
        }
        // By name, those of one name in the order of the branches.
        frame.ends.sort_by_key(|(name, _)| *name);
        for ends in frame.ends.chunk_by(|one, other| one.0 == other.0) {
            let Some((name, first)) = ends.first() else { continue };
            if !self.spend(8 * ends.len()) {
                return;
            }
            let before = self.known[*name as usize].now.clone();
            // What every one of several branches sets is taken to be set.
            let everywhere = ends.len() == frame.branches;
            let is_set = everywhere && (certain_before || frame.branches > 1);
            if ends.len() == 1 && (is_set || first.covers(before.as_ref())) {
                self.write(*name, Some(Rc::clone(first)));
                continue;
            }
            let mut left = Contents::default();
            let mut is_first = true;
            let mut parts: Vec<&Rc<Contents>> = Vec::with_capacity(1 + ends.len());
            if !is_set {
                match &before {
                    Some(before) => parts.push(before),
                    None => left.open = true,
                }
            }
            parts.extend(ends.iter().map(|(_, end)| end));
            for part in parts {
                if !self.spend(64 + 32 * part.members.len() + left.cost_of(part)) {
                    return;
                }
                match std::mem::take(&mut is_first) {
                    true => left = Contents { open: left.open || part.open, ..(**part).clone() },
                    false => left.merge(part),
                }
            }
            self.write(*name, Some(Rc::new(left)));
        }
    }

    /// Closes every block but the outer `keep`.
    pub(super) fn close_to(&mut self, keep: usize) {
        while self.loose > 0 || self.frames.len() > keep {
            match self.frames.last().map(|frame| frame.block) {
                Some(block) => self.close(block),
                None => return,
            }
        }
    }

    /// How many blocks are open.
    pub(super) fn depth(&self) -> usize {
        self.frames.len()
    }

    /// Whether what stands here is the body of a function.
    pub(super) fn in_function(&self) -> bool {
        self.functions > 0
    }
}
