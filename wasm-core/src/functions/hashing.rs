//! Hashes: of a file, of data in pieces, of texts, and MD5 of many messages at once.
//!
//! Between the pieces a hash's state is in Python's hands, as the bytes of the [`Hasher`]. They mean something to this
//! artifact alone.

use crate::Error;
use crate::algorithms::hashing::{self, Hasher};
use crate::algorithms::md5_lanes;
use crate::algorithms::{bytes, simd};
use crate::host::Files;
use alloc::vec;
use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::ops::Range;
use skywasm_guest::{Buffer, Column, Out, Results, export};

/// Bytes read at first, and at most, in one request.
const FIRST_ROOM: usize = 32 * 1024;
const ROOM: usize = 256 * 1024;

/// Hashes an open file; the result is the hasher's state.
///
/// # Errors
/// `Error::Protocol` for an unknown algorithm.
pub async fn hash_file(handle: i64, algorithm: i64, files: Files) -> Result<Vec<u8>, Error> {
    let mut hasher = Hasher::new(algorithm)?;
    let mut room = vec![0; FIRST_ROOM];
    loop {
        let length = usize::try_from(files.file_read(handle, &mut room).await).map_err(|_| Error::Protocol)?;
        if length == 0 {
            break;
        }
        hasher.update(room.get(..length).ok_or(Error::Protocol)?);
        if length == room.len() && length < ROOM {
            room = Vec::new();
            room.try_reserve_exact(ROOM)?;
            room.resize(ROOM, 0);
        }
    }
    let mut state = Vec::new();
    put_state(hasher, &mut state);
    Ok(state)
}
export!(async hash_file(handle, algorithm, files));

/// Takes in more bytes: `data` is a state (left out for a new hash), then the bytes. The result is the new state.
///
/// # Errors
/// `Error::Protocol` for an unknown algorithm, and for a state that is not one of its.
pub fn hash_update(data: &[u8], algorithm: i64, has_state: bool, mut out: Out<'_, [u8]>) -> Result<(), Error> {
    let (mut hasher, data) = if has_state { take_state(data, algorithm)? } else { (Hasher::new(algorithm)?, data) };
    hasher.update(data);
    put_state(hasher, &mut out);
    Ok(())
}
export!(hash_update(data, algorithm, has_state, out));

/// The digest that a state stands for, of `size` bytes for extendable outputs.
///
/// # Errors
/// As [`hash_update`], and `Error::Limit` for a size above [`hashing::XOF_LIMIT`].
pub fn hash_digest(state: &[u8], algorithm: i64, size: i64, mut out: Out<'_, [u8]>) -> Result<(), Error> {
    let (hasher, _) = take_state(state, algorithm)?;
    hasher.finish(size, &mut out)
}
export!(hash_digest(state, algorithm, size, out));

/// The digest of some bytes, in hexadecimal digits.
///
/// # Errors
/// `Error::Protocol` for an unknown algorithm.
pub fn hash_string(data: &[u8], algorithm: i64, mut out: Out<'_, str>) -> Result<(), Error> {
    let mut digest = Vec::new();
    digest_of(Hasher::new(algorithm)?, data, &mut digest)?;
    put_hex(&digest, &mut out);
    Ok(())
}
export!(hash_string(data, algorithm, out), batch = hash_strings(algorithm));

fn digest_of(mut hasher: Hasher, data: &[u8], digest: &mut Vec<u8>) -> Result<(), Error> {
    hasher.update(data);
    hasher.finish(0, digest)
}

fn put_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let (sixteens, rest) = bytes.as_chunks::<16>();
    for sixteen in sixteens {
        out.extend_from_slice(&simd::hex(sixteen));
    }
    let mut last = [0u8; 16];
    last[..rest.len()].copy_from_slice(rest);
    bytes::append(out, &simd::hex(&last)[..2 * rest.len()]);
}

/// [`hash_string`] of many; MD5 of eight at a time.
fn hash_strings(items: &mut Column<'_>, algorithm: i64, results: &mut Results) -> Result<(), Error> {
    if algorithm == hashing::MD5 {
        return md5_strings(items, results);
    }
    let first = Hasher::new(algorithm)?;
    let mut digest = Vec::new();
    for item in items {
        let Some(item) = item? else {
            results.missing()?;
            continue;
        };
        digest.clear();
        if let Hasher::Blake3(_) = first {
            digest.extend_from_slice(blake3::hash(item).as_bytes());
        } else {
            digest_of(first.clone(), item, &mut digest)?;
        }
        let mark = results.mark();
        put_hex(&digest, results.output());
        results.end(mark, Ok(()))?;
    }
    Ok(())
}

