//! Scripts: an arbitrary text as a script, a Makefile, a justfile, a `RUN` and a heredoc.

use super::dockerfile;

/// See the module.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for name in ["a.sh", "Makefile", "justfile"] {
        dockerfile::check_file(name, &text);
    }
    dockerfile::check(&format!("FROM a\nRUN <<END_OF_RUN\n{text}\nEND_OF_RUN\n"));
    dockerfile::check_file("a.sh", &format!("bash <<-END_OF_SCRIPT\n\t{text}\nEND_OF_SCRIPT\n"));
    check_behind(&text);
}

/// What stands on the lines before a script hides nothing behind it, once it is ended.
fn check_behind(text: &str) {
    if text.contains(['\'', '"', '`', '(', '{', '[', '\\', '<', '$', '#', '=']) {
        return;
    }
    // A word of these may begin something that goes on in the next line.
    let opens = |word: &str| matches!(word, "case" | "for" | "select" | "exit" | "return");
    if text.split(|char: char| !char.is_ascii_alphanumeric()).any(opens) {
        return;
    }
    let extracted = dockerfile::check_file("a.sh", &format!("{text}\n:\ndocker pull alpine:3\n"));
    assert!(extracted.uses.iter().any(|usage| usage.raw == "alpine:3"), "the command behind is found");
}
