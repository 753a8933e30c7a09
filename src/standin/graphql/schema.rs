//! The part of GitHub's schema that the stand-in answers; a test holds it
//! against the published schema. What is not here is an undefined field.

/// An object type or an interface.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) interfaces: &'static [&'static str],
    pub(super) fields: &'static [Field],
}

/// A field: its name, its arguments and its type as the schema writes it.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) arguments: &'static [&'static str],
    pub(super) kind: &'static str,
}

impl Field {
    /// The type without lists and exclamation marks.
    pub(super) fn base(&self) -> &'static str {
        self.kind.trim_matches(['[', ']', '!'])
    }

    /// Whether the field is a connection, which is paged and which costs.
    pub(super) fn is_connection(&self) -> bool {
        self.base().ends_with("Connection")
    }
}

const fn plain(name: &'static str, kind: &'static str) -> Field {
    Field { name, arguments: &[], kind }
}

const fn with(name: &'static str, arguments: &'static [&'static str], kind: &'static str) -> Field {
    Field { name, arguments, kind }
}

const PAGED: &[&str] = &["after", "before", "first", "last"];
const PULLS: &[&str] =
    &["states", "headRefName", "baseRefName", "orderBy", "labels", "after", "before", "first", "last"];

/// Every type known.
pub(super) const TYPES: &[Type] = &[
    Type {
        name: "Query",
        interfaces: &[],
        fields: &[
            with("repository", &["owner", "name", "followRenames"], "Repository"),
            with("rateLimit", &["dryRun"], "RateLimit"),
            plain("viewer", "User!"),
        ],
    },
    Type {
        name: "Mutation",
        interfaces: &[],
        fields: &[
            with("minimizeComment", &["input"], "MinimizeCommentPayload"),
            with("unminimizeComment", &["input"], "UnminimizeCommentPayload"),
        ],
    },
    Type {
        name: "MinimizeCommentPayload",
        interfaces: &[],
        fields: &[plain("clientMutationId", "String"), plain("minimizedComment", "Minimizable")],
    },
    Type {
        name: "UnminimizeCommentPayload",
        interfaces: &[],
        fields: &[plain("clientMutationId", "String"), plain("unminimizedComment", "Minimizable")],
    },
    Type {
        name: "Minimizable",
        interfaces: &[],
        fields: &[
            plain("isMinimized", "Boolean!"),
            plain("minimizedReason", "String"),
            plain("viewerCanMinimize", "Boolean!"),
        ],
    },
    Type { name: "Node", interfaces: &[], fields: &[plain("id", "ID!")] },
    Type {
        name: "GitObject",
        interfaces: &[],
        fields: &[
            plain("abbreviatedOid", "String!"),
            plain("id", "ID!"),
            plain("oid", "GitObjectID!"),
            plain("repository", "Repository!"),
        ],
    },
    Type {
        name: "Actor",
        interfaces: &[],
        fields: &[plain("login", "String!"), plain("resourcePath", "URI!"), plain("url", "URI!")],
    },
    Type {
        name: "Comment",
        interfaces: &[],
        fields: &[
            plain("author", "Actor"),
            plain("authorAssociation", "CommentAuthorAssociation!"),
            plain("body", "String!"),
            plain("createdAt", "DateTime!"),
            plain("id", "ID!"),
            plain("updatedAt", "DateTime!"),
            plain("viewerDidAuthor", "Boolean!"),
        ],
    },
    Type {
        name: "RepositoryOwner",
        interfaces: &[],
        fields: &[
            plain("id", "ID!"),
            plain("login", "String!"),
            plain("resourcePath", "URI!"),
            plain("url", "URI!"),
        ],
    },
    Type { name: "User", interfaces: &["Actor", "Node", "RepositoryOwner"], fields: ACCOUNT },
    Type { name: "Bot", interfaces: &["Actor", "Node"], fields: ACCOUNT },
    Type { name: "Organization", interfaces: &["Actor", "Node", "RepositoryOwner"], fields: ACCOUNT },
    Type {
        name: "Repository",
        interfaces: &["Node"],
        fields: &[
            plain("createdAt", "DateTime!"),
            plain("databaseId", "Int"),
            plain("defaultBranchRef", "Ref"),
            plain("id", "ID!"),
            plain("isArchived", "Boolean!"),
            plain("isDisabled", "Boolean!"),
            plain("isEmpty", "Boolean!"),
            plain("isFork", "Boolean!"),
            plain("isPrivate", "Boolean!"),
            with("mergeQueue", &["branch"], "MergeQueue"),
            plain("name", "String!"),
            plain("nameWithOwner", "String!"),
            with("object", &["oid", "expression"], "GitObject"),
            plain("owner", "RepositoryOwner!"),
            with("pullRequest", &["number"], "PullRequest"),
            with("pullRequests", PULLS, "PullRequestConnection!"),
            with("ref", &["qualifiedName"], "Ref"),
            with("refs", &["refPrefix", "after", "before", "first", "last"], "RefConnection"),
            plain("url", "URI!"),
        ],
    },
    Type {
        name: "Ref",
        interfaces: &["Node"],
        fields: &[
            with("associatedPullRequests", PULLS, "PullRequestConnection!"),
            plain("id", "ID!"),
            plain("name", "String!"),
            plain("prefix", "String!"),
            plain("repository", "Repository!"),
            plain("target", "GitObject"),
        ],
    },
    Type {
        name: "Commit",
        interfaces: &["GitObject", "Node"],
        fields: &[
            plain("abbreviatedOid", "String!"),
            with(
                "associatedPullRequests",
                &["after", "before", "first", "last", "orderBy"],
                "PullRequestConnection",
            ),
            with("checkSuites", &["filterBy", "after", "before", "first", "last"], "CheckSuiteConnection"),
            plain("committedDate", "DateTime!"),
            with("file", &["path"], "TreeEntry"),
            plain("id", "ID!"),
            plain("message", "String!"),
            plain("messageHeadline", "String!"),
            plain("oid", "GitObjectID!"),
            with("parents", PAGED, "CommitConnection!"),
            plain("repository", "Repository!"),
            plain("tree", "Tree!"),
        ],
    },
    Type {
        name: "Tree",
        interfaces: &["GitObject", "Node"],
        fields: &[
            plain("abbreviatedOid", "String!"),
            plain("entries", "[TreeEntry!]"),
            plain("id", "ID!"),
            plain("oid", "GitObjectID!"),
            plain("repository", "Repository!"),
        ],
    },
    Type {
        name: "TreeEntry",
        interfaces: &[],
        fields: &[
            plain("mode", "Int!"),
            plain("name", "String!"),
            plain("object", "GitObject"),
            plain("oid", "GitObjectID!"),
            plain("path", "String"),
            plain("repository", "Repository!"),
            plain("size", "Int!"),
            plain("type", "String!"),
        ],
    },
    Type {
        name: "Blob",
        interfaces: &["GitObject", "Node"],
        fields: &[
            plain("abbreviatedOid", "String!"),
            plain("byteSize", "Int!"),
            plain("id", "ID!"),
            plain("isBinary", "Boolean"),
            plain("isTruncated", "Boolean!"),
            plain("oid", "GitObjectID!"),
            plain("repository", "Repository!"),
            plain("text", "String"),
        ],
    },
    Type {
        name: "PullRequest",
        interfaces: &["Comment", "Node"],
        fields: &[
            plain("additions", "Int!"),
            plain("author", "Actor"),
            plain("authorAssociation", "CommentAuthorAssociation!"),
            plain("baseRef", "Ref"),
            plain("baseRefName", "String!"),
            plain("baseRefOid", "GitObjectID!"),
            plain("baseRepository", "Repository"),
            plain("body", "String!"),
            plain("changedFiles", "Int!"),
            plain("closed", "Boolean!"),
            with("comments", &["orderBy", "after", "before", "first", "last"], "IssueCommentConnection!"),
            with("commits", PAGED, "PullRequestCommitConnection!"),
            plain("createdAt", "DateTime!"),
            plain("databaseId", "Int"),
            plain("deletions", "Int!"),
            with("files", PAGED, "PullRequestChangedFileConnection"),
            plain("fullDatabaseId", "BigInt"),
            plain("headRef", "Ref"),
            plain("headRefName", "String!"),
            plain("headRefOid", "GitObjectID!"),
            plain("headRepository", "Repository"),
            plain("headRepositoryOwner", "RepositoryOwner"),
            plain("id", "ID!"),
            plain("isCrossRepository", "Boolean!"),
            plain("isDraft", "Boolean!"),
            plain("locked", "Boolean!"),
            with(
                "latestOpinionatedReviews",
                &["after", "before", "first", "last", "writersOnly"],
                "PullRequestReviewConnection",
            ),
            plain("mergeStateStatus", "MergeStateStatus!"),
            plain("mergeable", "MergeableState!"),
            plain("merged", "Boolean!"),
            plain("number", "Int!"),
            plain("repository", "Repository!"),
            plain("state", "PullRequestState!"),
            plain("title", "String!"),
            plain("updatedAt", "DateTime!"),
            plain("url", "URI!"),
            plain("viewerDidAuthor", "Boolean!"),
        ],
    },
    Type {
        name: "PullRequestReviewConnection",
        interfaces: &[],
        fields: &[
            plain("nodes", "[PullRequestReview]"),
            plain("pageInfo", "PageInfo!"),
            plain("totalCount", "Int!"),
        ],
    },
    Type {
        name: "PullRequestReview",
        interfaces: &["Comment", "Node"],
        fields: &[
            plain("author", "Actor"),
            plain("body", "String!"),
            plain("commit", "Commit"),
            plain("createdAt", "DateTime!"),
            plain("id", "ID!"),
            plain("pullRequest", "PullRequest!"),
            plain("repository", "Repository!"),
            plain("state", "PullRequestReviewState!"),
            plain("submittedAt", "DateTime"),
            plain("updatedAt", "DateTime!"),
        ],
    },
    Type {
        name: "PullRequestConnection",
        interfaces: &[],
        fields: &[
            plain("nodes", "[PullRequest]"),
            plain("pageInfo", "PageInfo!"),
            plain("totalCount", "Int!"),
        ],
    },
    Type {
        name: "PullRequestCommitConnection",
        interfaces: &[],
        fields: &[
            plain("nodes", "[PullRequestCommit]"),
            plain("pageInfo", "PageInfo!"),
            plain("totalCount", "Int!"),
        ],
    },
    Type {
        name: "PullRequestCommit",
        interfaces: &["Node"],
        fields: &[plain("commit", "Commit!"), plain("id", "ID!"), plain("pullRequest", "PullRequest!")],
    },
    Type {
        name: "CommitConnection",
        interfaces: &[],
        fields: &[plain("nodes", "[Commit]"), plain("pageInfo", "PageInfo!"), plain("totalCount", "Int!")],
    },
    Type { name: "RefConnection", interfaces: &[], fields: &[plain("nodes", "[Ref]"), PAGE, TOTAL] },
    Type {
        name: "MergeQueue",
        interfaces: &["Node"],
        fields: &[
            with("entries", PAGED, "MergeQueueEntryConnection"),
            plain("id", "ID!"),
            plain("repository", "Repository"),
        ],
    },
    Type {
        name: "MergeQueueEntryConnection",
        interfaces: &[],
        fields: &[plain("nodes", "[MergeQueueEntry]"), PAGE, TOTAL],
    },
    Type {
        name: "MergeQueueEntry",
        interfaces: &["Node"],
        fields: &[
            plain("baseCommit", "Commit"),
            plain("headCommit", "Commit"),
            plain("id", "ID!"),
            plain("position", "Int!"),
            plain("pullRequest", "PullRequest"),
        ],
    },
    Type {
        name: "CheckSuiteConnection",
        interfaces: &[],
        fields: &[plain("nodes", "[CheckSuite]"), PAGE, TOTAL],
    },
    Type {
        name: "CheckSuite",
        interfaces: &["Node"],
        fields: &[
            with("checkRuns", &["filterBy", "after", "before", "first", "last"], "CheckRunConnection"),
            plain("commit", "Commit!"),
            plain("databaseId", "Int"),
            plain("id", "ID!"),
            plain("repository", "Repository!"),
        ],
    },
    Type {
        name: "CheckRunConnection",
        interfaces: &[],
        fields: &[plain("nodes", "[CheckRun]"), PAGE, TOTAL],
    },
    Type {
        name: "CheckRun",
        interfaces: &["Node"],
        fields: &[
            plain("conclusion", "CheckConclusionState"),
            plain("databaseId", "Int"),
            plain("externalId", "String"),
            plain("id", "ID!"),
            plain("name", "String!"),
            plain("startedAt", "DateTime"),
            plain("status", "CheckStatusState!"),
        ],
    },
    Type {
        name: "PullRequestChangedFileConnection",
        interfaces: &[],
        fields: &[
            plain("nodes", "[PullRequestChangedFile]"),
            plain("pageInfo", "PageInfo!"),
            plain("totalCount", "Int!"),
        ],
    },
    Type {
        name: "PullRequestChangedFile",
        interfaces: &[],
        fields: &[
            plain("additions", "Int!"),
            plain("changeType", "PatchStatus!"),
            plain("deletions", "Int!"),
            plain("path", "String!"),
        ],
    },
    Type {
        name: "IssueCommentConnection",
        interfaces: &[],
        fields: &[
            plain("nodes", "[IssueComment]"),
            plain("pageInfo", "PageInfo!"),
            plain("totalCount", "Int!"),
        ],
    },
    Type {
        name: "IssueComment",
        interfaces: &["Comment", "Minimizable", "Node"],
        fields: &[
            plain("author", "Actor"),
            plain("authorAssociation", "CommentAuthorAssociation!"),
            plain("body", "String!"),
            plain("createdAt", "DateTime!"),
            plain("databaseId", "Int"),
            plain("fullDatabaseId", "BigInt"),
            plain("id", "ID!"),
            plain("isMinimized", "Boolean!"),
            plain("minimizedReason", "String"),
            plain("pullRequest", "PullRequest"),
            plain("repository", "Repository!"),
            plain("updatedAt", "DateTime!"),
            plain("url", "URI!"),
            plain("viewerCanMinimize", "Boolean!"),
            plain("viewerDidAuthor", "Boolean!"),
        ],
    },
    Type {
        name: "PageInfo",
        interfaces: &[],
        fields: &[
            plain("endCursor", "String"),
            plain("hasNextPage", "Boolean!"),
            plain("hasPreviousPage", "Boolean!"),
            plain("startCursor", "String"),
        ],
    },
    Type {
        name: "RateLimit",
        interfaces: &[],
        fields: &[
            plain("cost", "Int!"),
            plain("limit", "Int!"),
            plain("nodeCount", "Int!"),
            plain("remaining", "Int!"),
            plain("resetAt", "DateTime!"),
            plain("used", "Int!"),
        ],
    },
];

const PAGE: Field = plain("pageInfo", "PageInfo!");
const TOTAL: Field = plain("totalCount", "Int!");

const ACCOUNT: &[Field] = &[
    plain("databaseId", "Int"),
    plain("id", "ID!"),
    plain("login", "String!"),
    plain("resourcePath", "URI!"),
    plain("url", "URI!"),
];

/// The type of that name.
pub(super) fn find(name: &str) -> Option<&'static Type> {
    TYPES.iter().find(|known| known.name == name)
}

