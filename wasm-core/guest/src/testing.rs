//! A host for native tests: what it answers is set for each thread.

use crate::answers::{Answer, Finished, Later};
use crate::error::Error;
use crate::exports::{Exported, Slots};
use crate::kinds::{Frame, Param};
use crate::memory;
use crate::state;
use crate::tasks;
use crate::wire::{
    AGAIN, ASK, CELL_ARGUMENTS, CELL_ITEMS, CELL_LEFT_COUNT, CELL_REQUEST, CELL_VALUE, FORM_SLOT, IN_WINDOW,
    INPUT_SLOT, INPUT_WINDOW, LENGTH_SLOT, OUTPUT_WINDOW, REST_SLOT, SLOTS,
};
use core::cell::RefCell;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::thread_local;
use std::vec::Vec;

/// What the host is asked.
#[derive(Debug)]
pub struct Request<'a> {
    /// The request's name.
    pub name: &'a str,
    /// Its number in the record.
    pub number: i64,
    /// Its arguments as they lie in the cells; a pointer is no use here.
    pub arguments: [i64; crate::wire::ARGUMENTS],
    /// The bytes and texts among the arguments, in their order.
    pub bytes: &'a [Vec<u8>],
    /// The rooms among the arguments, in their order.
    pub rooms: &'a mut [Vec<u8>],
}

impl Request<'_> {
    /// Writes into the first room as much of `bytes` as it holds; how much that is.
    pub fn fill(&mut self, bytes: &[u8]) -> i64 {
        let room = &mut self.rooms[0];
        let length = bytes.len().min(room.len());
        room[..length].copy_from_slice(&bytes[..length]);
        length as i64
    }
}

type Answers = Box<dyn FnMut(&mut Request<'_>) -> i64>;

thread_local! {
    static HOST: RefCell<Option<Answers>> = const { RefCell::new(None) };
}

/// Sets the host of this thread: `answers` gives the answer to each request.
pub fn host(answers: impl FnMut(&mut Request<'_>) -> i64 + 'static) {
    HOST.set(Some(Box::new(answers)));
}

/// A capability, which only tests can make. Any other parameter that takes no slot may be had too.
///
/// # Panics
/// For a type that is no capability.
pub fn capability<C: for<'a> Param<'a>>() -> C {
    assert!(C::KIND.starts_with('+'), "{} is no capability", C::KIND);
    C::take(&mut Frame::new(&mut [], &[0; SLOTS], 0, &mut Vec::new())).expect("a capability takes nothing")
}

/// Runs an asynchronous function to its end.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    counted(future).0
}

/// Runs the rest of a [`Work`](crate::Work): what it gave, and how often it paused.
pub fn finish<T: Answer>(later: Later<T>) -> (Result<Value, Error>, usize) {
    let (outcome, pauses) = counted(later.task);
    (outcome.map(|(finished, output)| Value::of(T::KIND, finished, output)), pauses)
}

/// Runs an asynchronous function to its end: what it gave, and how often it paused.
pub fn counted<T>(future: impl Future<Output = T>) -> (T, usize) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    let mut pauses = 0;
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return (answer, pauses);
        }
        match asked() {
            Some(answer) => memory::with(|state| state.exchange.answer(answer)),
            None => pauses += 1,
        }
    }
}

/// What the host of this thread answers to the request under way, if there is one.
fn asked() -> Option<i64> {
    let (name, bytes, mut rooms) = memory::with(|state| {
        let exchange = &mut state.exchange;
        exchange.asks().then(|| (exchange.name, exchange.bytes.clone(), core::mem::take(&mut exchange.rooms)))
    })?;
    let mut host = HOST.take().unwrap_or_else(|| panic!("{name} is asked, and no host is set"));
    let arguments = core::array::from_fn(|at| memory::cell(CELL_ARGUMENTS + at));
    let number = memory::cell(CELL_REQUEST);
    let answer = host(&mut Request { name, number, arguments, bytes: &bytes, rooms: &mut rooms });
    HOST.set(Some(host));
    memory::with(|state| state.exchange.rooms = rooms);
    Some(answer)
}

/// A parameter as the host passes it.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    /// A text or bytes.
    Bytes(&'a [u8]),
    /// A whole number.
    Int(i64),
    /// A double.
    Float(f64),
    /// A truth value.
    Bool(bool),
}

/// A result as the host reads it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text or bytes.
    Bytes(Vec<u8>),
    /// A whole number.
    Int(i64),
    /// A double.
    Float(f64),
    /// A truth value.
    Bool(bool),
}

