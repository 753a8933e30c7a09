//! What stands on default branches, and which of them are to be read.

use super::*;

fn image(image: &str, digest: Option<&str>) -> StandingImage {
    let digest = digest.map(str::to_owned);
    StandingImage { image: image.into(), digest, file: "Dockerfile".into(), line: 1, uses: 2 }
}

fn branch(head: char, images: Option<Vec<StandingImage>>) -> StandingBranch {
    StandingBranch { branch: "refs/heads/main".into(), head: sha(head), images }
}

async fn take(store: &Store, now_ms: i64) -> Stocktaking {
    store.claim_stock(now_ms, LEASE_MS).await.unwrap().expect("a branch is due")
}

async fn standing(store: &Store, installation: u64, digest: &str) -> Option<Vec<String>> {
    let standing = store.standing(InstallationId(installation), &[digest, "sha256:other"]).await.unwrap()?;
    Some(standing.get(digest).cloned().unwrap_or_default())
}

#[tokio::test]
async fn what_was_read_last_stands_there_for_its_installation() {
    let store = Store::for_tests().await;
    assert_eq!(standing(&store, 1, "sha256:a").await, None);
    store.want_stock(&[(place(1), 500), (place(1), 400), (place(2), 900)]).await.unwrap();
    assert_eq!(store.next_stock_ms().await.unwrap(), Some(400));
    assert_eq!(store.claim_stock(399, LEASE_MS).await.unwrap(), None);
    let taking = take(&store, 400).await;
    assert_eq!((taking.place.clone(), taking.head.clone()), (place(1), None));
    let images = vec![image("a/b@sha256:a", Some("sha256:a")), image("a/c:1", None)];
    store.finish_stock(&taking, &branch('a', Some(images)), 410).await.unwrap();
    assert_eq!(standing(&store, 1, "sha256:a").await, Some(vec!["a/b@sha256:a".into()]));
    assert_eq!(standing(&store, 1, "").await, Some(vec![]), "what has no digest is of none");
    assert_eq!(standing(&store, 2, "sha256:a").await, None, "of another installation nothing is told");

    // It stands where it stood; then it holds something else.
    store.want_stock(&[(place(1), 420)]).await.unwrap();
    let taking = take(&store, 420).await;
    assert_eq!(taking.head, Some(sha('a')));
    store.finish_stock(&taking, &branch('a', None), 430).await.unwrap();
    assert_eq!(standing(&store, 1, "sha256:a").await, Some(vec!["a/b@sha256:a".into()]));
    store.want_stock(&[(place(1), 440)]).await.unwrap();
    store.finish_stock(&take(&store, 440).await, &branch('b', Some(vec![])), 450).await.unwrap();
    assert_eq!(standing(&store, 1, "sha256:a").await, Some(vec![]));
}

#[tokio::test]
async fn a_push_while_a_branch_is_read_is_another_reading() {
    let store = Store::for_tests().await;
    store.want_stock(&[(place(1), 0)]).await.unwrap();
    let taking = take(&store, 0).await;
    store.want_stock(&[(place(1), 1)]).await.unwrap();
    assert_eq!(store.claim_stock(1, LEASE_MS).await.unwrap(), None);
    store.finish_stock(&taking, &branch('a', Some(vec![])), 2).await.unwrap();
    let again = take(&store, 2).await;
    assert_eq!((again.head.clone(), again.attempts), (Some(sha('a')), 0));

    // Whoever lost the lease writes nothing down.
    let other = take(&store, 2 + LEASE_MS).await;
    let images = vec![image("a/b@sha256:a", Some("sha256:a"))];
    store.finish_stock(&again, &branch('c', Some(images)), 3 + LEASE_MS).await.unwrap();
    assert_eq!(standing(&store, 1, "sha256:a").await, Some(vec![]));
    store.retry_stock(&other, Some(9 + LEASE_MS)).await.unwrap();
    assert_eq!(store.next_stock_ms().await.unwrap(), Some(9 + LEASE_MS));
    let other = take(&store, 9 + LEASE_MS).await;
    assert_eq!(other.attempts, 2);
    store.retry_stock(&other, None).await.unwrap();
    assert_eq!(store.next_stock_ms().await.unwrap(), None);
}

#[tokio::test]
async fn what_is_left_or_gone_stands_nowhere() {
    let store = Store::for_tests().await;
    for installation in [1, 2, 3] {
        store.want_stock(&[(place(installation), 0)]).await.unwrap();
        let images = vec![image("a/b@sha256:a", Some("sha256:a"))];
        store.finish_stock(&take(&store, 0).await, &branch('a', Some(images)), 0).await.unwrap();
    }
    let leave = Leave { installation: InstallationId(1), repositories: None };
    store.record(Delivery { guid: "g".into(), ask: Ask::Leave(leave) }, 1).await.unwrap();
    assert_eq!(standing(&store, 1, "sha256:a").await, None);
    let leave = Leave { installation: InstallationId(2), repositories: Some(vec![RepositoryId(5)]) };
    store.record(Delivery { guid: "h".into(), ask: Ask::Leave(leave) }, 2).await.unwrap();
    assert_eq!(standing(&store, 2, "sha256:a").await, Some(vec!["a/b@sha256:a".into()]));
    store.want_stock(&[(place(3), 3)]).await.unwrap();
    store.clear_stock(&take(&store, 3).await).await.unwrap();
    assert_eq!(standing(&store, 3, "sha256:a").await, None);
}

#[tokio::test]
async fn what_stands_somewhere_is_looked_at_the_longest_ago_first() {
    let store = Store::for_tests().await;
    for installation in [1, 2] {
        store.want_stock(&[(place(installation), 0)]).await.unwrap();
        let images = vec![image("a/b:1", None), image("a/c:1", None)];
        store.finish_stock(&take(&store, 0).await, &branch('a', Some(images)), 0).await.unwrap();
    }
    let due = async |before_ms| {
        let due = store.looks_due(before_ms, 10).await.unwrap();
        due.into_iter().map(|due| (due.installation.0, due.image, due.drift)).collect::<Vec<_>>()
    };
    assert_eq!(due(1).await.len(), 4, "each installation's own");
    for (at_ms, mut look) in (100..).zip(store.looks_due(1, 10).await.unwrap()) {
        look.looked_ms = at_ms;
        look.drift = format!("[{at_ms}]");
        store.keep_look(&look).await.unwrap();
    }
    assert_eq!(due(100).await, []);
    let oldest = &due(102).await;
    assert_eq!((oldest.len(), &*oldest[0].2, &*oldest[1].2), (2, "[100]", "[101]"));
    assert_eq!(store.looks_due(i64::MAX, 3).await.unwrap().len(), 3);

    // What stands nowhere is not looked at, and forgotten after a while.
    store.want_stock(&[(place(1), 0)]).await.unwrap();
    store.finish_stock(&take(&store, 0).await, &branch('b', Some(vec![])), 0).await.unwrap();
    assert_eq!(due(i64::MAX).await.len(), 2);
    assert_eq!(store.prune(0).await.unwrap(), 0);
    assert_eq!(store.prune(31 * 86_400_000).await.unwrap(), 2);
}
