//! CEL's own conformance tests, as far as they speak of what rules have: an
//! expression gives what CEL says, or does not load.

use super::*;

/// `expression  ⇒  value`; `refused` in front where rules leave something out.
const TABLE: &str = include_str!("conformance.txt");

#[test]
fn an_expression_gives_what_cel_says_or_does_not_load() {
    let usage = usage("node:24");
    let circumstances = Circumstances::default();
    let subject =
        Subject { usage: &usage, origin: None, whole: false, tier: None, circumstances: &circumstances };
    let (mut wrong, mut agreed) = (String::new(), 0);
    for row in TABLE.lines().filter(|row| row.contains("  ⇒  ")) {
        let (expression, value) = row.split_once("  ⇒  ").unwrap();
        let (refused, expression) = match expression.strip_prefix("refused  ") {
            Some(expression) => (true, expression),
            None => (false, expression),
        };
        let asked = match value {
            "true" | "false" | "error" => expression.to_owned(),
            value => format!("({expression}) == {value}"),
        };
        // An error of another type than `bool` is one in whatever reads it.
        let read = Expression::read(&asked).or_else(|_| Expression::read(&format!("({asked}) == 1")));
        let found = read.map(|expression| expression.run(&subject));
        let wanted = match value {
            "error" => Ok(None),
            "false" => Ok(Some(false)),
            _ => Ok(Some(true)),
        };
        match (refused, found) {
            (true, Err(_)) => {}
            (false, found) if found == wanted => agreed += 1,
            (_, found) => wrong.push_str(&format!("{row}: {found:?}\n")),
        }
    }
    assert_eq!(wrong, "");
    assert!(agreed > 180, "{agreed}");
}
