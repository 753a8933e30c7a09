//! The REST API: which handler answers which path, and what all handlers share.

mod apps;
mod branches;
mod checks;
mod comments;
mod contents;
mod hooks;
mod pages;
mod pulls;
mod rules;
mod teams;

pub(super) use pulls::totals;

use std::sync::Mutex;

use super::answer::Answer;
use super::answer::Request;
use super::auth;
use super::auth::App;
use super::auth::Needs;
use super::auth::Reach;
use super::git::Git;
use super::limits;
use super::shape::Shapes;
use super::state::Repository;
use super::state::State;
use super::state::Token;
use super::webhook::Deliveries;
use crate::clock::TimestampMs;
use crate::ids::InstallationId;

/// One call under way.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) state: &'a mut State,
    pub(super) app: &'a App,
    pub(super) shapes: Shapes<'a>,
    /// The stand-in's clock.
    pub(super) now_ms: TimestampMs,
    /// The clock that JWTs are judged by.
    pub(super) jwt_now_ms: TimestampMs,
    pub(super) hourly_limit: u32,
    /// Entries of a recursive tree, past which it is truncated.
    pub(super) tree_limit: usize,
    pub(super) deliveries: &'a Mutex<Deliveries>,
    /// Where deliveries go.
    pub(super) webhook_url: &'a str,
    /// Whose token was presented, once that is known.
    pub(super) caller: Option<InstallationId>,
}

/// What a handler gives: an answer, or the answer that refuses.
pub(super) type Outcome = Result<Answer, Answer>;

type Handler<'a> = Box<dyn FnOnce(&mut Call<'_>) -> Outcome + 'a>;

/// Who answers a path, and the path as GitHub's description writes it.
pub(super) struct Route<'a> {
    pub(super) template: &'static str,
    pub(super) handler: Handler<'a>,
}

/// Finds the handler of a request.
pub(super) fn route(request: &Request) -> Option<Route<'_>> {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let found = |template, handler| Some(Route { template, handler });
    match segments.as_slice() {
        ["repos", owner, name, rest @ ..] => in_repository(request, owner, name, rest),
        ["app"] if request.method == "GET" => found("/app", Box::new(apps::get)),
        ["app", "installations", id, "access_tokens"] if request.method == "POST" => {
            let id = (*id).to_owned();
            found(
                "/app/installations/{installation_id}/access_tokens",
                Box::new(move |call| apps::mint(call, &id)),
            )
        }
        ["app", "installations"] if request.method == "GET" => {
            found("/app/installations", Box::new(apps::installations))
        }
        ["app", "hook", "config"] if request.method == "GET" => {
            found("/app/hook/config", Box::new(hooks::config))
        }
        ["rate_limit"] if request.method == "GET" => found("/rate_limit", Box::new(apps::rate_limit)),
        ["app", "hook", "deliveries"] if request.method == "GET" => {
            found("/app/hook/deliveries", Box::new(hooks::list))
        }
        ["app", "hook", "deliveries", id, "attempts"] if request.method == "POST" => {
            let id = parse(id);
            found(
                "/app/hook/deliveries/{delivery_id}/attempts",
                Box::new(move |call| hooks::redeliver(call, id)),
            )
        }
        ["app", "installations", id] if request.method == "GET" => {
            let id = (*id).to_owned();
            found("/app/installations/{installation_id}", Box::new(move |call| apps::installation(call, &id)))
        }
        ["orgs", organisation, "teams", team, "memberships", login] if request.method == "GET" => {
            let (team, login) = (format!("{organisation}/{team}"), (*login).to_owned());
            found(
                "/orgs/{org}/teams/{team_slug}/memberships/{username}",
                Box::new(move |call| teams::membership(call, &team, &login)),
            )
        }
        ["installation", "repositories"] if request.method == "GET" => {
            found("/installation/repositories", Box::new(apps::repositories))
        }
        _ => None,
    }
}

