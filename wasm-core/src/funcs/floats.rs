//! Fixed-point text of a double, rounded half to even on its exact binary value.

#![forbid(unsafe_code)]

use crate::error::Error;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// A double has at most 1,074 binary places, so more decimal places are zeros that the caller can write itself.
pub const PRECISION_LIMIT: i64 = 1_100;

struct Sink<'a>(&'a mut Vec<u8>);

impl Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Whether a finite double has no fraction. `core` has no `fract` without the standard library.
fn is_integer(value: f64) -> bool {
    // From 2^52 on a double has no bits left for a fraction, and the cast below would saturate.
    value.abs() >= 4_503_599_627_370_496.0 || value == (value as i64) as f64
}

/// Writes an integral value without places, any other with `precision` places; never an exponent.
///
/// # Errors
/// `Error::Input` for a precision below 0 or above `PRECISION_LIMIT`.
pub fn format(value: f64, precision: i64, out: &mut Vec<u8>) -> Result<(), Error> {
    // Rust spells it NaN, Python nan. Infinity has the same name in both.
    if value.is_nan() {
        out.extend_from_slice(b"nan");
        return Ok(());
    }
    let places = if value.is_finite() && is_integer(value) {
        0
    } else if (0..=PRECISION_LIMIT).contains(&precision) {
        precision as usize
    } else {
        return Err(Error::Input);
    };
    write!(Sink(out), "{value:.places$}").map_err(|_| Error::Limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn text(value: f64, precision: i64) -> String {
        let mut out = Vec::new();
        format(value, precision, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ties_go_to_even_on_the_exact_value() {
        let cases = [
            (0.25, "0.2"),
            (0.75, "0.8"),
            (0.125, "0.1"),
            (1.25, "1.2"),
            (1.35, "1.4"),
            (0.35, "0.3"),
            (0.05, "0.1"),
            (0.15, "0.1"),
            (0.95, "0.9"),
            (99.95, "100.0"),
        ];
        for (value, want) in cases {
            assert_eq!(text(value, 1), want, "{value}");
        }
        assert_eq!(text(0.5, 0), "0");
        assert_eq!(text(1.5, 0), "2");
        assert_eq!(text(1.005, 2), "1.00");
    }

    #[test]
    fn integral_values_have_no_places() {
        assert_eq!(text(2.0, 1), "2");
        assert_eq!(text(-0.0, 3), "-0");
        assert_eq!(text(1e16, 1), "10000000000000000");
        assert_eq!(text(4_503_599_627_370_495.5, 1), "4503599627370495.5");
        assert_eq!(text(1e300, 1).len(), 301);
        assert_eq!(text(f64::MAX, 5).len(), 309);
    }

    #[test]
    fn an_integral_value_ignores_a_bad_precision() {
        assert_eq!(text(2.0, -1), "2");
    }

    #[test]
    fn names_are_python_s() {
        assert_eq!(text(f64::NAN, 1), "nan");
        assert_eq!(text(-f64::NAN, 1), "nan");
        assert_eq!(text(f64::INFINITY, 1), "inf");
        assert_eq!(text(f64::NEG_INFINITY, 1), "-inf");
    }

    #[test]
    fn tiny_and_negative_values_keep_their_sign() {
        assert_eq!(text(-0.04, 1), "-0.0");
        assert_eq!(text(5e-324, 1), "0.0");
        assert_eq!(text(5e-324, 1074).trim_end_matches('5').len() + 1, 1076);
    }

    #[test]
    fn precision_has_a_range() {
        let mut out = Vec::new();
        assert_eq!(format(1.5, -1, &mut out), Err(Error::Input));
        assert_eq!(format(1.5, PRECISION_LIMIT + 1, &mut out), Err(Error::Input));
        assert!(out.is_empty());
        assert_eq!(text(1.5, PRECISION_LIMIT).len(), 2 + PRECISION_LIMIT as usize);
    }
}