/// MD5 of many texts, in lanes.
fn md5_strings(items: &mut Column<'_>, results: &mut Results) -> Result<(), Error> {
    let text = items.data();
    let mut missing: Vec<usize> = Vec::new();
    let mut parts: Vec<Range<usize>> = Vec::new();
    while let Some(range) = items.next_range() {
        if range.as_ref().is_ok_and(Option::is_none) {
            missing.push(parts.len());
        }
        parts.push(range?.unwrap_or(0..0));
    }
    let mut missing = missing.into_iter().peekable();
    let mut index = 0;
    let mut outcome = Ok(());
    let each = |digest: &[u8; 16]| {
        let result =
            if missing.next_if_eq(&index).is_some() { results.missing() } else { results.push(&simd::hex(digest)) };
        outcome = outcome.and(result);
        index += 1;
    };
    md5_of_parts(text, &parts, each);
    outcome
}

fn md5_of_parts(text: &[u8], parts: &[Range<usize>], mut each: impl FnMut(&[u8; 16])) {
    if parts.iter().all(|part| part.len() <= md5_lanes::SHORT) {
        md5_lanes::run_short(text, parts, each);
        return;
    }
    let job = |part: &Range<usize>| {
        let data = &text[part.clone()];
        md5_lanes::Job { data, state: md5_lanes::START, total: Some(data.len() as u64) }
    };
    let mut jobs: Vec<md5_lanes::Job<'_>> = parts.iter().map(job).collect();
    md5_lanes::run(&mut jobs);
    for job in &jobs {
        each(&md5_lanes::digest(job.state));
    }
}

/// Bytes of a record in [`md5_parts`]' table.
const MD5_RECORD: usize = 40;

/// MD5 of many messages or parts of them. The input begins with a table of `count` records of five u64: where the data
/// lies in the input, its length, the length of the whole message (-1: more parts follow), and the state, which is
/// written back. The data lies behind the table.
///
/// # Errors
/// `Error::Protocol` for a table that the input does not hold, and for data it does not.
pub fn md5_parts(count: i64, mut parts: Buffer<'_>) -> Result<u32, Error> {
    let number = u32::try_from(count).map_err(|_| Error::Protocol)?;
    let size = (number as usize).checked_mul(MD5_RECORD).ok_or(Error::Protocol)?;
    let (table, data) = parts.split_at_mut_checked(size).ok_or(Error::Protocol)?;
    let (table, _) = table.as_chunks_mut::<MD5_RECORD>();
    let mut jobs = Vec::new();
    jobs.try_reserve_exact(table.len())?;
    for record in table.iter() {
        jobs.push(md5_job(record, data, size)?);
    }
    md5_lanes::run(&mut jobs);
    for (record, job) in table.iter_mut().zip(&jobs) {
        for (place, word) in record[24..].chunks_exact_mut(4).zip(job.state) {
            place.copy_from_slice(&word.to_le_bytes());
        }
    }
    Ok(number)
}
export!(md5_parts(count, parts));

/// Reads a record; `data` starts `offset` bytes into the input.
fn md5_job<'a>(record: &[u8; MD5_RECORD], data: &'a [u8], offset: usize) -> Result<md5_lanes::Job<'a>, Error> {
    let (words, _) = record.as_chunks::<8>();
    let word = |index: usize| i64::from_le_bytes(words[index]);
    let start = usize::try_from(word(0)).ok().and_then(|start| start.checked_sub(offset)).ok_or(Error::Protocol)?;
    let length = usize::try_from(word(1)).map_err(|_| Error::Protocol)?;
    let data = data.get(start..).and_then(|data| data.get(..length)).ok_or(Error::Protocol)?;
    let total = u64::try_from(word(2)).ok();
    if total.is_none() && length % 64 != 0 {
        return Err(Error::Protocol);
    }
    let (state, _) = record[24..].as_chunks::<4>();
    Ok(md5_lanes::Job { data, state: core::array::from_fn(|i| u32::from_le_bytes(state[i])), total })
}

