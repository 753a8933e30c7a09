//! Arrays: the lists of elements that a variable may hold, one for each way in which
//! the script may fill it.

use std::rc::Rc;

use super::scope::Member;
use super::scope::weight;

/// How many elements of one array are remembered.
const MAX_ELEMENTS: usize = 4096;
/// How many lists are told apart; of more one that is not known stands for the others.
const MAX_LISTS: usize = 8;

/// An element of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) members: Vec<Member>,
    /// It stands for any number of elements.
    pub(super) many: bool,
}

/// The lists that an array may be.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    lists: Vec<Rc<Vec<Element>>>,
    /// There may be others.
    others: bool,
}

impl Lists {
    /// The array `()`.
    pub(super) fn empty() -> Lists {
        Lists { lists: vec![Rc::default()], others: false }
    }

    /// What a text is as an array; none, when it is no text.
    pub(super) fn of_text(members: &[Member]) -> Lists {
        let element = Element { members: members.to_vec(), many: false };
        let list = if members.is_empty() { Vec::new() } else { vec![element] };
        Lists { lists: vec![Rc::new(list)], others: false }
    }

    /// Each of the lists.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Rc<Vec<Element>>> {
        self.lists.iter()
    }

    /// Whether there may be others.
    pub(super) fn has_others(&self) -> bool {
        self.others
    }

    /// What it costs to copy or compare them, as bytes.
    pub(super) fn weight(&self) -> usize {
        self.lists.iter().map(|list| 64 + 64 * list.len()).sum()
    }

    /// What it costs to make fields of them, as bytes.
    pub(super) fn weight_of_fields(&self) -> usize {
        let elements = self.lists.iter().flat_map(|list| list.iter());
        elements.map(|element| 64 + weight(&element.members)).sum()
    }

    /// What the first element may be, in any of them.
    pub(super) fn first(&self) -> Vec<Member> {
        let mut members: Vec<Member> = Vec::new();
        for member in self.lists.iter().filter_map(|list| list.first()).flat_map(|first| &first.members) {
            if !members.contains(member) {
                members.push(member.clone());
            }
        }
        members
    }

    /// Appends the elements of a word: each of its shapes to each of the lists, as far as
    /// there is room.
    pub(super) fn append(&mut self, shapes: &[Vec<Element>]) {
        if let [shape] = shapes {
            for list in &mut self.lists {
                push(Rc::make_mut(list), shape);
            }
            return;
        }
        let mut lists: Vec<Rc<Vec<Element>>> = Vec::new();
        for list in &self.lists {
            for shape in shapes {
                let mut list = (**list).clone();
                push(&mut list, shape);
                lists.push(Rc::new(list));
            }
        }
        self.lists = lists;
        self.shorten();
    }

    /// Adds the lists of another one.
    pub(super) fn merge(&mut self, other: &Lists) {
        self.others |= other.others;
        for list in &other.lists {
            if !self.lists.iter().any(|known| Rc::ptr_eq(known, list) || known == list) {
                self.lists.push(Rc::clone(list));
            }
        }
        self.shorten();
    }

    /// There are others.
    pub(super) fn note_others(&mut self) {
        self.others = true;
    }

    /// Keeps a few of too many.
    fn shorten(&mut self) {
        if self.lists.len() > MAX_LISTS {
            self.others = true;
            self.lists.truncate(MAX_LISTS);
        }
    }
}

fn push(list: &mut Vec<Element>, shape: &[Element]) {
    for element in shape {
        if list.len() > MAX_ELEMENTS {
            return;
        }
        if list.len() == MAX_ELEMENTS {
            let reason = format!("more than {MAX_ELEMENTS} elements are not remembered");
            list.push(Element { members: vec![Member::unknown("…", reason)], many: true });
            return;
        }
        list.push(element.clone());
    }
}
