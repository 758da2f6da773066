//! MD5 of many messages at once, one a lane.
//!
//! One MD5 stream cannot be sped up: each of its 64 steps a block waits for the one before. Eight streams can
//! share the machine: two sets of four 32-bit lanes, interleaved step by step.
//!
//! ```text
//! while jobs are left or a lane is busy:
//!     give every idle lane the next job, longest first
//!     n = blocks left in the lane that ends first
//!     run n blocks in all lanes (an idle lane repeats another's and is not looked at)
//!     a lane whose data is used up goes on with its padding block, or ends its job
//! ```
//! The compiler would put all steps of one set before those of the other, and the processor would then wait on
//! one chain at a time. `simd::pin` keeps the order written here: a store that may not be moved past the next.

#![forbid(unsafe_code)]

use super::bytes::fill;
use super::simd::{self, Lanes};
use alloc::vec::Vec;
use core::ops::Range;

/// Messages at once.
pub const LANES: usize = 8;
const BLOCK: usize = 64;
/// From this many bytes in the last block on, the length needs a block of its own.
const LENGTH_AT: usize = 56;

/// RFC 1321's starting state.
pub const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

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

type Set = [Lanes; 4];

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

/// The blocks of all lanes, word by word.
type Words = [[Lanes; 16]; 2];

#[inline(always)]
fn take(words: &mut Words, data: &[&[u8]; LANES], at: usize) {
    for set in 0..2 {
        let four = [data[set * 4], data[set * 4 + 1], data[set * 4 + 2], data[set * 4 + 3]];
        simd::transpose(&four, at, &mut words[set]);
    }
}

/// Runs whole blocks, the same number of bytes in each lane.
fn compress(sets: &mut [Set; 2], data: &[&[u8]; LANES], constants: &[Lanes; 64]) {
    let length = data.iter().map(|lane| lane.len()).min().unwrap_or(0) / BLOCK * BLOCK;
    let mut at = 0;
    let mut words = [[simd::splat(0); 16]; 2];
    while at < length {
        take(&mut words, data, at);
        rounds(sets, &words, constants);
        at += BLOCK;
    }
}

