//! The GraphQL API.

use fromguard::standin::repository::Change;
use serde_json::Value;
use serde_json::json;

use super::World;

#[tokio::test]
async fn one_query_reads_a_pull_request_with_aliases_variables_and_fragments() {
    let world = World::start().await;
    let pull = world.open();
    world.github.comment_as(&pull, "someone", "first").unwrap();
    let comment = json!({"body": "ours"});
    world.call("POST", "/repos/acme/shop/issues/1/comments", Some(&comment)).await.expect(201);
    let query = "
        query Change($owner: String!, $name: String!, $number: Int!, $path: String!, $comments: Boolean = true) {
          repository(owner: $owner, name: $name) {
            ...place
            pullRequest(number: $number) {
              number state isDraft isCrossRepository mergeStateStatus headRefOid baseRefOid headRefName baseRefName changedFiles
              author { login __typename }
              headRepository { nameWithOwner }
              baseRef { name target { oid ... on Commit { file(path: $path) { ...entry } missing: file(path: \"no\") { mode } } } }
              files(first: 1) { totalCount nodes { path changeType additions deletions } pageInfo { hasNextPage endCursor } }
              comments(last: 1) @include(if: $comments) {
                totalCount
                nodes { fullDatabaseId body viewerDidAuthor author { login ... on Bot { id } } }
                pageInfo { hasPreviousPage startCursor }
              }
              commits(last: 100) { nodes { commit { oid parents(first: 10) { nodes { oid } } } } }
            }
          }
          rateLimit { cost remaining }
        }
        fragment place on Repository { id databaseId isPrivate defaultBranchRef { name } owner { login } }
        fragment entry on TreeEntry { mode type object { __typename ... on Blob { oid text isBinary isTruncated byteSize } } }";
    let variables = json!({"owner": "acme", "name": "shop", "number": 1, "path": "Dockerfile"});
    let answer = world.query(query, variables).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let repository = &answer["data"]["repository"];
    assert_eq!(repository["defaultBranchRef"]["name"], "main");
    assert!(repository["databaseId"].is_number());
    let found = &repository["pullRequest"];
    assert_eq!(found["headRefOid"], world.github.head(&pull).unwrap().0.as_str());
    let target = &found["baseRef"]["target"];
    assert_eq!(target["file"]["object"]["text"], "FROM alpine:3.19\nRUN true\n");
    assert_eq!((target["file"]["mode"].as_u64(), &target["missing"]), (Some(0o100_644), &Value::Null));
    assert_eq!(
        found["files"]["nodes"][0],
        json!({"path": "Dockerfile", "changeType": "MODIFIED", "additions": 1, "deletions": 1})
    );
    assert_eq!(found["comments"]["totalCount"], 2);
    assert_eq!(found["comments"]["nodes"][0]["author"]["login"], "fromguard");
    assert_eq!(found["comments"]["nodes"][0]["viewerDidAuthor"], true);
    assert_eq!(found["comments"]["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(found["commits"]["nodes"][0]["commit"]["parents"]["nodes"][0]["oid"], found["baseRefOid"]);
    assert_eq!(answer["data"]["rateLimit"]["cost"], 1);
}

#[tokio::test]
async fn blobs_are_cut_at_512_000_bytes_and_binary_ones_have_no_text() {
    let mut world = World::start().await;
    let mut large = vec![b'a'; 511_999];
    large.extend("é and more".as_bytes());
    let exact = vec![b'a'; 512_000];
    let head = world
        .git
        .commit(
            "main",
            "Blobs",
            &[
                ("large", Change::File(&large)),
                ("exact", Change::File(&exact)),
                ("binary", Change::File(b"a\0b")),
                ("sub", Change::Submodule(&"3".repeat(40))),
            ],
        )
        .unwrap();
    let query = "query($head: GitObjectID!) { repository(owner: \"acme\", name: \"shop\") { object(oid: $head) { ... on Commit {
        large: file(path: \"large\") { ...b } exact: file(path: \"exact\") { ...b } binary: file(path: \"binary\") { ...b }
        link: file(path: \"link\") { ...b } sub: file(path: \"sub\") { ...b } through: file(path: \"link/x\") { ...b } } } } }
        fragment b on TreeEntry { mode type object { ... on Blob { text isBinary isTruncated byteSize } } }";
    let answer = world.query(query, json!({"head": head})).await;
    let files = &answer["data"]["repository"]["object"];
    let large = &files["large"]["object"];
    // The character that would be split is left away whole.
    assert_eq!(large["text"].as_str().unwrap().len(), 511_999);
    assert_eq!((&large["isTruncated"], large["byteSize"].as_u64()), (&json!(true), Some(512_009 + 1)));
    assert_eq!(files["exact"]["object"]["isTruncated"], false);
    assert_eq!(files["exact"]["object"]["text"].as_str().unwrap().len(), 512_000);
    assert_eq!(
        files["binary"]["object"],
        json!({"text": null, "isBinary": true, "isTruncated": false, "byteSize": 3})
    );
    assert_eq!(
        (files["link"]["mode"].as_u64(), &files["link"]["object"]["text"]),
        (Some(0o120_000), &json!("docs/guide.md"))
    );
    assert_eq!(files["sub"], json!({"mode": 0o160_000, "type": "commit", "object": null}));
    assert_eq!(files["through"], Value::Null);
}

#[tokio::test]
async fn what_is_missing_is_null_beside_the_rest() {
    let world = World::start().await;
    let query =
        "{ shop: repository(owner: \"acme\", name: \"shop\") { name pullRequest(number: 7) { number } }
                   org: repository(owner: \"acme\", name: \".github\") { name } }";
    let answer = world.query(query, json!({})).await;
    assert_eq!(answer["data"], json!({"shop": {"name": "shop", "pullRequest": null}, "org": null}));
    assert_eq!(answer["errors"][0]["type"], "NOT_FOUND");
    assert_eq!(answer["errors"][1]["path"], json!(["org"]));
}

#[tokio::test]
async fn a_token_without_the_permission_gets_forbidden_in_a_200() {
    let world = World::start().await;
    let minted = world.mint(&json!({"permissions": {"pull_requests": "read"}})).await.expect(201);
    let query = json!({"query": "{ repository(owner: \"acme\", name: \"shop\") { name object(expression: \"main:Dockerfile\") { oid } } }"});
    let answer =
        world.as_token(minted["token"].as_str().unwrap(), "POST", "/graphql", Some(&query)).await.expect(200);
    assert_eq!(answer["data"]["repository"], json!({"name": "shop", "object": null}));
    assert_eq!(answer["errors"][0]["type"], "FORBIDDEN");
    world.as_token("ghs_wrong", "POST", "/graphql", Some(&query)).await.expect(401);
}

#[tokio::test]
async fn a_query_that_does_not_fit_the_schema_gets_no_data() {
    let world = World::start().await;
    world.open();
    let refused = async |query: &str| -> Value {
        let answer = world.query(query, json!({})).await;
        assert_eq!(answer.get("data"), None, "{answer}");
        answer["errors"][0].clone()
    };
    let undefined = refused("{ repository(owner: \"acme\", name: \"shop\") { name stars } }").await;
    assert_eq!(
        undefined["extensions"],
        json!({"code": "undefinedField", "typeName": "Repository", "fieldName": "stars"})
    );
    let unbounded =
        "{ repository(owner: \"acme\", name: \"shop\") { pullRequest(number: 1) { files { totalCount } } } }";
    assert_eq!(refused(unbounded).await["type"], "MISSING_PAGINATION_BOUNDARIES");
    let excessive = unbounded.replace("files", "files(first: 101)");
    assert_eq!(refused(&excessive).await["type"], "EXCESSIVE_PAGINATION");
    let missing = refused("query($n: String!) { repository(owner: \"acme\", name: $n) { name } }").await;
    assert!(missing["message"].as_str().unwrap().contains("invalid value"), "{missing}");
    refused("{ repository(owner: \"acme\", name: \"shop\") ").await;
    refused("{ rateLimit { ...round } } fragment round on RateLimit { ...round }").await;
    // Page sizes are GitHub's own rule; the rest breaks the published schema as well.
    assert_eq!(world.contract.take().len(), 4);
}

#[tokio::test]
async fn pages_follow_their_cursors() {
    let mut world = World::start().await;
    let names: Vec<String> = (0..5).map(|number| format!("n{number}")).collect();
    let changes: Vec<(&str, Change<'_>)> =
        names.iter().map(|name| (name.as_str(), Change::File(b"n\n"))).collect();
    world.git.commit("topic", "Five", &changes).unwrap();
    world.open();
    let query =
        "query($after: String) { repository(owner: \"acme\", name: \"shop\") { pullRequest(number: 1) {
        files(first: 4, after: $after) { nodes { path } pageInfo { hasNextPage endCursor } } } } }";
    let first = world.query(query, json!({"after": null})).await;
    let files = &first["data"]["repository"]["pullRequest"]["files"];
    assert_eq!(
        (files["nodes"].as_array().unwrap().len(), &files["pageInfo"]["hasNextPage"]),
        (4, &json!(true))
    );
    let second = world.query(query, json!({"after": files["pageInfo"]["endCursor"]})).await;
    let files = &second["data"]["repository"]["pullRequest"]["files"];
    assert_eq!(files["nodes"], json!([{"path": "n3"}, {"path": "n4"}]));
    assert_eq!(files["pageInfo"]["hasNextPage"], false);
}