/// Appends the bytes of a hasher.
#[allow(unsafe_code)]
fn put_state(hasher: Hasher, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + size_of::<Hasher>(), 0);
    let mut place = MaybeUninit::<Hasher>::uninit();
    place.write(hasher);
    // SAFETY: both sides are as long as a hasher and apart. Padding between its fields is copied as it is, and nothing
    // but a copy is ever made of it.
    unsafe {
        core::ptr::copy_nonoverlapping(place.as_ptr().cast::<u8>(), out[start..].as_mut_ptr(), size_of::<Hasher>())
    }
}

/// The hasher whose bytes `put_state` showed, and what follows it.
#[allow(unsafe_code)]
fn take_state(bytes: &[u8], algorithm: i64) -> Result<(Hasher, &[u8]), Error> {
    let (state, data) = bytes.split_at_checked(size_of::<Hasher>()).ok_or(Error::Protocol)?;
    // SAFETY: the host gives back the bytes that `put_state` showed in an instance of this same artifact, unchanged; a
    // hasher owns nothing beyond its bytes. A host that breaks its word harms its own sandbox only.
    let hasher = unsafe { state.as_ptr().cast::<Hasher>().read_unaligned() };
    if hasher.algorithm() == algorithm { Ok((hasher, data)) } else { Err(Error::Protocol) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::fake::Machine;
    use alloc::string::String;
    use skywasm_guest::testing::{Argument, Value, batch, call};
    use skywasm_guest::wire::{FORM_COUNT_SHIFT, FORM_NULLS, FORM_SEPARATOR_SHIFT};

    const LINES: i64 = (b'\n' as i64) << FORM_SEPARATOR_SHIFT;

    fn bytes(value: Result<Value, Error>) -> Vec<u8> {
        match value {
            Ok(Value::Bytes(bytes)) => bytes,
            other => panic!("{other:?}"),
        }
    }

    fn digest(state: &[u8], algorithm: i64) -> Vec<u8> {
        bytes(call::<hash_digest>(&[Argument::Bytes(state), Argument::Int(algorithm), Argument::Int(32)]))
    }

    fn update(data: &[u8], algorithm: i64, has_state: bool) -> Result<Value, Error> {
        call::<hash_update>(&[Argument::Bytes(data), Argument::Int(algorithm), Argument::Bool(has_state)])
    }

    fn at_once(data: &[u8], algorithm: i64) -> Vec<u8> {
        let mut digest = Vec::new();
        let mut hasher = Hasher::new(algorithm).unwrap();
        hasher.update(data);
        hasher.finish(32, &mut digest).unwrap();
        digest
    }

    #[test]
    fn a_state_goes_out_and_comes_back() {
        for algorithm in 0..17 {
            let state = bytes(update(b"abc", algorithm, false));
            let state = bytes(update(&[&state[..], b"def"].concat(), algorithm, true));
            assert_eq!(digest(&state, algorithm), at_once(b"abcdef", algorithm), "{algorithm}");
            assert_eq!(update(&state, (algorithm + 1) % 17, true), Err(Error::Protocol));
        }
        assert_eq!(update(b"too short", 0, true), Err(Error::Protocol));
        assert_eq!(update(b"abc", 17, false), Err(Error::Protocol));
    }

    #[test]
    fn a_file_is_read_in_rooms_that_grow() {
        let content: Vec<u8> = (0..1_000_000u32).map(|at| (at % 251) as u8).collect();
        let machine = Machine { content: content.clone(), ..Machine::default() };
        machine.install();
        let state = bytes(call::<hash_file>(&[Argument::Int(3), Argument::Int(3)]));
        assert_eq!(digest(&state, 3), at_once(&content, 3));
        assert_eq!(machine.times("file_read"), 1 + (content.len() - FIRST_ROOM).div_ceil(ROOM) + 1);
        Machine::default().install();
        let state = bytes(call::<hash_file>(&[Argument::Int(3), Argument::Int(16)]));
        assert_eq!(digest(&state, 16), at_once(b"", 16));
        assert_eq!(call::<hash_file>(&[Argument::Int(3), Argument::Int(-1)]), Err(Error::Protocol));
    }

    #[test]
    fn digests_are_made_one_by_one() {
        let md5 =
            "0cc175b9c0f1b6a831c399e269772661\nd41d8cd98f00b204e9800998ecf8427e\n92eb5ffee6ae2fec3ad71c777531578f";
        assert_eq!(batch::<hash_string>(b"a\n\nb", LINES, &[0]).unwrap().output, md5.as_bytes());
        let sha1 = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\nda39a3ee5e6b4b0d3255bfef95601890afd80709";
        assert_eq!(batch::<hash_string>(b"a\n", LINES, &[1]).unwrap().output, sha1.as_bytes());
        assert_eq!(batch::<hash_string>(b"a", LINES, &[99]), Err(Error::Protocol));
    }

    #[test]
    fn many_texts_have_the_digests_of_each() {
        for algorithm in 0..17 {
            for longest in [40, 300] {
                let texts: Vec<Vec<u8>> = (0..50).map(|at| alloc::vec![b'x'; at * 7 % longest]).collect();
                let one = |text: &Vec<u8>| {
                    let hex = bytes(call::<hash_string>(&[Argument::Bytes(text), Argument::Int(algorithm)]));
                    String::from_utf8(hex).unwrap()
                };
                let want: Vec<String> = texts.iter().map(one).collect();
                let got = batch::<hash_string>(&texts.join(&b'\n'), LINES, &[algorithm]).unwrap();
                assert_eq!(String::from_utf8(got.output).unwrap(), want.join("\n"), "{algorithm} {longest}");
                assert_eq!((got.items, got.left.len()), (50, 0));
            }
        }
    }

    #[test]
    fn missing_texts_have_no_digest() {
        for (algorithm, length) in [(0, 32), (16, 64)] {
            let input = [&[0b101, 0, 0, 0, 0, 0, 0, 0][..], b"a\nb\nc"].concat();
            let form = LINES | FORM_NULLS | 3 << FORM_COUNT_SHIFT;
            let got = batch::<hash_string>(&input, form, &[algorithm]).unwrap();
            let lengths: Vec<usize> = got.output.split(|&byte| byte == b'\n').map(<[u8]>::len).collect();
            assert_eq!(lengths, [length, 0, length]);
        }
    }

    fn record(start: u64, length: u64, total: i64, state: [u32; 4]) -> Vec<u8> {
        let mut record = [start.to_le_bytes(), length.to_le_bytes(), total.to_le_bytes()].concat();
        state.iter().for_each(|word| record.extend(word.to_le_bytes()));
        record
    }

    #[test]
    fn parts_write_their_states_back() {
        let data = [7u8; 64];
        let mut input = [record(80, 64, -1, md5_lanes::START), record(80, 5, 5, md5_lanes::START)].concat();
        input.extend(data);
        assert_eq!(super::md5_parts(2, Buffer(&mut input)), Ok(2));
        assert_eq!(input[64..80], at_once(&data[..5], 0));
        let word = |at: usize| u32::from_le_bytes(core::array::from_fn(|byte| input[24 + at * 4 + byte]));
        let mut last = [record(40, 0, 64, core::array::from_fn(word)), data.to_vec()].concat();
        assert_eq!(super::md5_parts(1, Buffer(&mut last)), Ok(1));
        assert_eq!(last[24..40], at_once(&data, 0));
    }

    #[test]
    fn damaged_tables_are_refused() {
        let mut table = [record(40, 10, 10, md5_lanes::START), Vec::from([0; 9])].concat();
        assert_eq!(super::md5_parts(1, Buffer(&mut table)), Err(Error::Protocol), "one byte too few");
        let mut table = [record(39, 1, 1, md5_lanes::START), Vec::from([0; 9])].concat();
        assert_eq!(super::md5_parts(1, Buffer(&mut table)), Err(Error::Protocol), "data in the table");
        let mut table = [record(40, 9, -1, md5_lanes::START), Vec::from([0; 9])].concat();
        assert_eq!(super::md5_parts(1, Buffer(&mut table)), Err(Error::Protocol), "a part that is no block");
        for count in [-1, 3, i64::MAX, 1 << 32] {
            assert_eq!(super::md5_parts(count, Buffer(&mut table)), Err(Error::Protocol), "{count}");
        }
    }
}