/// The field of a type; `__typename` is every composite type's.
pub(super) fn field(type_name: &str, field: &str) -> Option<&'static Field> {
    static TYPENAME: Field = plain("__typename", "String!");
    if field == "__typename" {
        return Some(&TYPENAME);
    }
    find(type_name)?.fields.iter().find(|known| known.name == field)
}

/// Whether an object of `type_name` is meant by a fragment on `condition`.
pub(super) fn applies(type_name: &str, condition: &str) -> bool {
    type_name == condition || find(type_name).is_some_and(|known| known.interfaces.contains(&condition))
}

#[cfg(test)]
mod tests {
    use super::TYPES;

    /// The published schema, as text: `FIELD(…): TYPE` inside `type NAME …{}`.
    const PUBLISHED: &str = include_str!("../../../tests/data/github/schema.graphql");

    #[test]
    fn every_field_is_in_the_published_schema_with_that_type() {
        for known in TYPES {
            let opening = |keyword: &str| {
                PUBLISHED.find(&format!("\n{keyword} {} ", known.name)).map(|at| &PUBLISHED[at + 1..])
            };
            let body = opening("type").or_else(|| opening("interface"));
            let body = body.unwrap_or_else(|| panic!("{} is not in the published schema", known.name));
            let body = &body[..body.find("\n}").expect("a type ends")];
            let (header, lines) = body.split_once('\n').expect("a type has fields");
            for interface in known.interfaces {
                assert!(header.contains(interface), "{} is no {interface}", known.name);
            }
            for field in known.fields {
                let line = lines
                    .lines()
                    .map(str::trim)
                    .find(|line| line.split(['(', ':']).next() == Some(field.name))
                    .unwrap_or_else(|| panic!("{}.{} is not published", known.name, field.name));
                let kind = line.rsplit(": ").next().expect("a field has a type");
                assert_eq!(kind, field.kind, "{}.{}", known.name, field.name);
                for argument in field.arguments {
                    assert!(line.contains(&format!("{argument}: ")), "{} has no {argument}", field.name);
                }
            }
        }
    }
}
