//! Asking the host, and going on with its answer.

use crate::memory;
use crate::wire::{ARGUMENTS, CELL_ARGUMENTS, CELL_REQUEST};
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// Rooms that a request can have: each takes two arguments.
const ROOMS: usize = ARGUMENTS / 2;

/// A request: its number, its arguments, and the rooms the host may write to.
#[derive(Debug, Default)]
pub struct Question {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    pub(crate) arguments: [i64; ARGUMENTS],
    used: usize,
    pub(crate) rooms: [Vec<u8>; ROOMS],
    room: usize,
    #[cfg(not(target_family = "wasm"))]
    pub(crate) bytes: Vec<Vec<u8>>,
}

impl Question {
    /// A request without arguments.
    pub fn new(number: i64, name: &'static str) -> Question {
        Question { number, name, ..Question::default() }
    }

    fn put(&mut self, value: i64) {
        self.arguments[self.used] = value;
        self.used += 1;
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.put(bytes.as_ptr().expose_provenance() as i64);
        self.put(bytes.len() as i64);
    }

    /// Asks, once what this gives is awaited.
    pub fn ask(self) -> Ask {
        Ask(Stage::New(self))
    }
}

/// What the host answered, with the rooms it wrote to.
#[derive(Debug)]
pub struct Reply {
    /// The number.
    pub value: i64,
    rooms: [Vec<u8>; ROOMS],
    room: usize,
}

/// A type that an argument of a request may have.
pub trait Sent: Sized {
    /// The kind as the record spells it.
    const KIND: &'static str;
    /// How many cells it takes.
    const CELLS: usize;
    /// What is kept until the answer is there.
    type Kept;
    /// Puts the argument into a request.
    fn put(self, question: &mut Question) -> Self::Kept;
    /// Takes back what the host wrote.
    fn back(_: Self::Kept, _: &mut Reply) {}
}

impl Sent for i64 {
    const KIND: &'static str = "int";
    const CELLS: usize = 1;
    type Kept = ();
    fn put(self, question: &mut Question) {
        question.put(self);
    }
}

impl Sent for bool {
    const KIND: &'static str = "bool";
    const CELLS: usize = 1;
    type Kept = ();
    fn put(self, question: &mut Question) {
        question.put(self.into());
    }
}

impl Sent for &[u8] {
    const KIND: &'static str = "bytes";
    const CELLS: usize = 2;
    type Kept = ();
    fn put(self, question: &mut Question) {
        question.put_bytes(self);
        #[cfg(not(target_family = "wasm"))]
        question.bytes.push(self.to_vec());
    }
}

impl Sent for &str {
    const KIND: &'static str = "str";
    const CELLS: usize = 2;
    type Kept = ();
    fn put(self, question: &mut Question) {
        self.as_bytes().put(question);
    }
}

/// A room: the host writes into the vector's bytes, as many as its length says. While the host is asked the vector lies
/// with the instance and not with the caller, so a future that is dropped or forgotten leaves no pointer behind.
impl<'a> Sent for &'a mut Vec<u8> {
    const KIND: &'static str = "room";
    const CELLS: usize = 2;
    type Kept = &'a mut Vec<u8>;
    fn put(self, question: &mut Question) -> &'a mut Vec<u8> {
        let room = core::mem::take(self);
        question.put(room.as_ptr().expose_provenance() as i64);
        question.put(room.len() as i64);
        question.rooms[question.room] = room;
        question.room += 1;
        self
    }
    fn back(kept: &'a mut Vec<u8>, reply: &mut Reply) {
        *kept = core::mem::take(&mut reply.rooms[reply.room]);
        reply.room += 1;
    }
}

/// The one request that can be under way in an instance.
pub(crate) struct Exchange {
    pub(crate) question: Option<Question>,
    answer: Option<i64>,
}

impl Exchange {
    pub(crate) const fn new() -> Exchange {
        Exchange { question: None, answer: None }
    }

    /// Forgets a request that nobody waits for.
    pub(crate) fn clear(&mut self) {
        if self.question.is_some() {
            *self = Exchange::new();
        }
    }

    /// Whether the host has a request to answer.
    pub(crate) fn asks(&self) -> bool {
        self.question.is_some() && self.answer.is_none()
    }

    /// Takes the host's answer, if it was asked.
    pub(crate) fn answer(&mut self, value: i64) {
        if self.question.is_some() {
            self.answer = Some(value);
        }
    }

    fn ask(&mut self, question: Question) {
        memory::set_cell(CELL_REQUEST, question.number);
        for (at, &argument) in question.arguments[..question.used].iter().enumerate() {
            memory::set_cell(CELL_ARGUMENTS + at, argument);
        }
        self.question = Some(question);
        self.answer = None;
    }

    fn reply(&mut self) -> Option<Reply> {
        let value = self.answer.take()?;
        let question = self.question.take()?;
        Some(Reply { value, rooms: question.rooms, room: 0 })
    }
}

#[derive(Debug)]
enum Stage {
    New(Question),
    Asked,
    Done,
}

/// A request as a future.
#[derive(Debug)]
#[must_use = "nothing is asked until this is awaited"]
pub struct Ask(Stage);

impl Future for Ask {
    type Output = Reply;
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Reply> {
        if let Stage::Asked = self.0 {
            let Some(reply) = memory::with(|state| state.exchange.reply()) else { return Poll::Pending };
            self.0 = Stage::Done;
            return Poll::Ready(reply);
        }
        // Another part of the same task may be asking: one after the other.
        let free = memory::with(|state| state.exchange.question.is_none());
        if free && let Stage::New(question) = core::mem::replace(&mut self.0, Stage::Asked) {
            memory::with(|state| state.exchange.ask(question));
        }
        Poll::Pending
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        if let Stage::Asked = self.0 {
            memory::with(|state| state.exchange.clear());
        }
    }
}
