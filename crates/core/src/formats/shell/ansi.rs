//! What `$'…'` holds: the escapes of C, as bash knows them.

/// The text that the inside of `$'…'` stands for.
pub(super) fn unescaped(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(char) = after.chars().next() else {
            text.push('\\');
            return text;
        };
        let behind = &after[char.len_utf8()..];
        let (made, length) = match char {
            'n' => ('\n', 0),
            't' => ('\t', 0),
            'r' => ('\r', 0),
            'a' => ('\u{7}', 0),
            'b' => ('\u{8}', 0),
            'e' | 'E' => ('\u{1b}', 0),
            'f' => ('\u{c}', 0),
            'v' => ('\u{b}', 0),
            'x' => code(behind, 16, 2),
            'u' => code(behind, 16, 4),
            'U' => code(behind, 16, 8),
            '0'..='7' => {
                let (made, length) = code(after, 8, 3);
                (made, length - 1)
            }
            other => (other, 0),
        };
        text.push(made);
        rest = &behind[length..];
    }
    text.push_str(rest);
    text
}

/// The character of the number at the beginning, and how many digits that has.
fn code(text: &str, radix: u32, most: usize) -> (char, usize) {
    let length = text.bytes().take(most).take_while(|byte| char::from(*byte).is_digit(radix)).count();
    let number = u32::from_str_radix(&text[..length], radix).ok();
    (number.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER), length)
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn knows_the_escapes() {
        assert_eq!(unescaped(r"a\tb\x41\101\u00e9\'"), "a\tbAA\u{e9}'");
        assert_eq!(unescaped(r"\q\xzz\"), "q\u{fffd}zz\\");
    }
}
