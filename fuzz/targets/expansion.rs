//! Expansion: an arbitrary word as the default of an `ARG`, as a base, and as
//! the name in every operator.
//!
//! The first byte chooses the escape character and what `$V` is; the rest is the word.

use fromguard_core::image::ImageRef;
use fromguard_core::image::Target;

use super::dockerfile;

const VALUES: [&str; 4] = ["ARG V\n", "ARG V=\n", "ARG V=registry.example.com/team/app:1.2\n", ""];

/// See the module.
pub fn run(data: &[u8]) {
    let Some((choice, word)) = data.split_first() else { return };
    // A newline would end the instruction that the word is put in.
    let word = String::from_utf8_lossy(word).replace(['\n', '\r'], " ");
    let escape = if choice & 4 == 0 { "" } else { "# escape=`\n" };
    let value = VALUES[usize::from(choice & 3)];

    dockerfile::check(&format!("{escape}{value}FROM {word}\n"));
    dockerfile::check(&format!("{escape}{value}ARG W={word}\nARG X=a${{W}}b\nFROM $W AS a\nFROM $X\n"));
    dockerfile::check(&format!(
        "{escape}{value}FROM ${{V:-{word}}} AS a\nFROM ${{V#{word}}} AS b\nFROM ${{V%%{word}}}\nFROM ${{V//{word}/x}}\n"
    ));
    dockerfile::check(&format!("{escape}FROM a AS a\nRUN --mount=from={word} x\nCOPY --from={word} a b\n"));
    check_plain(&word);
}

/// A word that expansion has nothing to do with is the reference itself.
fn check_plain(word: &str) {
    let Ok(image) = ImageRef::parse(word) else { return };
    if word == "scratch" {
        return;
    }
    let extracted = dockerfile::check(&format!("ARG W={word}\nFROM {word}\nFROM $W\nFROM ${{Z:-{word}}}\n"));
    assert_eq!(extracted.uses.len(), 3, "three bases name it");
    for usage in &extracted.uses {
        assert_eq!(usage.targets, [Target::Image(image.clone())]);
    }
}
