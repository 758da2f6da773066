//! Whole lists in one call: the items joined by a separator that none of them holds, the results likewise.

#![forbid(unsafe_code)]

use super::bytes::append;
use super::{base36, floats, hashing, md5_lanes, text};
use crate::error::Error;
use crate::simd;
use alloc::vec::Vec;
use core::ops::Range;

/// From here on room for the result is made beforehand.
const LARGE: usize = 1024 * 1024;

/// Where the items of a joined text are. An empty text is one empty item: no items at all are not worth a call.
fn ranges(joined: &[u8], separator: u8) -> impl Iterator<Item = Range<usize>> {
    let mut ends = memchr::memchr_iter(separator, joined);
    let mut next = Some(0);
    core::iter::from_fn(move || {
        let start = next?;
        let end = ends.next();
        next = end.map(|end| end + 1);
        Some(start..end.unwrap_or(joined.len()))
    })
}

/// The items themselves.
fn items(joined: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    ranges(joined, separator).map(|range| &joined[range])
}

/// Applies `one` to each item, putting the separator between the results.
fn each(
    joined: &[u8],
    separator: u8,
    out: &mut Vec<u8>,
    mut one: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    for item in items(joined, separator) {
        one(item, out)?;
        out.push(separator);
    }
    out.pop();
    Ok(())
}

/// `base36::encode` of each item.
///
/// # Errors
/// `Error::Input` when any item is not plain hexadecimal, or so long that it must be done in steps; the caller finds
/// out which.
pub fn base36(joined: &[u8], separator: u8, out: &mut Vec<u8>) -> Result<(), Error> {
    each(joined, separator, out, |item, out| {
        if item.len() > base36::ONE_CALL_DIGITS { Err(Error::Input) } else { base36::encode(item, out) }
    })
}

/// `text::truncate` of each item.
///
/// # Errors
/// `Error::Limit` where the memory does not hold the result.
pub fn truncate(joined: &[u8], separator: u8, max_length: i64, middle: bool, out: &mut Vec<u8>) -> Result<(), Error> {
    if joined.len() > LARGE {
        // Exactly: growing by doubling would ask for more than the memory has. Each item may get its dots.
        let count = memchr::memchr_iter(separator, joined).count() + 1;
        out.try_reserve_exact(joined.len() + count * text::DOTS.len() + 1).map_err(|_| Error::Limit)?;
    }
    each(joined, separator, out, |item, out| {
        text::truncate(item, max_length, middle, out);
        Ok(())
    })
}

/// `floats::format` of each of the little-endian doubles in `bytes`, separated by newlines.
///
/// # Errors
/// `Error::Protocol` for bytes that are no whole number of doubles, else as `floats::format`.
pub fn format_floats(bytes: &[u8], precision: i64, out: &mut Vec<u8>) -> Result<(), Error> {
    let (doubles, []) = bytes.as_chunks::<8>() else { return Err(Error::Protocol) };
    for double in doubles {
        floats::format(f64::from_le_bytes(*double), precision, out)?;
        out.push(b'\n');
    }
    out.pop();
    Ok(())
}

fn put_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let (sixteens, rest) = bytes.as_chunks::<16>();
    for sixteen in sixteens {
        out.extend_from_slice(&simd::hex(sixteen));
    }
    let mut last = [0u8; 16];
    last[..rest.len()].copy_from_slice(rest);
    append(out, &simd::hex(&last)[..2 * rest.len()]);
}

/// An MD5 in hexadecimal, and a newline.
fn put_md5(digest: &[u8; 16], out: &mut Vec<u8>) {
    let mut line = [b'\n'; 33];
    line[..32].copy_from_slice(&simd::hex(digest));
    out.extend_from_slice(&line);
}

/// The hexadecimal digest of each item, separated by newlines.
///
/// # Errors
/// `Error::Protocol` for an unknown algorithm.
pub fn hash_strings(joined: &[u8], separator: u8, algorithm: i64, out: &mut Vec<u8>) -> Result<(), Error> {
    if algorithm == hashing::MD5 {
        md5_strings(joined, separator, out);
        out.pop();
        return Ok(());
    }
    let first = hashing::Hasher::new(algorithm)?;
    match first {
        hashing::Hasher::Blake3(_) => {
            for item in items(joined, separator) {
                put_hex(blake3::hash(item).as_bytes(), out);
                out.push(b'\n');
            }
        }
        _ => {
            let mut digest = Vec::new();
            for item in items(joined, separator) {
                let mut hasher = first.clone();
                hasher.update(item);
                digest.clear();
                hasher.finish(0, &mut digest)?;
                put_hex(&digest, out);
                out.push(b'\n');
            }
        }
    }
    out.pop();
    Ok(())
}