/// Runs one block in each lane.
// One step a line, 64 lines: unrolled so that every shift is a constant. Inlined, so that what many blocks share stays
// where it is.
#[allow(clippy::too_many_lines)]
#[inline(always)]
fn rounds(sets: &mut [Set; 2], words: &Words, constants: &[Lanes; 64]) {
    let [mut a, mut b, mut c, mut d] = core::array::from_fn(|i| [sets[0][i], sets[1][i]]);
    macro_rules! step {
        ($mix:ident, $a:ident, $b:ident, $c:ident, $d:ident, $word:literal, $step:literal, $shift:literal) => {
            for set in 0..2 {
                let sum = simd::add(simd::add($a[set], words[set][$word]), constants[$step]);
                let sum = simd::add(sum, $mix!($b[set], $c[set], $d[set]));
                $a[set] = simd::add($b[set], simd::rotate::<$shift>(sum));
                simd::pin($a[set]);
            }
        };
    }
    step!(mix_f, a, b, c, d, 0, 0, 7);
    step!(mix_f, d, a, b, c, 1, 1, 12);
    step!(mix_f, c, d, a, b, 2, 2, 17);
    step!(mix_f, b, c, d, a, 3, 3, 22);
    step!(mix_f, a, b, c, d, 4, 4, 7);
    step!(mix_f, d, a, b, c, 5, 5, 12);
    step!(mix_f, c, d, a, b, 6, 6, 17);
    step!(mix_f, b, c, d, a, 7, 7, 22);
    step!(mix_f, a, b, c, d, 8, 8, 7);
    step!(mix_f, d, a, b, c, 9, 9, 12);
    step!(mix_f, c, d, a, b, 10, 10, 17);
    step!(mix_f, b, c, d, a, 11, 11, 22);
    step!(mix_f, a, b, c, d, 12, 12, 7);
    step!(mix_f, d, a, b, c, 13, 13, 12);
    step!(mix_f, c, d, a, b, 14, 14, 17);
    step!(mix_f, b, c, d, a, 15, 15, 22);
    step!(mix_g, a, b, c, d, 1, 16, 5);
    step!(mix_g, d, a, b, c, 6, 17, 9);
    step!(mix_g, c, d, a, b, 11, 18, 14);
    step!(mix_g, b, c, d, a, 0, 19, 20);
    step!(mix_g, a, b, c, d, 5, 20, 5);
    step!(mix_g, d, a, b, c, 10, 21, 9);
    step!(mix_g, c, d, a, b, 15, 22, 14);
    step!(mix_g, b, c, d, a, 4, 23, 20);
    step!(mix_g, a, b, c, d, 9, 24, 5);
    step!(mix_g, d, a, b, c, 14, 25, 9);
    step!(mix_g, c, d, a, b, 3, 26, 14);
    step!(mix_g, b, c, d, a, 8, 27, 20);
    step!(mix_g, a, b, c, d, 13, 28, 5);
    step!(mix_g, d, a, b, c, 2, 29, 9);
    step!(mix_g, c, d, a, b, 7, 30, 14);
    step!(mix_g, b, c, d, a, 12, 31, 20);
    step!(mix_h, a, b, c, d, 5, 32, 4);
    step!(mix_h, d, a, b, c, 8, 33, 11);
    step!(mix_h, c, d, a, b, 11, 34, 16);
    step!(mix_h, b, c, d, a, 14, 35, 23);
    step!(mix_h, a, b, c, d, 1, 36, 4);
    step!(mix_h, d, a, b, c, 4, 37, 11);
    step!(mix_h, c, d, a, b, 7, 38, 16);
    step!(mix_h, b, c, d, a, 10, 39, 23);
    step!(mix_h, a, b, c, d, 13, 40, 4);
    step!(mix_h, d, a, b, c, 0, 41, 11);
    step!(mix_h, c, d, a, b, 3, 42, 16);
    step!(mix_h, b, c, d, a, 6, 43, 23);
    step!(mix_h, a, b, c, d, 9, 44, 4);
    step!(mix_h, d, a, b, c, 12, 45, 11);
    step!(mix_h, c, d, a, b, 15, 46, 16);
    step!(mix_h, b, c, d, a, 2, 47, 23);
    step!(mix_i, a, b, c, d, 0, 48, 6);
    step!(mix_i, d, a, b, c, 7, 49, 10);
    step!(mix_i, c, d, a, b, 14, 50, 15);
    step!(mix_i, b, c, d, a, 5, 51, 21);
    step!(mix_i, a, b, c, d, 12, 52, 6);
    step!(mix_i, d, a, b, c, 3, 53, 10);
    step!(mix_i, c, d, a, b, 10, 54, 15);
    step!(mix_i, b, c, d, a, 1, 55, 21);
    step!(mix_i, a, b, c, d, 8, 56, 6);
    step!(mix_i, d, a, b, c, 15, 57, 10);
    step!(mix_i, c, d, a, b, 6, 58, 15);
    step!(mix_i, b, c, d, a, 13, 59, 21);
    step!(mix_i, a, b, c, d, 4, 60, 6);
    step!(mix_i, d, a, b, c, 11, 61, 10);
    step!(mix_i, c, d, a, b, 2, 62, 15);
    step!(mix_i, b, c, d, a, 9, 63, 21);
    for set in 0..2 {
        for (word, new) in sets[set].iter_mut().zip([a[set], b[set], c[set], d[set]]) {
            *word = simd::add(*word, new);
        }
    }
}

/// One message, or a part of one: the state goes in and comes out.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The bytes; for a part that is not the last, a multiple of 64.
    pub data: &'a [u8],
    /// `START` for the first part, else what the part before left here.
    pub state: [u32; 4],
    /// For the last part: the length of the whole message in bytes.
    pub total: Option<u64>,
}

/// A lane's work: what is left of its job's data, then the padding.
#[derive(Clone, Copy)]
struct Lane {
    job: usize,
    done: usize,
    padding: usize,
    in_padding: bool,
}

/// The end of a message: its last bytes, a one bit, zeros, its length in bits. One or two blocks.
fn pad(rest: &[u8], total: u64, room: &mut [u8; 2 * BLOCK]) -> usize {
    *room = [0; 2 * BLOCK];
    fill(room, rest);
    room[rest.len()] = 0x80;
    let length = if rest.len() < LENGTH_AT { BLOCK } else { 2 * BLOCK };
    room[length - 8..length].copy_from_slice(&(total << 3).to_le_bytes());
    length
}

/// The eight lanes and what they keep between calls of `compress`.
struct Machine {
    sets: [Set; 2],
    lanes: [Option<Lane>; LANES],
    pads: [[u8; 2 * BLOCK]; LANES],
}

impl Machine {
    fn load(&mut self, lane: usize, state: &[u32; 4]) {
        for (word, &value) in self.sets[lane / 4].iter_mut().zip(state) {
            *word = simd::with_lane(*word, lane % 4, value);
        }
    }

    fn unload(&self, lane: usize) -> [u32; 4] {
        self.sets[lane / 4].map(|word| simd::lane(word, lane % 4))
    }

