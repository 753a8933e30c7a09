//! The combinations of a job's matrix.
//!
//! Vectors are multiplied, `exclude` takes away what it matches in part, then each
//! entry of `include` is added to the combinations whose vectors it does not
//! contradict, or stands alone:
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstrategymatrix>.

use super::evaluate::Contexts;
use super::item::Item;

/// How many combinations are made; GitHub runs at most 256 jobs of one matrix.
const MAX_COMBINATIONS: usize = 256;

/// One combination: what `matrix` holds in one run of the job.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Combination {
    values: Vec<(String, Item)>,
    /// Why other keys are not known; they are null otherwise.
    unknown: Option<String>,
}

impl Combination {
    /// What stands under a key.
    pub(super) fn get(&self, key: &str) -> Item {
        match (self.values.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)), &self.unknown) {
            (Some((_, item)), _) => item.clone(),
            (None, Some(reason)) => Item::unknown(reason.as_str()),
            (None, None) => Item::null(),
        }
    }

    /// All of it.
    pub(super) fn whole(&self) -> Item {
        match &self.unknown {
            Some(reason) => Item::unknown(reason.as_str()),
            None => Item::Map(self.values.clone().into()),
        }
    }

    fn unknown(reason: impl Into<String>) -> Combination {
        Combination { values: Vec::new(), unknown: Some(reason.into()) }
    }

    fn set(&mut self, key: &str, item: Item) {
        match self.values.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(key)) {
            Some((_, value)) => *value = item,
            None => self.values.push((key.to_owned(), item)),
        }
    }
}

/// Every combination of a matrix, whose own expressions `contexts` evaluates.
pub(super) fn combinations(matrix: Item, contexts: &dyn Contexts) -> Vec<Combination> {
    let mut all = Vec::new();
    for matrix in settled(matrix, contexts) {
        match &matrix {
            Item::Map(entries) => all.extend(of_map(entries, contexts)),
            Item::Scalar(_, value) => {
                all.push(Combination::unknown(value.reason().unwrap_or("the matrix is no object")))
            }
            Item::List(_) | Item::Template(_) => all.push(Combination::unknown("the matrix is no object")),
        }
    }
    all
}

fn of_map(entries: &[(String, Item)], contexts: &dyn Contexts) -> Vec<Combination> {
    let part = |name: &str| {
        let entry = entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        entry.map(|(_, item)| settled(item.clone(), contexts)).unwrap_or_default()
    };
    let vectors: Vec<&(String, Item)> = entries
        .iter()
        .filter(|(key, _)| !["include", "exclude"].iter().any(|part| part.eq_ignore_ascii_case(key)))
        .collect();
    let mut made: Vec<Combination> =
        if vectors.is_empty() { Vec::new() } else { vec![Combination::default()] };
    let mut more = false;
    for (key, vector) in &vectors {
        let items: Vec<Item> = settled((*vector).clone(), contexts)
            .into_iter()
            .flat_map(|vector| match vector {
                Item::List(items) => items.iter().flat_map(|item| settled(item.clone(), contexts)).collect(),
                other => vec![other],
            })
            .collect();
        let mut next = Vec::new();
        for combination in &made {
            for item in &items {
                if next.len() == MAX_COMBINATIONS || !contexts.spend(1 + combination.values.len()) {
                    more = true;
                    break;
                }
                let mut longer = combination.clone();
                longer.set(key, item.clone());
                next.push(longer);
            }
        }
        made = next;
    }
    for exclude in part("exclude") {
        let Item::List(entries) = exclude else { continue };
        for entry in entries.iter().flat_map(|entry| settled(entry.clone(), contexts)) {
            let Item::Map(entry) = entry else { continue };
            made.retain(|combination| {
                !contexts.spend(1)
                    || !entry.iter().all(|(key, item)| same(&combination.get(key), item, contexts))
            });
        }
    }
    let originals = made.len();
    for include in part("include") {
        let Item::List(entries) = include else {
            if let Item::Scalar(_, value) = &include {
                made.extend(value.reason().map(Combination::unknown));
            }
            continue;
        };
        for entry in entries.iter().flat_map(|entry| settled(entry.clone(), contexts)) {
            match entry {
                Item::Map(entry) if made.len() < 2 * MAX_COMBINATIONS => {
                    let is_vector =
                        |key: &str| vectors.iter().any(|(name, _)| name.eq_ignore_ascii_case(key));
                    include_entry(&mut made, originals, &entry, is_vector, contexts);
                }
                Item::Map(_) => more = true,
                Item::Scalar(_, value) => made.extend(value.reason().map(Combination::unknown)),
                _ => {}
            }
        }
    }
    if more {
        made.push(Combination::unknown(format!(
            "the matrix has more than the {MAX_COMBINATIONS} combinations that GitHub runs"
        )));
    }
    made
}

fn include_entry(
    made: &mut Vec<Combination>,
    originals: usize,
    entry: &[(String, Item)],
    is_vector: impl Fn(&str) -> bool,
    contexts: &dyn Contexts,
) {
    // What the entry itself says of the vectors decides, not what another entry added.
    let mut added = false;
    for combination in made.iter_mut().take(originals) {
        if !contexts.spend(1) {
            break;
        }
        let fits = entry
            .iter()
            .filter(|(key, _)| is_vector(key))
            .all(|(key, item)| same(&combination.get(key), item, contexts));
        if fits {
            added = true;
            for (key, item) in entry.iter().filter(|(key, _)| !is_vector(key)) {
                combination.set(key, item.clone());
            }
        }
    }
    if !added {
        let values = entry.iter().map(|(key, item)| (key.clone(), item.clone())).collect();
        made.push(Combination { values, unknown: None });
    }
}

fn same(value: &Item, wanted: &Item, contexts: &dyn Contexts) -> bool {
    match wanted {
        Item::Template(_) => settled(wanted.clone(), contexts).iter().all(|wanted| value.same(wanted)),
        wanted => value.same(wanted),
    }
}

/// The members of an item whose text may hold expressions.
fn settled(item: Item, contexts: &dyn Contexts) -> Vec<Item> {
    match item {
        Item::Template(template) => contexts.expand(&template),
        item => vec![item],
    }
}
