//! Numbers as a build argument gets them: YAML reads `1.20` as a number, and Go
//! prints it as `1.2`.
//!
//! After `resolve` in `go.yaml.in/yaml/v4` and `fmt.Sprint` of `int` and `float64`.

/// The longest number that is read: longer ones print with an exponent or as they are.
const MAX_BYTES: usize = 64;

/// What a plain scalar prints as, when that is not as it is written.
pub(super) fn printed(text: &str) -> Option<String> {
    if !text.starts_with(|char: char| {
        char.is_ascii_digit() || matches!(char, '+' | '-' | '.' | 't' | 'T' | 'f' | 'F')
    }) || text.len() > MAX_BYTES
    {
        return None;
    }
    let printed = match text {
        "True" | "TRUE" => "true".to_owned(),
        "False" | "FALSE" => "false".to_owned(),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => "+Inf".to_owned(),
        "-.inf" | "-.Inf" | "-.INF" => "-Inf".to_owned(),
        ".nan" | ".NaN" | ".NAN" => "NaN".to_owned(),
        _ => integer(text).or_else(|| float(text))?,
    };
    (printed != text).then_some(printed)
}

/// `strconv.ParseInt` with base 0, and `0o`.
fn integer(text: &str) -> Option<String> {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let prefixed = |prefix: [&str; 2], radix: u32| {
        let digits = prefix.iter().find_map(|prefix| digits.strip_prefix(prefix))?;
        u64::from_str_radix(digits, radix).ok()
    };
    let octal = |digits: &str| u64::from_str_radix(digits, 8).ok();
    let value = prefixed(["0x", "0X"], 16)
        .or_else(|| prefixed(["0b", "0B"], 2))
        .or_else(|| prefixed(["0o", "0O"], 8))
        .or_else(|| match digits.strip_prefix('0').filter(|rest| !rest.is_empty()) {
            Some(rest) => octal(rest),
            None => digits.parse().ok().filter(|_| digits.starts_with(|first: char| first.is_ascii_digit())),
        })?;
    Some(match value {
        0 => "0".to_owned(),
        value => format!("{sign}{value}"),
    })
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, printed as `%g`: with an
/// exponent from a million on.
fn float(text: &str) -> Option<String> {
    let plain = text.replace('_', "");
    let unsigned = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fits = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|text| {
            let text = text.strip_prefix(['-', '+']).unwrap_or(text);
            !text.is_empty() && digits(text)
        });
    if !fits {
        return None;
    }
    let value: f64 = plain.parse().ok().filter(|value: &f64| value.is_finite())?;
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    if value != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return Some(format!("{mantissa}e{sign}{:02}", exponent.abs()));
    }
    Some(format!("{value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_numbers_as_go_does() {
        for (text, expected) in [
            ("1.20", "1.2"),
            ("3.0", "3"),
            ("010", "8"),
            ("0x10", "16"),
            ("1_000", "1000"),
            ("1e3", "1000"),
            ("1e21", "1e+21"),
            ("1234567.5", "1.2345675e+06"),
            ("0.00001", "1e-05"),
            ("True", "true"),
            ("+5", "5"),
        ] {
            assert_eq!(printed(text).as_deref(), Some(expected), "{text}");
        }
        for same in ["1.2", "22", "3.12.1", "latest", "true", "-1", "1.2-alpine", "", "08x", "."] {
            assert_eq!(printed(same), None, "{same}");
        }
    }
}
