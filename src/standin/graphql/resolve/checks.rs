//! The fields of check suites and check runs.

use std::collections::BTreeSet;

use gix::ObjectId;
use serde_json::Value;

use super::Arguments;
use super::Field;
use super::Resolved;
use super::Resolver;
use super::connection;
use super::leaf;
use super::unresolved;
use crate::ids::RepositoryId;
use crate::standin::graphql::connection::page;
use crate::standin::graphql::node::Node;
use crate::standin::shape::node_id;
use crate::standin::state::CheckRun;

/// Whether a run is one that `filterBy` asks for.
fn wanted(run: &CheckRun, arguments: &Arguments) -> bool {
    let filter = |key: &str| arguments.get("filterBy").map(|filter| &filter[key]);
    filter("appId").and_then(Value::as_u64).is_none_or(|app| run.app == app)
        && filter("checkName").and_then(Value::as_str).is_none_or(|name| run.name == name)
        && filter("status")
            .and_then(Value::as_str)
            .is_none_or(|status| run.status.eq_ignore_ascii_case(status))
}

impl Resolver<'_, '_> {
    /// The suites of a commit, each App's own.
    pub(super) fn check_suites(
        &mut self,
        repository: RepositoryId,
        head: ObjectId,
        arguments: &Arguments,
    ) -> Field {
        let runs = self.call.state.check_runs.iter();
        let of_commit = runs.filter(|run| run.repository == repository && run.head == head);
        let suites: BTreeSet<u64> =
            of_commit.filter(|run| wanted(run, arguments)).map(|run| run.suite).collect();
        connection(page("CheckSuiteConnection", suites.into_iter().collect(), arguments, |suite| {
            Node::CheckSuite(repository, head, suite)
        }))
    }

    pub(super) fn check_suite(
        &mut self,
        repository: RepositoryId,
        head: ObjectId,
        suite: u64,
        name: &str,
        arguments: &Arguments,
    ) -> Field {
        match name {
            "id" => leaf(node_id("CS", suite)),
            "databaseId" => leaf(i32::try_from(suite).ok().map_or(Value::Null, Value::from)),
            "commit" => Ok(Resolved::Node(Node::Commit(repository, head))),
            "repository" => Ok(Resolved::Node(Node::Repository(repository))),
            "checkRuns" => {
                // Unless all are wanted, the newest of each name stands for all of them; the newest come first.
                let all = arguments.get("filterBy").is_some_and(|filter| filter["checkType"] == "ALL");
                let mut found: Vec<CheckRun> = Vec::new();
                for run in self.call.state.check_runs.iter().rev() {
                    let here = run.repository == repository && run.head == head && run.suite == suite;
                    let shadowed = !all && found.iter().any(|newer| newer.name == run.name);
                    if here && !shadowed && wanted(run, arguments) {
                        found.push(run.clone());
                    }
                }
                connection(page("CheckRunConnection", found, arguments, |run| Node::CheckRun(Box::new(run))))
            }
            _ => unresolved("CheckSuite", name),
        }
    }
}

pub(super) fn field(run: &CheckRun, name: &str) -> Field {
    let upper = |word: &String| word.to_ascii_uppercase();
    match name {
        "id" => leaf(node_id("CR", run.id.0)),
        "databaseId" => leaf(i32::try_from(run.id.0).ok().map_or(Value::Null, Value::from)),
        "name" => leaf(run.name.as_str()),
        "status" => leaf(upper(&run.status)),
        "conclusion" => leaf(run.conclusion.as_ref().map_or(Value::Null, |word| upper(word).into())),
        "externalId" => leaf(run.external_id.clone().map_or(Value::Null, Value::from)),
        "startedAt" => leaf(run.started_at.clone().map_or(Value::Null, Value::from)),
        _ => unresolved("CheckRun", name),
    }
}
