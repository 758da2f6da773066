//! Hexadecimal to base 36, any length, exact.
//!
//! ```text
//! words = the hex digits as 32-bit words, most significant first
//! while words are not zero:
//!     divide words by 36^6 in place; the remainder is six more digits, least significant first
//! ```
//! 36^6 is the largest power of 36 below 2^32, so one division of a two-word number by a constant makes
//! six digits, written two at a time from a table. The cost is quadratic in the number of digits; `Job`
//! does a bounded part of it a step, so that a huge number can be interrupted between steps.

#![forbid(unsafe_code)]

use super::bytes::append;
use crate::Error;
use alloc::vec::Vec;

const CHUNK: u64 = 36u64.pow(6);
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Both characters of every number below 36 * 36.
static PAIRS: [[u8; 2]; 1296] = {
    let mut table = [[0u8; 2]; 1296];
    let mut i = 0;
    while i < 1296 {
        table[i] = [DIGITS[i / 36], DIGITS[i % 36]];
        i += 1;
    }
    table
};

const fn nibble(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => 0xff,
    }
}

static NIBBLES: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = nibble(i as u8);
        i += 1;
    }
    table
};

/// Reads up to eight hex digits.
fn word(digits: &[u8]) -> Result<u32, Error> {
    let mut value = 0u32;
    let mut bad = 0u8;
    for &digit in digits {
        let nibble = NIBBLES[usize::from(digit)];
        bad |= nibble;
        value = value << 4 | u32::from(nibble & 15);
    }
    if bad > 15 { Err(Error::Input) } else { Ok(value) }
}

/// Divides the number in place and gives the remainder.
#[inline]
fn divide(words: &mut [u32]) -> u32 {
    let mut rest = 0u64;
    for word in words {
        let part = rest << 32 | u64::from(*word);
        *word = (part / CHUNK) as u32;
        rest = part % CHUNK;
    }
    rest as u32
}

/// Chunks that `divide_by_four` takes at once.
const STAGES: usize = 4;

/// Divides the number in place by `CHUNK` four times over; the remainders come least significant first.
///
/// Each stage divides the quotient of the one before, a word behind it: four chains of divisions that do not
/// wait for one another, where four calls of `divide` would be one chain after the other.
fn divide_by_four(words: &mut [u32]) -> [u32; STAGES] {
    let mut rests = [0u64; STAGES];
    for word in words {
        let mut quotient = u64::from(*word);
        for rest in &mut rests {
            let part = *rest << 32 | quotient;
            quotient = part / CHUNK;
            *rest = part % CHUNK;
        }
        *word = quotient as u32;
    }
    rests.map(|rest| rest as u32)
}

/// Writes six digits to the end of `out`, which is filled from its end; gives the new start.
#[inline]
fn put_chunk(out: &mut [u8], at: usize, chunk: u32) -> usize {
    let low = (chunk % 1296) as usize;
    let middle = (chunk / 1296 % 1296) as usize;
    let high = (chunk / (1296 * 1296)) as usize;
    let place = &mut out[at - 6..at];
    place[..2].copy_from_slice(&PAIRS[high]);
    place[2..4].copy_from_slice(&PAIRS[middle]);
    place[4..].copy_from_slice(&PAIRS[low]);
    at - 6
}

fn strip_zeros(digits: &[u8]) -> &[u8] {
    let start = digits.iter().position(|&d| d != b'0').unwrap_or(digits.len() - 1);
    &digits[start..]
}

/// Numbers up to this many hex digits are encoded in one call: far below a millisecond.
pub const ONE_CALL_DIGITS: usize = 4096;

const SMALL_DIGITS: usize = 64;
// 64 hex digits are 256 bits: 50 base-36 digits, which is 9 chunks of 6.
const SMALL_OUT: usize = 54;

/// Encodes at most 64 digits, without allocation: MD5 and SHA-256 in hex are what SkyPilot passes.
fn encode_small(hex: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let mut words = [0u32; SMALL_DIGITS / 8];
    let count = hex.len().div_ceil(8);
    let mut end = hex.len();
    for word_at in (0..count).rev() {
        let start = end.saturating_sub(8);
        words[word_at] = word(&hex[start..end])?;
        end = start;
    }
    let mut digits = [b'0'; SMALL_OUT];
    let mut at = SMALL_OUT;
    let mut left = &mut words[..count];
    loop {
        while let [0, rest @ ..] = left {
            left = rest;
        }
        if left.is_empty() {
            break;
        }
        let chunk = divide(left);
        at = put_chunk(&mut digits, at, chunk);
    }
    append(out, strip_zeros(&digits[at.min(SMALL_OUT - 1)..]));
    Ok(())
}

/// Encodes a number given as hex digits `[0-9a-fA-F]+` in one go.
///
/// # Errors
/// `Error::Input` for an empty text and for any other character.
pub fn encode(hex: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    if hex.is_empty() {
        return Err(Error::Input);
    }
    if hex.len() <= SMALL_DIGITS {
        return encode_small(hex, out);
    }
    let mut job = Job::new(hex)?;
    while !job.step(usize::MAX) {}
    job.finish(out);
    Ok(())
}

