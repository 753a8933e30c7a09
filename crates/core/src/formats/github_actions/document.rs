//! A workflow or an action as its jobs and steps, and the environment of each.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax>,
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax>.

use std::cell::OnceCell;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::yaml::Mapping;
use crate::yaml::Node;

use super::matrix::Combination;

/// A job of a workflow.
pub(super) struct Job<'a> {
    pub(super) id: &'a str,
    pub(super) mapping: Mapping<'a>,
    /// The combinations of its matrix, by the world that they were made for.
    pub(super) combinations: RefCell<Vec<(usize, Rc<[Combination]>)>>,
    /// Whether its matrix may hold what a caller gives.
    pub(super) matrix_asks: OnceCell<bool>,
}

/// A step of a job or of a composite action.
pub(super) struct Step<'a> {
    pub(super) mapping: Mapping<'a>,
    pub(super) job: Option<Rc<Job<'a>>>,
    /// The `env` that it sees, nearest first.
    pub(super) env: Vec<Mapping<'a>>,
}

/// One document of a file.
pub(super) struct Document<'a> {
    pub(super) root: Node<'a>,
    pub(super) jobs: Vec<Rc<Job<'a>>>,
    /// The first job of each id, in lower case.
    by_id: HashMap<String, Rc<Job<'a>>>,
}

impl<'a> Document<'a> {
    pub(super) fn new(root: Node<'a>) -> Document<'a> {
        let entries = root.at(&["jobs"]).and_then(Node::map).map(Mapping::merged).unwrap_or_default();
        let jobs: Vec<Rc<Job<'a>>> = entries
            .into_iter()
            .filter_map(|(key, job)| {
                let (id, mapping) = (key.text()?, job.map()?);
                Some(Rc::new(Job {
                    id,
                    mapping,
                    combinations: RefCell::default(),
                    matrix_asks: OnceCell::new(),
                }))
            })
            .collect();
        let mut by_id = HashMap::new();
        for job in &jobs {
            by_id.entry(job.id.to_ascii_lowercase()).or_insert_with(|| Rc::clone(job));
        }
        Document { root, jobs, by_id }
    }

    /// The job of an id.
    pub(super) fn job(&self, id: &str) -> Option<&Rc<Job<'a>>> {
        self.by_id.get(&id.to_ascii_lowercase())
    }

    /// The `env` that a job sees, nearest first.
    pub(super) fn env_of(&self, job: &Job<'a>) -> Vec<Mapping<'a>> {
        let of_workflow = self.root.at(&["env"]).and_then(Node::map);
        job.mapping.find("env").and_then(Node::map).into_iter().chain(of_workflow).collect()
    }

    /// Every step, of jobs and of a composite action.
    pub(super) fn steps(&self) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let mut add = |list: Option<Node<'a>>, job: Option<&Rc<Job<'a>>>, env: Vec<Mapping<'a>>| {
            for mapping in list.into_iter().flat_map(Node::list).filter_map(Node::map) {
                let own = mapping.find("env").and_then(Node::map);
                let env = own.into_iter().chain(env.iter().copied()).collect();
                steps.push(Step { mapping, job: job.cloned(), env });
            }
        };
        for job in &self.jobs {
            add(job.mapping.find("steps"), Some(job), self.env_of(job));
        }
        add(self.root.at(&["runs", "steps"]), None, Vec::new());
        steps
    }
}