    /// The bytes that a lane has before it.
    fn ahead<'a>(&'a self, number: usize, lane: &Lane, jobs: &[Job<'a>]) -> &'a [u8] {
        if lane.in_padding {
            &self.pads[number][lane.done..lane.padding]
        } else {
            let data = jobs[lane.job].data;
            &data[lane.done..data.len() / BLOCK * BLOCK]
        }
    }

    /// Moves a lane whose bytes are used up to its padding; false when its job is done.
    fn start_padding(&mut self, number: usize, lane: &mut Lane, jobs: &[Job<'_>]) -> bool {
        let job = &jobs[lane.job];
        match job.total {
            Some(total) if !lane.in_padding => {
                let rest = &job.data[job.data.len() / BLOCK * BLOCK..];
                lane.padding = pad(rest, total, &mut self.pads[number]);
                lane.in_padding = true;
                lane.done = 0;
                true
            }
            _ => false,
        }
    }

    /// Gives a lane the next job that has anything to do; none when there are no more.
    fn next_job(&mut self, number: usize, order: &mut core::slice::Iter<'_, u32>, jobs: &[Job<'_>]) {
        self.lanes[number] = order.next().map(|&job| {
            let job = job as usize;
            let mut lane = Lane { job, done: 0, padding: 0, in_padding: false };
            self.load(number, &jobs[job].state);
            if jobs[job].data.len() < BLOCK {
                // Short messages are padding from the start. An empty part that is not the last has nothing to do.
                self.start_padding(number, &mut lane, jobs);
            }
            lane
        });
    }
}

/// A state as the bytes of a digest.
pub fn digest(state: [u32; 4]) -> [u8; 16] {
    core::array::from_fn(|i| state[i / 4].to_le_bytes()[i % 4])
}

/// Runs all jobs; their states are the digests of those that were last parts.
pub fn run(jobs: &mut [Job<'_>]) {
    let constants: [Lanes; 64] = core::array::from_fn(|i| simd::splat(SINES[i]));
    let mut order: Vec<u32> = (0..jobs.len() as u32).collect();
    // Longest first, so that no lane is left alone with a long one at the end.
    order.sort_by_key(|&job| core::cmp::Reverse(jobs[job as usize].data.len()));
    let mut order = order.iter();
    let zero = [simd::splat(0); 4];
    let mut machine = Machine { sets: [zero; 2], lanes: [None; LANES], pads: [[0; 2 * BLOCK]; LANES] };
    for number in 0..LANES {
        machine.next_job(number, &mut order, jobs);
    }
    while let Some(some) = (0..LANES).find(|&number| machine.lanes[number].is_some()) {
        let ahead: [&[u8]; LANES] = core::array::from_fn(|number| {
            let number = if machine.lanes[number].is_some() { number } else { some };
            machine.lanes[number].as_ref().map_or(&[][..], |lane| machine.ahead(number, lane, jobs))
        });
        let length = ahead.iter().map(|bytes| bytes.len()).min().unwrap_or(0);
        let cut = ahead.map(|bytes| &bytes[..length]);
        let mut sets = machine.sets;
        compress(&mut sets, &cut, &constants);
        machine.sets = sets;
        for number in 0..LANES {
            let Some(mut lane) = machine.lanes[number] else { continue };
            lane.done += length;
            let left = machine.ahead(number, &lane, jobs).len();
            if left > 0 || machine.start_padding(number, &mut lane, jobs) {
                machine.lanes[number] = Some(lane);
            } else {
                jobs[lane.job].state = machine.unload(number);
                machine.next_job(number, &mut order, jobs);
            }
        }
    }
}

/// What stands behind a message in its only block, by its length: a one bit, zeros, its length in bits.
static ENDS: [[u8; BLOCK]; LENGTH_AT] = {
    let mut ends = [[0; BLOCK]; LENGTH_AT];
    let mut length = 0;
    while length < LENGTH_AT {
        ends[length][length] = 0x80;
        ends[length][LENGTH_AT] = (length << 3) as u8;
        ends[length][LENGTH_AT + 1] = (length >> 5) as u8;
        length += 1;
    }
    ends
};

/// Ones, then zeros: a window of it keeps the first bytes of a block.
static KEEP: [u8; 2 * BLOCK] = {
    let mut keep = [0; 2 * BLOCK];
    let mut at = 0;
    while at < BLOCK {
        keep[at] = 0xff;
        at += 1;
    }
    keep
};

/// The only block of the message that starts at `start` of `text` and is `length` bytes long.
#[inline]
fn fill_block(block: &mut [u8; BLOCK], text: &[u8], start: usize, length: usize) {
    let Some(window) = text[start..].first_chunk::<BLOCK>() else {
        *block = ENDS[length];
        fill(block, &text[start..start + length]);
        return;
    };
    // What follows the message in the text is read too and masked out: no branch, no copy of variable length.
    let Some(keep) = KEEP[BLOCK - length..].first_chunk::<BLOCK>() else { return };
    for (((byte, &from), &keep), &end) in block.iter_mut().zip(window).zip(keep).zip(&ENDS[length]) {
        *byte = from & keep | end;
    }
}

/// The digests of parts of a text that are all one block with their padding, eight at a time.
///
/// Needs no order, no lanes that end at different times, and no state but the result.
pub fn run_short(text: &[u8], parts: &[Range<usize>], mut each: impl FnMut(&[u8; 16])) {
    let constants: [Lanes; 64] = core::array::from_fn(|i| simd::splat(SINES[i]));
    let mut blocks = [[0u8; BLOCK]; LANES];
    let mut words = [[simd::splat(0); 16]; 2];
    for eight in parts.chunks(LANES) {
        for (block, part) in blocks.iter_mut().zip(eight) {
            fill_block(block, text, part.start, part.len());
        }
        // A function with a target feature is no closure by itself.
        #[allow(clippy::redundant_closure)]
        let mut sets = [START.map(|word| simd::splat(word)); 2];
        take(&mut words, &blocks.each_ref().map(|block| &block[..]), 0);
        rounds(&mut sets, &words, &constants);
        for (set, four) in sets.iter().zip(eight.chunks(4)) {
            for digest in &simd::columns(set)[..four.len()] {
                each(digest);
            }
        }
    }
}

/// The longest message of one block.
pub const SHORT: usize = LENGTH_AT - 1;

#[cfg(test)]
mod tests {
    use super::*;
    use md5::{Digest, Md5};

    fn bytes(state: &[u32; 4]) -> Vec<u8> {
        state.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn message(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i % 251) as u8).collect()
    }

    fn check(lengths: &[usize]) {
        let messages: Vec<Vec<u8>> = lengths.iter().map(|&length| message(length)).collect();
        let mut jobs: Vec<Job<'_>> =
            messages.iter().map(|data| Job { data, state: START, total: Some(data.len() as u64) }).collect();
        run(&mut jobs);
        for (job, data) in jobs.iter().zip(&messages) {
            assert_eq!(bytes(&job.state), Md5::digest(data).as_slice(), "{} of {lengths:?}", data.len());
        }
    }

    #[test]
    fn every_length_around_a_block() {
        for length in 0..200 {
            check(&[length]);
        }
    }

    #[test]
    fn any_number_of_messages_of_any_mix() {
        check(&[]);
        for count in 1..20 {
            let lengths: Vec<usize> = (0..count).map(|i| i * 37 % 300).collect();
            check(&lengths);
        }
        check(&[100_000, 1, 2, 3, 64, 128, 55, 56, 57, 119, 120, 5000, 63, 0, 0, 65]);
    }

    #[test]
    fn short_messages_by_the_shorter_way() {
        for count in 0..60 {
            // All lengths, at all distances from the end of the text.
            let (mut text, mut parts) = (Vec::new(), Vec::new());
            for i in 0..count {
                let start = text.len();
                text.extend(message(i * 7 % (SHORT + 1)));
                parts.push(start..text.len());
                text.push(b'\xff');
            }
            let mut digests = Vec::new();
            run_short(&text, &parts, |digest| digests.push(digest.to_vec()));
            let want: Vec<Vec<u8>> = parts.iter().map(|part| Md5::digest(&text[part.clone()]).to_vec()).collect();
            assert_eq!(digests, want);
        }
    }

    #[test]
    fn a_message_in_parts_gives_the_same_digest() {
        let data = message(64 * 40 + 17);
        let other = message(3000);
        let mut state = START;
        for part in data[..64 * 40].chunks(64 * 8) {
            let mut jobs = [
                Job { data: part, state, total: None },
                Job { data: &other, state: START, total: Some(3000) },
                Job { data: &[], state, total: None },
            ];
            run(&mut jobs);
            assert_eq!(jobs[2].state, state, "an empty part changes nothing");
            assert_eq!(bytes(&jobs[1].state), Md5::digest(&other).as_slice());
            state = jobs[0].state;
        }
        let mut last = [Job { data: &data[64 * 40..], state, total: Some(data.len() as u64) }];
        run(&mut last);
        assert_eq!(bytes(&last[0].state), Md5::digest(&data).as_slice());
    }
}