/// A conversion that can be done in parts.
pub struct Job {
    words: Vec<u32>,
    first: usize,
    digits: Vec<u8>,
    at: usize,
}

impl Job {
    /// Reads the digits.
    ///
    /// # Errors
    /// As `encode`, and `Error::Limit` for a number that the memory does not hold.
    pub fn new(hex: &[u8]) -> Result<Job, Error> {
        if hex.is_empty() {
            return Err(Error::Input);
        }
        let head = hex.len() % 8;
        let mut words = Vec::new();
        words.try_reserve_exact(hex.len() / 8 + 1)?;
        if head > 0 {
            words.push(word(&hex[..head])?);
        }
        for eight in hex[head..].chunks_exact(8) {
            words.push(word(eight)?);
        }
        // A base-36 digit carries more than 5 bits, a hex digit 4; a step's worth more for the partial one.
        let room = hex.len() * 4 / 5 + 6 * STAGES;
        let mut digits = Vec::new();
        digits.try_reserve_exact(room)?;
        digits.resize(room, b'0');
        Ok(Job { words, first: 0, digits, at: room })
    }

    /// Does at most about `divisions` word divisions (at least one round); true when done.
    pub fn step(&mut self, divisions: usize) -> bool {
        let mut done = 0usize;
        loop {
            while self.words.get(self.first) == Some(&0) {
                self.first += 1;
            }
            if self.first == self.words.len() {
                return true;
            }
            if done >= divisions {
                return false;
            }
            done = done.saturating_add(STAGES * (self.words.len() - self.first));
            for chunk in divide_by_four(&mut self.words[self.first..]) {
                self.at = put_chunk(&mut self.digits, self.at, chunk);
            }
        }
    }

    /// Appends the digits to `out`.
    pub fn finish(self, out: &mut Vec<u8>) {
        let at = self.at.min(self.digits.len() - 1);
        out.extend_from_slice(strip_zeros(&self.digits[at..]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn text(hex: &str) -> Result<String, Error> {
        let mut out = Vec::new();
        encode(hex.as_bytes(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    /// A slow and obvious conversion: long division of a digit list by 36.
    fn naive(hex: &str) -> String {
        let mut digits: Vec<u32> = hex.chars().map(|c| c.to_digit(16).unwrap()).collect();
        let mut out = Vec::new();
        loop {
            let mut rest = 0;
            for d in &mut digits {
                let part = rest * 16 + *d;
                *d = part / 36;
                rest = part % 36;
            }
            out.push(char::from_digit(rest, 36).unwrap());
            if digits.iter().all(|&d| d == 0) {
                return out.iter().rev().collect();
            }
        }
    }

    #[test]
    fn zero_is_one_digit() {
        for zeros in ["0", "00", "00000000", "000000000", &"0".repeat(64), &"0".repeat(65), &"0".repeat(1000)] {
            assert_eq!(text(zeros).unwrap(), "0");
        }
    }

    #[test]
    fn known_answers() {
        assert_eq!(text("ff").unwrap(), "73");
        assert_eq!(text("FF").unwrap(), "73");
        assert_eq!(text("ffffffffffffffff").unwrap(), "3w5e11264sgsf");
        assert_eq!(text("10000000000000000").unwrap(), "3w5e11264sgsg");
        assert_eq!(text(&"f".repeat(32)).unwrap(), "f5lxx1zz5pnorynqglhzmsp33");
    }

    #[test]
    fn every_length_agrees_with_long_division() {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        for length in 1..300 {
            let hex: String = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    char::from_digit((seed >> 60) as u32, 16).unwrap()
                })
                .collect();
            assert_eq!(text(&hex).unwrap(), naive(&hex), "{hex}");
        }
    }

    #[test]
    fn powers_of_36_have_one_leading_one() {
        let mut value = 1u128;
        for zeros in 0..24 {
            let mut want = String::from("1");
            want.extend(core::iter::repeat_n('0', zeros));
            assert_eq!(text(&alloc::format!("{value:x}")).unwrap(), want);
            assert_eq!(text(&alloc::format!("{:0>64x}", value)).unwrap(), want);
            value *= 36;
        }
    }

    #[test]
    fn a_step_at_a_time_gives_the_same_digits() {
        let hex = "9f".repeat(5000);
        let mut job = Job::new(hex.as_bytes()).unwrap();
        let mut steps = 1;
        while !job.step(1) {
            steps += 1;
        }
        let mut out = Vec::new();
        job.finish(&mut out);
        assert!(steps > 300);
        assert_eq!(String::from_utf8(out).unwrap(), naive(&hex));
    }

    #[test]
    fn anything_else_is_an_input_error() {
        for bad in ["", "g", "0x1", " 1", "1_0", "-1", "\u{0661}", &"f".repeat(100).replace("ff", "fg")] {
            assert_eq!(text(bad), Err(Error::Input), "{bad}");
            assert!(Job::new(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
