//! Copying a few bytes.
//!
//! A copy of variable length becomes wasm's `memory.copy`, which engines carry out in a call of their own: some 20 ns,
//! as much as a short item's work takes. Copies of constant length become plain loads and stores.

/// From here on the engine's own copy is faster.
const LONG: usize = 256;

/// Copies `bytes` to the start of `room`, which must hold at least as many.
#[inline]
pub(crate) fn fill(room: &mut [u8], bytes: &[u8]) {
    if bytes.len() >= LONG {
        room[..bytes.len()].copy_from_slice(bytes);
        return;
    }
    let (to, to_rest) = room[..bytes.len()].as_chunks_mut::<8>();
    let (from, from_rest) = bytes.as_chunks::<8>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    for (to, from) in to_rest.iter_mut().zip(from_rest) {
        *to = *from;
    }
}

/// The first place of `byte` in `text`. Items are short: a word at a time beats a search that must be set up for each.
#[inline(always)]
pub(crate) fn find(text: &[u8], byte: u8) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let pattern = u64::from(byte) * ONES;
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let difference = u64::from_le_bytes(*word) ^ pattern;
        let hits = difference.wrapping_sub(ONES) & !difference & (ONES << 7);
        if hits != 0 {
            return Some(index * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|&other| other == byte).map(|at| words.len() * 8 + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn every_length_is_copied_whole() {
        let source: Vec<u8> = (0..300u32).map(|i| i as u8).collect();
        for length in 0..300 {
            let mut room = [9u8; 301];
            fill(&mut room, &source[..length]);
            assert_eq!(room[..length], source[..length]);
            assert_eq!(room[length], 9);
        }
    }

    #[test]
    fn the_first_place_is_found() {
        let text: Vec<u8> = (0..200u32).map(|i| (i % 50) as u8).collect();
        for byte in 0..60 {
            for start in 0..9 {
                let text = &text[start..];
                assert_eq!(find(text, byte), text.iter().position(|&other| other == byte));
            }
        }
        assert_eq!(find(b"\x01\x00\x01", 0), Some(1));
        assert_eq!(find(b"\x00\x01\x00\x80\xff\xff\xff\xff\x80", 0x80), Some(3));
    }
}
