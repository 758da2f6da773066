//! Numbers in text, read as Python's `int()` and `float()` read them.
//!
//! Facts such as cgroup limits are read by Python in the reference, so blanks around a number and single
//! underscores between digits are accepted. Digits beyond ASCII, which Python also takes, are not: the
//! caller reports those as `Error::Input` and the reference decides.

#![forbid(unsafe_code)]

use crate::Error;
use alloc::string::String;

/// What Python's `str.split()` and `str.strip()` take for a blank, within ASCII.
pub const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r' | '\x1c'..='\x1f')
}

/// Takes out underscores that stand between two digits; none elsewhere are allowed.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        if byte == b'_' {
            let before = at.checked_sub(1).and_then(|i| bytes.get(i));
            let after = bytes.get(at + 1);
            if !before.is_some_and(u8::is_ascii_digit) || !after.is_some_and(u8::is_ascii_digit) {
                return None;
            }
        }
    }
    Some(text.replace('_', ""))
}

/// Whole numbers below this are exact as `f64`.
const EXACT: u128 = 1 << 53;

/// `float(text)` for whole numbers; `None` where Python raises ValueError.
///
/// # Errors
/// `Error::Input` for any other text with a digit, or with the n of nan and inf: it may be a number. The kernel writes
/// whole numbers, and reading all others takes tables of 10 KB.
pub fn whole(text: &str) -> Result<Option<f64>, Error> {
    match int(text) {
        Some(value) if value.unsigned_abs() < EXACT => Ok(Some(value as f64)),
        None if !text.bytes().any(|byte| byte.is_ascii_digit() || byte | 0x20 == b'n') => Ok(None),
        _ => Err(Error::Input),
    }
}

/// `int(text)`; `None` where Python raises ValueError. Numbers beyond `i128` saturate.
pub fn int(text: &str) -> Option<i128> {
    let digits = without_underscores(text.trim_matches(is_blank))?;
    match digits.parse() {
        Ok(value) => Some(value),
        Err(error) => match error.kind() {
            core::num::IntErrorKind::PosOverflow => Some(i128::MAX),
            core::num::IntErrorKind::NegOverflow => Some(i128::MIN),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_as_python_reads_them() {
        assert_eq!(int(" 1_000\n"), Some(1000));
        assert_eq!(int("+5"), Some(5));
        assert_eq!(int("-1"), Some(-1));
        assert_eq!(int("1\x1f"), Some(1));
        for bad in ["", "_1", "1_", "1__0", "1.5", "max", "1 5", "0x4", "--1", "+"] {
            assert_eq!(int(bad), None, "{bad}");
        }
    }

    #[test]
    fn huge_integers_saturate() {
        assert_eq!(int(&"9".repeat(60)), Some(i128::MAX));
        assert_eq!(int(&alloc::format!("-{}", "9".repeat(60))), Some(i128::MIN));
    }

    #[test]
    fn whole_numbers_as_python_reads_them() {
        for (text, want) in [(" 100_000 ", 1e5), ("-0", 0.0), ("+7\n", 7.0), ("-9007199254740991", -9007199254740991.0)]
        {
            assert_eq!(whole(text), Ok(Some(want)), "{text}");
        }
        for bad in ["", "max", ".", "e", "_", "--", "abc"] {
            assert_eq!(whole(bad), Ok(None), "{bad}");
        }
        let beyond = ["1e5", ".5", "5.", "1_e5", "500m", "0x4", "1 2", "-INF", "nan", "Infinity", "9007199254740992"];
        for doubtful in beyond {
            assert_eq!(whole(doubtful), Err(Error::Input), "{doubtful}");
        }
    }
}
