//! Makes a text as small as it can be while something still holds of it.

/// The smallest text found of which `holds` still holds: whole lines go first,
/// then words, then characters (delta debugging: halves, quarters, and so on).
pub(crate) fn shrink(text: &str, mut holds: impl FnMut(&str) -> bool) -> String {
    let mut smallest = text.to_owned();
    loop {
        let before = smallest.len();
        for split in [lines, words, characters] {
            smallest = reduce(&smallest, split, &mut holds);
        }
        if smallest.len() == before {
            return smallest;
        }
    }
}

fn reduce(text: &str, split: fn(&str) -> Vec<&str>, holds: &mut impl FnMut(&str) -> bool) -> String {
    let mut parts: Vec<String> = split(text).into_iter().map(str::to_owned).collect();
    let mut size = parts.len().div_ceil(2);
    while size > 0 && !parts.is_empty() {
        let mut at = 0;
        while at < parts.len() {
            let end = (at + size).min(parts.len());
            let without: String = parts[..at].iter().chain(&parts[end..]).map(String::as_str).collect();
            if holds(&without) {
                parts.drain(at..end);
            } else {
                at = end;
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    parts.concat()
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split_inclusive(|character: char| !character.is_alphanumeric()).collect()
}

fn characters(text: &str) -> Vec<&str> {
    text.char_indices().map(|(at, character)| &text[at..at + character.len_utf8()]).collect()
}

#[cfg(test)]
mod tests {
    use super::shrink;

    #[test]
    fn what_holds_it_stays_and_nothing_else() {
        let text = "FROM a AS b\nRUN one two\nCOPY --from=b x y\n".repeat(9);
        assert_eq!(shrink(&text, |text| text.contains("--from") && text.contains("one")), "one--from");
        assert_eq!(shrink(&text, |_| true), "");
    }
}
