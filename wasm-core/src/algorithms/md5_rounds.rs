//! The rounds of MD5, a message a lane: two sets of four 32-bit lanes, interleaved step by step.
//!
//! The compiler would put all steps of one set before those of the other, and the processor would then wait on
//! one chain at a time. `simd::pin` keeps the order written here: a store that may not be moved past the next.

#![forbid(unsafe_code)]

use super::simd::{self, Lanes};

/// Messages at once.
pub const LANES: usize = 8;
/// Bytes that a message goes on by.
pub const BLOCK: usize = 64;

/// RFC 1321's constants: the integer part of 2^32 times |sin(i + 1)|.
static SINES: [u32; 64] = [
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8,
    0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340,
    0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87,
    0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
    0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039,
    0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
    0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
    0xeb86d391,
];

/// The states of four messages, word by word.
pub type Set = [Lanes; 4];

macro_rules! mix_f {
    ($b:expr, $c:expr, $d:expr) => {
        simd::xor($d, simd::and($b, simd::xor($c, $d)))
    };
}
macro_rules! mix_g {
    ($b:expr, $c:expr, $d:expr) => {
        simd::xor($c, simd::and($d, simd::xor($b, $c)))
    };
}
macro_rules! mix_h {
    ($b:expr, $c:expr, $d:expr) => {
        simd::xor(simd::xor($b, $c), $d)
    };
}
macro_rules! mix_i {
    ($b:expr, $c:expr, $d:expr) => {
        simd::xor($c, simd::or($b, simd::not($d)))
    };
}

/// What all blocks share: the constants, once for each lane, and room for a block of each message.
pub struct Rounds {
    constants: [Lanes; 64],
    words: [[Lanes; 16]; 2],
}

impl Rounds {
    pub fn new() -> Rounds {
        // A function with a target feature is no closure by itself.
        #[allow(clippy::redundant_closure)]
        Rounds { constants: SINES.map(|value| simd::splat(value)), words: [[simd::splat(0); 16]; 2] }
    }

    /// Runs whole blocks, the same number of bytes in each lane.
    // Once in the artifact, and not in each of its callers: it is 10 KB long.
    #[inline(never)]
    pub fn compress(&mut self, sets: &mut [Set; 2], data: &[&[u8]; LANES]) {
        let length = data.iter().map(|lane| lane.len()).min().unwrap_or(0) / BLOCK * BLOCK;
        let mut at = 0;
        while at < length {
            for (four, words) in data.as_chunks::<4>().0.iter().zip(&mut self.words) {
                simd::transpose(four, at, words);
            }
            rounds(sets, &self.words, &self.constants);
            at += BLOCK;
        }
    }
}

/// Runs one block in each lane.
// Unrolled, so that every shift is a constant. Inlined, so that what many blocks share stays where it is.
#[inline(always)]
fn rounds(sets: &mut [Set; 2], words: &[[Lanes; 16]; 2], constants: &[Lanes; 64]) {
    let [mut a, mut b, mut c, mut d] = core::array::from_fn(|i| [sets[0][i], sets[1][i]]);
    macro_rules! step {
        ($mix:ident, $a:ident, $b:ident, $c:ident, $d:ident, $word:literal, $step:expr, $shift:literal) => {
            for set in 0..2 {
                let sum = simd::add(simd::add($a[set], words[set][$word]), constants[$step]);
                let sum = simd::add(sum, $mix!($b[set], $c[set], $d[set]));
                $a[set] = simd::add($b[set], simd::rotate::<$shift>(sum));
                simd::pin($a[set]);
            }
        };
    }
    macro_rules! four {
        ($mix:ident, $first:literal, [$w:literal, $x:literal, $y:literal, $z:literal],
         [$s:literal, $t:literal, $u:literal, $v:literal]) => {
            step!($mix, a, b, c, d, $w, $first, $s);
            step!($mix, d, a, b, c, $x, $first + 1, $t);
            step!($mix, c, d, a, b, $y, $first + 2, $u);
            step!($mix, b, c, d, a, $z, $first + 3, $v);
        };
    }
    four!(mix_f, 0, [0, 1, 2, 3], [7, 12, 17, 22]);
    four!(mix_f, 4, [4, 5, 6, 7], [7, 12, 17, 22]);
    four!(mix_f, 8, [8, 9, 10, 11], [7, 12, 17, 22]);
    four!(mix_f, 12, [12, 13, 14, 15], [7, 12, 17, 22]);
    four!(mix_g, 16, [1, 6, 11, 0], [5, 9, 14, 20]);
    four!(mix_g, 20, [5, 10, 15, 4], [5, 9, 14, 20]);
    four!(mix_g, 24, [9, 14, 3, 8], [5, 9, 14, 20]);
    four!(mix_g, 28, [13, 2, 7, 12], [5, 9, 14, 20]);
    four!(mix_h, 32, [5, 8, 11, 14], [4, 11, 16, 23]);
    four!(mix_h, 36, [1, 4, 7, 10], [4, 11, 16, 23]);
    four!(mix_h, 40, [13, 0, 3, 6], [4, 11, 16, 23]);
    four!(mix_h, 44, [9, 12, 15, 2], [4, 11, 16, 23]);
    four!(mix_i, 48, [0, 7, 14, 5], [6, 10, 15, 21]);
    four!(mix_i, 52, [12, 3, 10, 1], [6, 10, 15, 21]);
    four!(mix_i, 56, [8, 15, 6, 13], [6, 10, 15, 21]);
    four!(mix_i, 60, [4, 11, 2, 9], [6, 10, 15, 21]);
    for set in 0..2 {
        for (word, new) in sets[set].iter_mut().zip([a[set], b[set], c[set], d[set]]) {
            *word = simd::add(*word, new);
        }
    }
}
