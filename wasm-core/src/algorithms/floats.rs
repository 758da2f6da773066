//! Fixed-point text of a double, rounded half to even on its exact binary value.

#![forbid(unsafe_code)]

use super::bytes::append;
use crate::Error;
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
    value.abs() >= FIXED_BELOW || value == (value as i64) as f64
}

/// From 2^52 on a double has no bits left for a fraction.
const FIXED_BELOW: f64 = 4_503_599_627_370_496.0;
/// Up to here `fixed` stays within 64 bits: 53 bits of a double times 10^3.
const FIXED_PLACES: usize = 3;

/// Writes a number below 2^63 with its last `places` digits behind a point.
fn put_scaled(mut scaled: u64, places: usize, out: &mut Vec<u8>) {
    // 2^63 has 19 digits; one more for the point.
    let mut text = [b'0'; 20];
    let mut at = text.len();
    let mut put = |byte: u8| {
        at -= 1;
        text[at] = byte;
    };
    for _ in 0..places {
        put(b'0' + (scaled % 10) as u8);
        scaled /= 10;
    }
    if places > 0 {
        put(b'.');
    }
    loop {
        put(b'0' + (scaled % 10) as u8);
        scaled /= 10;
        if scaled == 0 {
            break;
        }
    }
    append(out, &text[at..]);
}

/// The common case, exactly and fast: a finite value with a fraction and at most `FIXED_PLACES` places.
///
/// The value is `mantissa / 2^shift`; times 10^places that is a whole number, a remainder of `shift` bits, and the
/// remainder decides the rounding.
fn fixed(value: f64, places: usize, out: &mut Vec<u8>) {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as u32;
    let mantissa = bits & ((1 << 52) - 1) | if exponent > 0 { 1 << 52 } else { 0 };
    let shift = 1075 - exponent.max(1);
    let scaled = if shift > 63 {
        // Below 2^-11, which is less than half of the last place.
        0
    } else {
        let product = mantissa * 10u64.pow(places as u32);
        let (whole, rest, half) = (product >> shift, product & ((1 << shift) - 1), 1u64 << (shift - 1));
        whole + u64::from(rest > half || (rest == half && whole & 1 == 1))
    };
    if value.is_sign_negative() {
        out.push(b'-');
    }
    put_scaled(scaled, places, out);
}

/// Writes an integral value without places, any other with `precision` places; never an exponent.
///
/// # Errors
/// `Error::Input` for a precision below 0 or above `PRECISION_LIMIT`.
pub fn format(value: f64, precision: i64, out: &mut Vec<u8>) -> Result<(), Error> {
    if !(0..=PRECISION_LIMIT).contains(&precision) {
        return Err(Error::Input);
    }
    // Rust spells it NaN, Python nan. Infinity has the same name in both.
    if value.is_nan() {
        out.extend_from_slice(b"nan");
        return Ok(());
    }
    let places = if value.is_finite() && is_integer(value) { 0 } else { precision as usize };
    if places <= FIXED_PLACES && value.abs() < FIXED_BELOW {
        fixed(value, places, out);
        return Ok(());
    }
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
    fn no_value_takes_a_bad_precision() {
        for value in [2.0, 1.5, f64::NAN, f64::INFINITY] {
            assert_eq!(format(value, -1, &mut Vec::new()), Err(Error::Input), "{value}");
        }
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
    fn the_fast_way_agrees_with_core() {
        let mut seed = 1u64;
        for round in 0..400_000u32 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = match round % 4 {
                0 => f64::from_bits(seed),
                1 => (seed >> 40) as f64 / 1000.0,
                // Exact ties, and their neighbours.
                2 => ((seed >> 45) as f64 + 0.5) / 8.0,
                _ => f64::from_bits((((seed >> 45) as f64 + 0.5) / 16.0).to_bits() ^ 1),
            };
            if !value.is_finite() || is_integer(value) {
                continue;
            }
            for places in 0..=4 {
                assert_eq!(text(value, places as i64), alloc::format!("{value:.places$}"), "{value:e} {places}");
            }
        }
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
