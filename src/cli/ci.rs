//! What a CI service says of the pull request that it runs for.

/// Variables that hold the target branch, set for pull requests only.
const TARGET_BRANCH_VARIABLES: &[&str] = &[
    // GitHub Actions: "only set when the event is pull_request or pull_request_target".
    "GITHUB_BASE_REF",
    // GitLab CI: available when the pipeline is a merge request pipeline.
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    // Bitbucket Pipelines: only on a pull-request-triggered build.
    "BITBUCKET_PR_DESTINATION_BRANCH",
    // Azure Pipelines: `refs/heads/main`, or the name alone.
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    // Jenkins: multibranch projects, change requests.
    "CHANGE_TARGET",
    // Buildkite: empty or unset without a pull request.
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    // Woodpecker: target branch of a pull request event.
    "CI_COMMIT_TARGET_BRANCH",
];

/// The branch that a pull request is to be merged into, when this runs for one.
pub(super) fn target_branch(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    TARGET_BRANCH_VARIABLES
        .iter()
        .filter_map(|name| variable(name))
        .map(|branch| branch.trim_start_matches("refs/heads/").to_owned())
        .find(|branch| !branch.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_set_and_empty_is_no_pull_request() {
        // GitHub Actions sets it empty on a push.
        assert_eq!(target_branch(|name| (name == "GITHUB_BASE_REF").then(String::new)), None);
    }

    #[test]
    fn azure_writes_the_whole_name_of_the_ref() {
        let azure =
            |name: &str| (name == "SYSTEM_PULLREQUEST_TARGETBRANCH").then(|| "refs/heads/main".to_owned());
        assert_eq!(target_branch(azure).as_deref(), Some("main"));
    }
}