/// Matches what follows `/repos/{owner}/{repo}`.
fn in_repository<'a>(request: &Request, owner: &str, name: &str, rest: &[&str]) -> Option<Route<'a>> {
    let at = (owner.to_owned(), name.to_owned());
    // A handler outlives the borrowed parts of the path, so it takes its own.
    macro_rules! to {
        ($template:literal, $handler:path $(, $part:expr)*) => {
            Some(Route {
                template: concat!("/repos/{owner}/{repo}", $template),
                handler: Box::new({
                    #[allow(unused_parens, reason = "the same text takes no part, one or several")]
                    let parts = ($($part),*);
                    move |call| $handler(call, &at.0, &at.1, parts)
                }),
            })
        };
    }
    let get = request.method == "GET";
    let post = request.method == "POST";
    let patch = request.method == "PATCH";
    let delete = request.method == "DELETE";
    match rest {
        [] if get => to!("", apps::repository),
        ["installation"] if get => to!("/installation", apps::repository_installation),
        ["rules", "branches", branch @ ..] if get => {
            to!("/rules/branches/{branch}", branches::rules, branch.join("/"))
        }
        ["branches", branch @ ..] if get => to!("/branches/{branch}", branches::get, branch.join("/")),
        ["pulls"] if get => to!("/pulls", pulls::list),
        ["pulls", number] if get => to!("/pulls/{pull_number}", pulls::get, parse(number)),
        ["pulls", number, "files"] if get => to!("/pulls/{pull_number}/files", pulls::files, parse(number)),
        ["compare", basehead @ ..] if get => {
            to!("/compare/{basehead}", contents::compare, basehead.join("/"))
        }
        ["git", "blobs", sha] if get => to!("/git/blobs/{file_sha}", contents::blob, (*sha).to_owned()),
        ["git", "trees", tree @ ..] if get => to!("/git/trees/{tree_sha}", contents::tree, tree.join("/")),
        ["contents", path @ ..] if get => to!("/contents/{path}", contents::contents, path.join("/")),
        ["check-runs"] if post => to!("/check-runs", checks::create),
        ["check-runs", id] if get => to!("/check-runs/{check_run_id}", checks::get, parse(id)),
        ["check-runs", id] if patch => to!("/check-runs/{check_run_id}", checks::update, parse(id)),
        ["check-runs", id, "annotations"] if get => {
            to!("/check-runs/{check_run_id}/annotations", checks::annotations, parse(id))
        }
        ["commits", reference @ .., "check-runs"] if get => {
            to!("/commits/{ref}/check-runs", checks::list, reference.join("/"))
        }
        ["commits", sha, "pulls"] if get => {
            to!("/commits/{commit_sha}/pulls", pulls::of_commit, (*sha).to_owned())
        }
        ["issues", "comments", id] if get => to!("/issues/comments/{comment_id}", comments::get, parse(id)),
        ["issues", "comments", id] if patch => {
            to!("/issues/comments/{comment_id}", comments::update, parse(id))
        }
        ["issues", "comments", id] if delete => {
            to!("/issues/comments/{comment_id}", comments::delete, parse(id))
        }
        ["issues", number, "comments"] if get => {
            to!("/issues/{issue_number}/comments", comments::list, parse(number))
        }
        ["issues", number, "comments"] if post => {
            to!("/issues/{issue_number}/comments", comments::create, parse(number))
        }
        _ => None,
    }
}

/// A number in a path; what is none names nothing, and no id is 0.
fn parse(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

impl Call<'_> {
    /// Lets the App through by its JWT.
    fn as_app(&self) -> Result<(), Answer> {
        auth::app(self.request, self.app, self.jwt_now_ms)
    }

    /// Lets an installation through by its token, and counts the request.
    fn as_installation(&mut self) -> Result<Token, Answer> {
        let token = auth::token(self.request, self.state, self.now_ms)?;
        if self.caller.is_none() {
            self.caller = Some(token.installation);
            limits::spend(self.state, token.installation, "core", 1, self.hourly_limit, self.now_ms)?;
        }
        Ok(token)
    }

    /// A repository that the caller may use so; what it may not see is not found.
    fn repository(&mut self, owner: &str, name: &str, needs: Needs) -> Result<Repository, Answer> {
        let token = self.as_installation()?;
        let repository = self.state.repository(owner, name).cloned().ok_or_else(Answer::not_found)?;
        match auth::reach(&token, self.state, &repository) {
            Reach::Granted if needs.write && repository.archived => {
                Err(Answer::error(403, "Repository was archived so is read-only."))
            }
            Reach::Granted if needs.met_by(&token.permissions) => Ok(repository),
            Reach::PublicOnly if !needs.write => Ok(repository),
            Reach::Granted | Reach::PublicOnly => Err(Answer::forbidden()),
            Reach::Hidden => Err(Answer::not_found()),
        }
    }
}

/// Opens a repository's objects. A folder that is gone since it was added is the operator's doing, shown as GitHub's 500.
fn open(repository: &Repository) -> Result<Git, Answer> {
    Git::open(&repository.path).ok_or_else(|| Answer::error(500, "Server Error"))
}