fn md5_strings(joined: &[u8], separator: u8, out: &mut Vec<u8>) {
    let parts: Vec<Range<usize>> = ranges(joined, separator).collect();
    out.reserve(parts.len() * 33);
    if parts.iter().all(|part| part.len() <= md5_lanes::SHORT) {
        md5_lanes::run_short(joined, &parts, |digest| put_md5(digest, out));
        return;
    }
    let mut jobs: Vec<md5_lanes::Job<'_>> = parts
        .into_iter()
        .map(|part| &joined[part])
        .map(|data| md5_lanes::Job { data, state: md5_lanes::START, total: Some(data.len() as u64) })
        .collect();
    md5_lanes::run(&mut jobs);
    for job in &jobs {
        put_md5(&md5_lanes::digest(job.state), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn text(run: impl FnOnce(&mut Vec<u8>) -> Result<(), Error>) -> String {
        let mut out = Vec::new();
        run(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn items_include_empty_ones() {
        let split = |joined: &'static [u8]| items(joined, b'\n').collect::<Vec<_>>();
        assert_eq!(split(b""), [b""]);
        assert_eq!(split(b"\n"), [b"", b""]);
        assert_eq!(split(b"a\n\nbc"), [&b"a"[..], b"", b"bc"]);
    }

    #[test]
    fn numbers_are_converted_one_by_one() {
        assert_eq!(text(|out| base36(b"ff\n0\nffffffffffffffff", b'\n', out)), "73\n0\n3w5e11264sgsf");
        let mut out = Vec::new();
        assert_eq!(base36(b"ff\nxyz", b'\n', &mut out), Err(Error::Input));
        assert_eq!(base36(b"ff\n", b'\n', &mut out), Err(Error::Input));
    }

    #[test]
    fn numbers_that_take_steps_are_left_alone() {
        let long = [b'f'; base36::ONE_CALL_DIGITS + 1];
        assert!(base36(&long[1..], b'\n', &mut Vec::new()).is_ok());
        assert_eq!(base36(&long, b'\n', &mut Vec::new()), Err(Error::Input));
    }

    #[test]
    fn a_large_text_gets_the_room_it_needs() {
        let text = alloc::vec![b'x'; 2 * LARGE];
        let mut out = Vec::new();
        truncate(&text, b'\n', 2 * LARGE as i64 - 1, false, &mut out).unwrap();
        assert_eq!(out.len(), 2 * LARGE + 2);
        assert!(out.capacity() < 2 * LARGE + 64);
    }

    #[test]
    fn texts_are_cut_one_by_one() {
        assert_eq!(text(|out| truncate("0123456789\0ab".as_bytes(), 0, 5, true, out)), "0...9\0ab");
    }

    #[test]
    fn doubles_are_formatted_one_by_one() {
        let bytes: Vec<u8> = [0.25f64, 2.0, -0.04].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(text(|out| format_floats(&bytes, 1, out)), "0.2\n2\n-0.0");
        assert_eq!(format_floats(&bytes[1..], 1, &mut Vec::new()), Err(Error::Protocol));
        assert_eq!(format_floats(&bytes, -1, &mut Vec::new()), Err(Error::Input));
    }

    #[test]
    fn digests_are_made_one_by_one() {
        let md5 =
            "0cc175b9c0f1b6a831c399e269772661\nd41d8cd98f00b204e9800998ecf8427e\n92eb5ffee6ae2fec3ad71c777531578f";
        assert_eq!(text(|out| hash_strings(b"a\n\nb", b'\n', 0, out)), md5);
        let sha1 = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\nda39a3ee5e6b4b0d3255bfef95601890afd80709";
        assert_eq!(text(|out| hash_strings(b"a\n", b'\n', 1, out)), sha1);
        assert_eq!(hash_strings(b"a", b'\n', 99, &mut Vec::new()), Err(Error::Protocol));
    }
}
