//! Variables: what each may be at a place of the script, and what the blocks around
//! that place leave of it. Where a branch may not be taken, both values are members.

use std::collections::HashMap;
use std::rc::Rc;

use super::word::Block;
use crate::formats::value::MAX_MEMBERS;
use crate::formats::value::Value;

/// How deep blocks are told apart; in deeper ones every assignment adds.
const MAX_FRAMES: usize = 64;
/// The longest symbol that is put together.
const MAX_SYMBOL_BYTES: usize = 1024;
/// What may be spent on the values of a script, beside [`WORK_PER_BYTE`] for its text.
const WORK: usize = 4 * 1024 * 1024;
/// What may be spent for each byte of a script: a variable that is put in costs about a
/// hundred, and is written in ten.
const WORK_PER_BYTE: usize = 20;
/// Why a value is not known of which that has come to its end.
pub(super) const TOO_LARGE: &str = "the script is too large to be evaluated to its end";

/// One member of what a text may be.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        // What is longer than any reference is not compared.
        if (self.symbol.is_some() || other.symbol.is_some()) && self.symbol().len() < MAX_SYMBOL_BYTES {
            self.symbol = Some(match self.symbol() {
                "" => other.symbol().into(),
                symbol => [symbol, other.symbol()].concat().into(),
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
    pub(super) elements: Option<Rc<Vec<Vec<Member>>>>,
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
        match (&mut self.elements, &other.elements) {
            // Where one was appended to, the longer one holds the other.
            (Some(one), Some(two)) if two.len() > one.len() => *one = Rc::clone(two),
            (None, Some(two)) => self.elements = Some(Rc::clone(two)),
            _ => {}
        }
    }

    /// What it costs to merge another one into it.
    fn cost_of(&self, other: &Contents) -> usize {
        if self.members.len() > MAX_MEMBERS {
            32
        } else {
            32 * other.members.len() * (1 + self.members.len())
        }
    }
}

/// A block that is open.
struct Frame {
    block: Block,
    /// It runs at least once, in one of its branches.
    certain: bool,
    /// What was there before it, by name.
    before: HashMap<String, Option<Rc<Contents>>>,
    /// What the branches that are done leave.
    ends: HashMap<String, Vec<Rc<Contents>>>,
    /// The names that the branch that is open assigns.
    written: Vec<String>,
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
    now: HashMap<String, Rc<Contents>>,
    frames: Vec<Frame>,
    /// Blocks that are open beyond [`MAX_FRAMES`].
    loose: usize,
    /// What functions assign, and what is assigned anywhere: what is known of it
    /// where something stands in a function, or runs after one.
    by_functions: HashMap<String, Rc<Contents>>,
    anywhere: HashMap<String, Rc<Contents>>,
}

/// Adds what a variable may be to what is gathered; what that costs.
fn gather(all: &mut HashMap<String, Rc<Contents>>, name: &str, contents: &Rc<Contents>) -> usize {
    match all.get_mut(name) {
        Some(known) => {
            if matches!(known.members.as_slice(), [only] if only.is_the_rest()) {
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
            all.insert(name.to_owned(), Rc::clone(contents));
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
    pub(super) fn again(self, bytes: usize) -> Scope {
        Scope { by_functions: self.by_functions, anywhere: self.anywhere, ..Scope::new(bytes) }
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

    /// What a variable holds here, when the script sets it.
    pub(super) fn get(&self, name: &str) -> Option<Rc<Contents>> {
        if self.is_spent() {
            return Some(Rc::new(Contents::text(vec![Member::unknown("…", TOO_LARGE)])));
        }
        let function = self.frames.iter().rposition(|frame| frame.block == Block::Function);
        if let Some(function) = function
            && !self.frames[function..].iter().any(|frame| frame.before.contains_key(name))
            && let Some(contents) = self.anywhere.get(name)
        {
            return Some(Rc::clone(contents));
        }
        self.now.get(name).or_else(|| self.by_functions.get(name)).cloned()
    }

    /// What it holds without what functions assign.
    pub(super) fn current(&self, name: &str) -> Option<&Rc<Contents>> {
        self.now.get(name)
    }

    /// Assigns; `maybe` when that may not happen, `local` in a function only.
    pub(super) fn set(&mut self, name: &str, mut contents: Contents, maybe: bool, local: bool) {
        if maybe || self.loose > 0 {
            match self.now.get(name) {
                Some(before) => {
                    let before = Rc::clone(before);
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
        let in_function = self.frames.iter().any(|frame| frame.block == Block::Function);
        let contents = Rc::new(contents);
        if !local {
            if in_function {
                self.left = self.left.saturating_sub(gather(&mut self.by_functions, name, &contents));
            }
            self.left = self.left.saturating_sub(gather(&mut self.anywhere, name, &contents));
        }
        self.write(name, Some(contents));
    }

    fn write(&mut self, name: &str, contents: Option<Rc<Contents>>) {
        if let Some(frame) = self.frames.last_mut() {
            if !frame.before.contains_key(name) {
                frame.before.insert(name.to_owned(), self.now.get(name).cloned());
            }
            if !frame.written.iter().rev().take(8).any(|written| written == name) {
                frame.written.push(name.to_owned());
            }
        }
        match contents {
            Some(contents) => self.now.insert(name.to_owned(), contents),
            None => self.now.remove(name),
        };
    }

    /// Opens a block; `certain` when it runs in any case.
    pub(super) fn open(&mut self, block: Block, certain: bool) {
        if self.frames.len() >= MAX_FRAMES {
            self.loose += 1;
            return;
        }
        self.frames.push(Frame {
            block,
            certain: certain && !matches!(block, Block::Loop),
            before: HashMap::new(),
            ends: HashMap::new(),
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
        let mut written = std::mem::take(&mut frame.written);
        written.sort_unstable();
        written.dedup();
        let leaves = std::mem::take(&mut frame.leaves);
        if !std::mem::take(&mut frame.untouched) && !leaves {
            frame.branches += 1;
        }
        for name in written {
            if let (Some(now), false) = (self.now.get(&name), leaves) {
                frame.ends.entry(name.clone()).or_default().push(Rc::clone(now));
            }
            match frame.before.get(&name) {
                Some(Some(before)) => self.now.insert(name, Rc::clone(before)),
                _ => self.now.remove(&name),
            };
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
        let Some(frame) = self.frames.pop() else { return };
        if matches!(block, Block::Subshell | Block::Function) {
            return;
        }
        let mut names: Vec<(String, Vec<Rc<Contents>>)> = frame.ends.into_iter().collect();
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (name, ends) in names {
            if !self.spend(64 + 64 * ends.iter().map(|end| end.members.len()).sum::<usize>()) {
                return;
            }
            // What every one of several branches sets is taken to be set.
            let everywhere = ends.len() == frame.branches;
            let mut left = Contents::default();
            if !(everywhere && (certain_before || frame.branches > 1)) {
                match frame.before.get(&name) {
                    Some(Some(before)) => left.merge(before),
                    _ => left.open = true,
                }
            }
            for end in &ends {
                left.merge(end);
            }
            self.write(&name, Some(Rc::new(left)));
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
        self.frames.iter().any(|frame| frame.block == Block::Function)
    }
}
