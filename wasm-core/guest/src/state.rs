//! What an instance keeps from one call to the next.

use crate::ask::Exchange;
use crate::error::Error;
use crate::memory::{self, InputWindow};
use crate::results::Sidecar;
use crate::tasks::{Call, Task};
use crate::wire::{IN_WINDOW, LARGE_LIMIT, OUTPUT_WINDOW};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// An output that needed more than this is given back before the next call.
const KEEP: usize = 1024 * 1024;

pub(crate) struct State {
    /// The large input, as long as was reserved.
    pub(crate) large: Vec<u8>,
    /// What functions write to; holds until the next call what does not fit the window.
    pub(crate) output: Vec<u8>,
    /// What a batch gives beside its results.
    pub(crate) sidecar: Sidecar,
    /// What answered AGAIN or ASK.
    pub(crate) task: Option<Task>,
    pub(crate) exchange: Exchange,
    /// The box of an asynchronous call that ended, for the next.
    pub(crate) call: Option<Box<Call>>,
}

impl State {
    pub(crate) const fn new() -> State {
        State {
            large: Vec::new(),
            output: Vec::new(),
            sidecar: Sidecar::new(),
            task: None,
            exchange: Exchange::new(),
            call: None,
        }
    }
}

/// Drops a task that nobody resumed. Its own code may run, so the state is free meanwhile.
#[inline]
pub(crate) fn drop_pending() {
    if memory::with(|state| state.task.is_some()) {
        drop_task();
    }
}

#[cold]
fn drop_task() {
    drop(memory::with(|state| state.task.take()));
    memory::with(|state| state.exchange.clear());
}

/// The output vector, empty, to be given back.
#[inline]
pub(crate) fn take_output() -> Vec<u8> {
    let mut output = memory::with(|state| core::mem::take(&mut state.output));
    output.clear();
    if output.capacity() > KEEP { give_back(output) } else { output }
}

#[cold]
fn give_back(output: Vec<u8>) -> Vec<u8> {
    drop(output);
    Vec::new()
}

/// Keeps `output` and gives the result that tells the host where it lies.
pub(crate) fn show(output: Vec<u8>) -> i64 {
    let code = if output.len() <= OUTPUT_WINDOW {
        memory::show(&output);
        IN_WINDOW + output.len() as i64
    } else {
        pack(memory::address(output.as_ptr()), output.len() as i64)
    };
    keep(output);
    code
}

/// A result that lies elsewhere. An address in the upper half of the memory would make it look like an error.
fn pack(address: i64, length: i64) -> i64 {
    if address >> 31 == 0 { address << 32 | length } else { Error::Limit.code() }
}

/// Keeps `output` for the calls to come.
#[inline]
pub(crate) fn keep(output: Vec<u8>) {
    memory::with(|state| state.output = output);
}

/// The input of a call, taken out of the state while the call runs.
pub(crate) enum Input {
    Window(InputWindow),
    Large(Vec<u8>),
}

impl Input {
    /// Opens what the last slot names.
    #[inline]
    pub(crate) fn open(slot: i64) -> Result<Input, Error> {
        if slot == 0 { Ok(Input::Window(InputWindow::take())) } else { Input::open_large(slot) }
    }

    #[cold]
    fn open_large(slot: i64) -> Result<Input, Error> {
        memory::with(|state| {
            let known = !state.large.is_empty() && memory::address(state.large.as_ptr()) == slot;
            known.then(|| Input::Large(core::mem::take(&mut state.large))).ok_or(Error::Protocol)
        })
    }

    #[inline]
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        match self {
            Input::Window(window) => window.bytes(),
            Input::Large(large) => large,
        }
    }

    /// Gives the input back.
    #[inline]
    pub(crate) fn close(self) {
        if let Input::Large(large) = self {
            close_large(large);
        }
    }
}

#[cold]
fn close_large(large: Vec<u8>) {
    memory::with(|state| state.large = large);
}

/// `skywasm.buffers`.
pub fn buffers(which: i64) -> i64 {
    let which = usize::try_from(which).ok().and_then(|which| memory::addresses().get(which).copied());
    which.unwrap_or(Error::Protocol.code())
}

/// `skywasm.reserve`.
pub fn reserve(length: i64) -> i64 {
    drop_pending();
    match usize::try_from(length) {
        Ok(0) => release(),
        Ok(length) if length <= LARGE_LIMIT => memory::with(|state| grow(&mut state.large, length)),
        _ => Error::Limit.code(),
    }
}

fn release() -> i64 {
    memory::with(|state| *state = State::new());
    0
}

fn grow(large: &mut Vec<u8>, length: usize) -> i64 {
    if large.len() < length {
        // What was there need not be kept, and both at once may be too much.
        *large = Vec::new();
        if large.try_reserve_exact(length).is_err() {
            return Error::Limit.code();
        }
        large.resize(length, 0);
    }
    memory::address(large.as_mut_ptr())
}
