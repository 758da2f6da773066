//! Numbers in text, read as Python's `int()` and `float()` read them.
//!
//! Facts such as cgroup limits are read by Python in the reference, so blanks around a number and single
//! underscores between digits are accepted. Digits beyond ASCII, which Python also takes, are not: the
//! caller reports those as `Error::Input` and the reference decides.

#![forbid(unsafe_code)]

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

/// `float(text)`; `None` where Python raises ValueError.
pub fn float(text: &str) -> Option<f64> {
    without_underscores(text.trim_matches(is_blank))?.parse().ok()
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
    fn floats_as_python_reads_them() {
        assert_eq!(float("1e5"), Some(100_000.0));
        assert_eq!(float(" 100_000 "), Some(100_000.0));
        assert_eq!(float(".5"), Some(0.5));
        assert_eq!(float("5."), Some(5.0));
        assert_eq!(float("-INF"), Some(f64::NEG_INFINITY));
        assert!(float("nan").unwrap().is_nan());
        for bad in ["", "max", "1_e5", "1e_5", "1._5", "500m", "0x4", ".", "e5", "1 2"] {
            assert_eq!(float(bad), None, "{bad}");
        }
    }
}
