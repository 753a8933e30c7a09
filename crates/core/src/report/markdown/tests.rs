use super::*;

#[test]
fn a_list_takes_whole_entries_and_counts_what_is_missing() {
    let mut page = Page::new(TAIL_BYTES + 60);
    page.list((0..10).map(|number| format!("- é{number}é{number}é{number}\n")), 0, "");
    let text = page.finish();
    assert!(text.len() <= TAIL_BYTES + 60);
    assert_eq!(text.lines().last(), Some("- … and 5 more"));
    assert_eq!(text.lines().count(), 6);
}

#[test]
fn a_text_is_cut_in_bytes_and_never_within_a_character() {
    assert_eq!(cut("éé".to_owned(), 4), "éé");
    assert_eq!(cut("ééé".to_owned(), 6), "ééé");
    assert_eq!(cut("éééé".to_owned(), 6), "é…");
    assert_eq!(cut("日本語日本語".to_owned(), 10), "日本…");
}
