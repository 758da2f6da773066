//! Copying a few bytes.
//!
//! A copy of variable length becomes wasm's `memory.copy`, which engines carry out in a call of their own: some
//! 20 ns, as much as the work on a short item takes. Copies of constant length become plain loads and stores.

#![forbid(unsafe_code)]

use alloc::vec::Vec;

/// From here on the engine's own copy is faster.
const LONG: usize = 256;

/// Appends `bytes` to `out`.
#[inline]
pub fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() >= LONG {
        out.extend_from_slice(bytes);
        return;
    }
    let (sixteens, mut rest) = bytes.as_chunks::<16>();
    for sixteen in sixteens {
        out.extend_from_slice(sixteen);
    }
    if let Some((eight, more)) = rest.split_first_chunk::<8>() {
        out.extend_from_slice(eight);
        rest = more;
    }
    if let Some((four, more)) = rest.split_first_chunk::<4>() {
        out.extend_from_slice(four);
        rest = more;
    }
    for &byte in rest {
        out.push(byte);
    }
}

/// Copies `bytes` to the start of `room`, which holds at least as many.
#[inline]
pub fn fill(room: &mut [u8], bytes: &[u8]) {
    let (to, to_rest) = room[..bytes.len()].as_chunks_mut::<8>();
    let (from, from_rest) = bytes.as_chunks::<8>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    for (to, from) in to_rest.iter_mut().zip(from_rest) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_copied_whole() {
        let source: Vec<u8> = (0..300u32).map(|i| i as u8).collect();
        for length in 0..300 {
            let mut out = alloc::vec![7];
            append(&mut out, &source[..length]);
            assert_eq!(out[1..], source[..length]);
            let mut room = [9u8; 301];
            fill(&mut room, &source[..length]);
            assert_eq!(room[..length], source[..length]);
            assert_eq!(room[length], 9);
        }
    }
}