impl Value {
    fn of(kind: &str, finished: Finished, output: Vec<u8>) -> Value {
        match finished {
            Finished::Value(bits) if kind == "float" => Value::Float(f64::from_bits(bits as u64)),
            Finished::Plain(value) if kind == "bool" => Value::Bool(value != 0),
            Finished::Value(value) | Finished::Plain(value) => Value::Int(value),
            _ => Value::Bytes(output),
        }
    }
}

/// The line of an export in the record.
pub fn record<E: Exported>() -> &'static str {
    E::LINE
}

/// Calls an export as the host does, through slots, windows and cells.
///
/// # Errors
/// The function's own.
pub fn call<E: Exported>(arguments: &[Argument<'_>]) -> Result<Value, Error> {
    let (mut slots, mut input) = ([0; SLOTS], Vec::new());
    for (slot, argument) in slots.iter_mut().zip(arguments) {
        *slot = match *argument {
            Argument::Bytes(bytes) => {
                input.extend_from_slice(bytes);
                bytes.len() as i64
            }
            Argument::Int(value) => value,
            Argument::Float(value) => value.to_bits() as i64,
            Argument::Bool(value) => value.into(),
        };
    }
    place(&mut slots, &input);
    let code = resumed(E::call(&slots));
    let kind = E::LINE.rsplit_once("->").map_or("", |(_, words)| words.split_whitespace().next().unwrap_or(""));
    match (kind, code) {
        (_, ..0) => Err(error(code)),
        ("int", _) => Ok(Value::Int(memory::cell(CELL_VALUE))),
        ("float", _) => Ok(Value::Float(f64::from_bits(memory::cell(CELL_VALUE) as u64))),
        ("bool", _) => Ok(Value::Bool(code != 0)),
        ("size", _) => Ok(Value::Int(code)),
        _ => Ok(Value::Bytes(output(code))),
    }
}

/// The results of a batch as the host reads them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The bytes of the results.
    pub output: Vec<u8>,
    /// Their offsets, when they were asked for.
    pub offsets: Vec<i32>,
    /// The indices of items left to the reference.
    pub left: Vec<i32>,
    /// The number of items.
    pub items: i64,
}

/// Calls a batch as the host does. `rest`: the parameters behind the first, as they lie in slots.
///
/// # Errors
/// What ended the batch.
pub fn batch<E: Exported>(input: &[u8], form: i64, rest: &[i64]) -> Result<Batch, Error> {
    let mut slots: Slots = [0; SLOTS];
    slots[LENGTH_SLOT] = input.len() as i64;
    slots[FORM_SLOT] = form;
    slots[REST_SLOT..REST_SLOT + rest.len()].copy_from_slice(rest);
    place(&mut slots, input);
    let code = resumed(E::batch(&slots));
    if code < 0 {
        return Err(error(code));
    }
    let (offsets, left) = memory::with(|state| {
        let (offsets, left) = state.sidecar.parts();
        (offsets.to_vec(), left.to_vec())
    });
    assert_eq!(memory::cell(CELL_LEFT_COUNT), left.len() as i64);
    Ok(Batch { output: output(code), offsets, left, items: memory::cell(CELL_ITEMS) })
}

/// Puts the input where it fits.
fn place(slots: &mut Slots, input: &[u8]) {
    if input.len() <= INPUT_WINDOW {
        memory::write_input(input);
        return;
    }
    slots[INPUT_SLOT] = state::reserve(input.len() as i64);
    memory::with(|state| state.large[..input.len()].copy_from_slice(input));
}

/// Resumes until there is a result.
fn resumed(mut code: i64) -> i64 {
    while code == AGAIN || code == ASK {
        assert_eq!(code == ASK, memory::with(|state| state.exchange.asks()));
        code = tasks::resume(asked().unwrap_or_default());
    }
    code
}

/// The bytes of a result.
fn output(code: i64) -> Vec<u8> {
    match code.checked_sub(IN_WINDOW) {
        Some(length) if (0..=OUTPUT_WINDOW as i64).contains(&length) => memory::read_output(length as usize),
        // Natively a pointer has more bits than the result has for it; the vector is at hand.
        _ => memory::with(|state| state.output.clone()),
    }
}

fn error(code: i64) -> Error {
    let known = [Error::Input, Error::Limit, Error::Protocol];
    known.into_iter().find(|error| error.code() == code).unwrap_or_else(|| panic!("{code} is no result"))
}
