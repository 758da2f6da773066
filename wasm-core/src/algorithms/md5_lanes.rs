//! MD5 of many messages at once, one a lane.
//!
//! One MD5 stream cannot be sped up: each of its 64 steps a block waits for the one before. Eight streams can
//! share the machine: `md5_rounds`.
//!
//! ```text
//! while jobs are left or a lane is busy:
//!     give every idle lane the next job, longest first
//!     n = blocks left in the lane that ends first
//!     run n blocks in all lanes (an idle lane repeats another's and is not looked at)
//!     a lane whose data is used up goes on with its padding block, or ends its job
//! ```

#![forbid(unsafe_code)]

use super::bytes::fill;
pub use super::md5_rounds::LANES;
use super::md5_rounds::{BLOCK, Rounds, Set};
use super::simd;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// From this many bytes in the last block on, the length needs a block of its own.
const LENGTH_AT: usize = 56;

/// RFC 1321's starting state.
pub const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

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

const CLASSES: usize = 512;

/// What tells how long a message keeps its lane: exact for short ones, within a sixteenth for long ones.
fn size_class(job: &Job<'_>) -> usize {
    let length = job.data.len();
    // Messages of as many blocks differ in those of their padding, and lanes that end together waste none.
    let size = 2 * (length / BLOCK) + usize::from(length % BLOCK >= LENGTH_AT);
    let class = match size.checked_ilog2() {
        Some(bits @ 5..) => 16 * (bits as usize - 4) + (size >> (bits - 4)),
        _ => size,
    };
    class.min(CLASSES - 1)
}

/// The longest jobs first, so that no lane is left alone with a long one at the end. Classes are enough for that, and
/// take no comparisons.
fn order(jobs: &[Job<'_>]) -> Vec<u32> {
    let mut places = [0u32; CLASSES];
    for job in jobs {
        places[CLASSES - 1 - size_class(job)] += 1;
    }
    let mut sum = 0;
    for place in &mut places {
        sum += core::mem::replace(place, sum);
    }
    let mut order = vec![0; jobs.len()];
    for (number, job) in jobs.iter().enumerate() {
        let place = &mut places[CLASSES - 1 - size_class(job)];
        order[*place as usize] = number as u32;
        *place += 1;
    }
    order
}

/// Runs all jobs; their states are the digests of those that were last parts.
pub fn run(jobs: &mut [Job<'_>]) {
    let mut shared = Rounds::new();
    let order = order(jobs);
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
        shared.compress(&mut sets, &cut);
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
    let mut shared = Rounds::new();
    let mut blocks = [[0u8; BLOCK]; LANES];
    for eight in parts.chunks(LANES) {
        for (block, part) in blocks.iter_mut().zip(eight) {
            fill_block(block, text, part.start, part.len());
        }
        // A function with a target feature is no closure by itself.
        #[allow(clippy::redundant_closure)]
        let mut sets = [START.map(|word| simd::splat(word)); 2];
        shared.compress(&mut sets, &blocks.each_ref().map(|block| &block[..]));
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
    fn long_jobs_come_first() {
        let data = message(1 << 20);
        let job = |&length: &usize| Job { data: &data[..length], state: START, total: None };
        let lengths = [0, 64, 1 << 20, 192, 256, 63, 4096, 5200, 4100, 1 << 19, 65, 56];
        let jobs: Vec<Job<'_>> = lengths.iter().map(job).collect();
        let sorted: Vec<usize> = order(&jobs).iter().map(|&at| lengths[at as usize]).collect();
        assert_eq!(sorted, [1 << 20, 1 << 19, 5200, 4096, 4100, 256, 192, 64, 65, 63, 56, 0]);
        let classes: Vec<usize> = (0..1 << 20).step_by(8).map(|length| size_class(&job(&length))).collect();
        assert!(classes.is_sorted_by(|one, next| one == next || one + 1 == *next), "{classes:?}");
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
