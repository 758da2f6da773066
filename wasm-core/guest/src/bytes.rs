//! Copying a few bytes, and finding one.
//!
//! A copy of variable length becomes wasm's `memory.copy`, which engines carry out in a call of their own: some 20 ns,
//! as much as a short item's work takes. Compilers make one of every loop that copies, too. Copies of constant length
//! become plain loads and stores, so a short text is copied as two halves that may overlap.

/// Copies `bytes` to the start of `room`, which must hold at least as many.
#[inline]
pub(crate) fn fill(room: &mut [u8], bytes: &[u8]) {
    let room = &mut room[..bytes.len()];
    match bytes.len() {
        0 => {}
        1..4 => few(room, bytes),
        4..8 => halves::<4>(room, bytes),
        8..16 => halves::<8>(room, bytes),
        16..32 => halves::<16>(room, bytes),
        32..64 => halves::<32>(room, bytes),
        64..=128 => halves::<64>(room, bytes),
        _ => room.copy_from_slice(bytes),
    }
}

/// One, two or three bytes.
#[inline(always)]
fn few(room: &mut [u8], bytes: &[u8]) {
    let (last, middle) = (bytes.len() - 1, bytes.len() / 2);
    room[0] = bytes[0];
    room[middle] = bytes[middle];
    room[last] = bytes[last];
}

/// Between `N` and twice as many bytes: the first `N`, and the last.
#[inline(always)]
fn halves<const N: usize>(room: &mut [u8], bytes: &[u8]) {
    if let (Some(to), Some(from)) = (room.first_chunk_mut::<N>(), bytes.first_chunk::<N>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (room.last_chunk_mut::<N>(), bytes.last_chunk::<N>()) {
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
