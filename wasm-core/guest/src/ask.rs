//! Asking the host, and going on with its answer.
//!
//! A request has the instance's one exchange to itself: it waits for its turn, puts its arguments into the cells, ends
//! the call with ASK, and finds the answer when it is polled again.

use crate::memory;
use crate::wire::{CELL_ARGUMENTS, CELL_REQUEST};
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// The one request that can be under way in an instance.
pub(crate) struct Exchange {
    taken: bool,
    asked: bool,
    answer: Option<i64>,
    /// Cells used by arguments.
    used: usize,
    /// What the host may write to, and how many of them have been taken back.
    pub(crate) rooms: Vec<Vec<u8>>,
    back: usize,
    #[cfg(not(target_family = "wasm"))]
    pub(crate) name: &'static str,
    #[cfg(not(target_family = "wasm"))]
    pub(crate) bytes: Vec<Vec<u8>>,
}

impl Exchange {
    pub(crate) const fn new() -> Exchange {
        Exchange {
            taken: false,
            asked: false,
            answer: None,
            used: 0,
            rooms: Vec::new(),
            back: 0,
            #[cfg(not(target_family = "wasm"))]
            name: "",
            #[cfg(not(target_family = "wasm"))]
            bytes: Vec::new(),
        }
    }

    /// Forgets the request, and keeps the vectors.
    pub(crate) fn clear(&mut self) {
        self.rooms.clear();
        self.taken = false;
        #[cfg(not(target_family = "wasm"))]
        self.bytes.clear();
    }

    /// Whether the host has a request to answer.
    pub(crate) fn asks(&self) -> bool {
        self.taken && self.asked && self.answer.is_none()
    }

    /// Takes the host's answer, if it was asked.
    pub(crate) fn answer(&mut self, value: i64) {
        if self.asks() {
            self.answer = Some(value);
        }
    }

    fn take(&mut self, number: i64) {
        memory::set_cell(CELL_REQUEST, number);
        (self.taken, self.asked, self.answer, self.used, self.back) = (true, false, None, 0, 0);
    }

    fn put(&mut self, value: i64) {
        memory::set_cell(CELL_ARGUMENTS + self.used, value);
        self.used += 1;
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.put(memory::address(bytes.as_ptr()));
        self.put(bytes.len() as i64);
    }

    fn put_room(&mut self, mut room: Vec<u8>) {
        self.put(memory::address(room.as_mut_ptr()));
        self.put(room.len() as i64);
        self.rooms.push(room);
    }

    fn take_room(&mut self) -> Vec<u8> {
        self.back += 1;
        self.rooms.get_mut(self.back - 1).map(core::mem::take).unwrap_or_default()
    }
}

/// Waits for the exchange; for what `host!` makes.
#[must_use = "nothing is asked until this is awaited"]
pub struct Turn {
    number: i64,
    #[cfg(not(target_family = "wasm"))]
    name: &'static str,
}

impl Turn {
    /// A turn for the request of this number and name.
    #[inline(always)]
    pub fn new(number: i64, name: &'static str) -> Turn {
        #[cfg(target_family = "wasm")]
        let _ = name;
        Turn {
            number,
            #[cfg(not(target_family = "wasm"))]
            name,
        }
    }
}

impl Future for Turn {
    type Output = Question;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Question> {
        memory::with(|state| {
            if state.exchange.taken {
                return Poll::Pending;
            }
            state.exchange.take(self.number);
            #[cfg(not(target_family = "wasm"))]
            {
                state.exchange.name = self.name;
            }
            Poll::Ready(Question(()))
        })
    }
}

/// The exchange, to be filled in and asked. Dropping it gives the exchange back.
#[derive(Debug)]
pub struct Question(());

impl Question {
    /// Asks, once this is awaited; the host's answer.
    pub fn answer(&self) -> Answered<'_> {
        Answered(self)
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        memory::with(|state| state.exchange.clear());
    }
}

/// See [`Question::answer`].
#[derive(Debug)]
#[must_use = "nothing is asked until this is awaited"]
pub struct Answered<'a>(#[allow(dead_code)] &'a Question);

impl Future for Answered<'_> {
    type Output = i64;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<i64> {
        memory::with(|state| {
            state.exchange.asked = true;
            state.exchange.answer.map_or(Poll::Pending, Poll::Ready)
        })
    }
}

/// A type that an argument of a request may have.
pub trait Sent: Sized {
    /// The kind as the record spells it.
    const KIND: &'static str;
    /// How many cells it takes.
    const CELLS: usize;
    /// What is kept until the answer is there.
    type Kept;
    /// Puts the argument into the request.
    fn put(self, question: &Question) -> Self::Kept;
    /// Takes back what the host wrote.
    fn back(_: Self::Kept, _: &Question) {}
}

impl Sent for i64 {
    const KIND: &'static str = "int";
    const CELLS: usize = 1;
    type Kept = ();
    fn put(self, _: &Question) {
        memory::with(|state| state.exchange.put(self));
    }
}

impl Sent for bool {
    const KIND: &'static str = "bool";
    const CELLS: usize = 1;
    type Kept = ();
    fn put(self, question: &Question) {
        i64::from(self).put(question);
    }
}

impl Sent for &[u8] {
    const KIND: &'static str = "bytes";
    const CELLS: usize = 2;
    type Kept = ();
    fn put(self, _: &Question) {
        memory::with(|state| {
            state.exchange.put_bytes(self);
            #[cfg(not(target_family = "wasm"))]
            state.exchange.bytes.push(self.to_vec());
        });
    }
}

impl Sent for &str {
    const KIND: &'static str = "str";
    const CELLS: usize = 2;
    type Kept = ();
    fn put(self, question: &Question) {
        self.as_bytes().put(question);
    }
}

/// A room: the host writes into the vector's bytes, as many as its length says. While the host is asked the vector lies
/// with the instance and not with the caller, so a future that is dropped or forgotten leaves no pointer behind.
impl<'a> Sent for &'a mut Vec<u8> {
    const KIND: &'static str = "room";
    const CELLS: usize = 2;
    type Kept = &'a mut Vec<u8>;
    fn put(self, _: &Question) -> &'a mut Vec<u8> {
        let room = core::mem::take(self);
        memory::with(|state| state.exchange.put_room(room));
        self
    }
    fn back(kept: &'a mut Vec<u8>, _: &Question) {
        *kept = memory::with(|state| state.exchange.take_room());
    }
}
