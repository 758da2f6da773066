//! Work that the host resumes: asynchronous functions, polled by hand.

use crate::answers::Finished;
use crate::calls::Batch;
use crate::error::Error;
use crate::kinds::Frame;
use crate::memory;
use crate::state::{self, Input};
use crate::wire::{AGAIN, ASK, CELL_ANSWER, CELL_VALUE, INPUT_SLOT, LENGTH_SLOT, SLOTS};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

/// How a task ends: with the output it owned.
pub type Outcome = Result<(Finished, Vec<u8>), Error>;
/// A call under way.
pub type Task = Pin<Box<dyn Future<Output = Outcome>>>;

/// Gives the host its turn: the call answers AGAIN, and goes on here when it is resumed.
pub fn pause() -> Pause {
    Pause { paused: false }
}

/// See [`pause`].
#[derive(Debug)]
#[must_use = "nothing pauses until this is awaited"]
pub struct Pause {
    paused: bool,
}

impl Future for Pause {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if core::mem::replace(&mut self.paused, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// What an asynchronous call owns: a copy of its input, because the window is free again while it waits.
pub struct Owned {
    input: Vec<u8>,
    slots: [i64; SLOTS],
    output: Vec<u8>,
}

impl Owned {
    fn copy(slots: &[i64; SLOTS], length: usize) -> Result<Owned, Error> {
        let mut input = Vec::new();
        if length > 0 {
            let mut whole = Input::open(slots[INPUT_SLOT])?;
            let copied = whole.bytes().get(..length).ok_or(Error::Protocol).and_then(|bytes| {
                input.try_reserve_exact(length)?;
                input.extend_from_slice(bytes);
                Ok(())
            });
            whole.close();
            copied?;
        }
        Ok(Owned { input, slots: *slots, output: Vec::new() })
    }

    /// What the call's parameters are taken from.
    pub fn frame(&mut self) -> Frame<'_> {
        Frame::new(&mut self.input, &self.slots, 0, &mut self.output)
    }

    /// Where the result goes.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Ends the call.
    pub fn end(self, finished: Finished) -> Outcome {
        Ok((finished, self.output))
    }

    /// The items of a batch, and what its results are written to.
    ///
    /// # Errors
    /// `Error::Protocol` for a form that is none.
    pub fn batch(&self, fixed: bool, width: usize) -> Result<Batch<'_>, Error> {
        Batch::new(&self.input, &self.slots, fixed, width, Vec::new())
    }
}

/// Starts an asynchronous function. `lengths` has a bit for each slot that holds the length of a part of the input.
///
/// # Safety
/// For what `export!` makes, and nobody else: the [`Frame`] that comes of it makes capabilities.
#[allow(unsafe_code)]
pub unsafe fn start<F>(slots: &[i64; SLOTS], lengths: u32, body: impl FnOnce(Owned) -> F) -> i64
where
    F: Future<Output = Outcome> + 'static,
{
    state::drop_pending();
    let mut length = 0usize;
    for (at, &slot) in slots.iter().enumerate() {
        if lengths >> at & 1 == 1 {
            let Some(sum) = usize::try_from(slot).ok().and_then(|slot| length.checked_add(slot)) else {
                return Error::Protocol.code();
            };
            length = sum;
        }
    }
    match Owned::copy(slots, length) {
        Ok(owned) => drive(Box::pin(body(owned))),
        Err(error) => error.code(),
    }
}

/// Starts the batch of an asynchronous function.
///
/// # Safety
/// As [`start`].
#[allow(unsafe_code)]
pub unsafe fn start_batch<F>(slots: &[i64; SLOTS], body: impl FnOnce(Owned) -> F) -> i64
where
    F: Future<Output = Outcome> + 'static,
{
    // SAFETY: handed on to the caller.
    unsafe { start(slots, 1 << LENGTH_SLOT, body) }
}

/// Goes on until the task ends or the host has its turn.
pub(crate) fn drive(mut task: Task) -> i64 {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match task.as_mut().poll(&mut context) {
            Poll::Pending => return wait(task),
            Poll::Ready(Ok((Finished::Later(next), _))) => task = next,
            Poll::Ready(outcome) => {
                drop(task);
                memory::with(|state| state.exchange.clear());
                return end(outcome);
            }
        }
    }
}

fn wait(task: Task) -> i64 {
    memory::with(|state| {
        state.task = Some(task);
        if state.exchange.asks() { ASK } else { AGAIN }
    })
}

/// The result of a call that ended so, where the output was the task's own.
pub(crate) fn end(outcome: Outcome) -> i64 {
    match outcome {
        Ok((finished, output)) => finish(Ok(finished), output),
        Err(error) => error.code(),
    }
}

/// The result of a call that ended so.
#[inline(always)]
pub(crate) fn finish(outcome: Result<Finished, Error>, output: Vec<u8>) -> i64 {
    match outcome {
        Ok(Finished::Output) => state::show(output),
        Ok(Finished::Value(value)) => {
            memory::set_cell(CELL_VALUE, value);
            state::keep(output);
            0
        }
        Ok(Finished::Plain(value)) => {
            state::keep(output);
            value
        }
        Ok(Finished::Batch(sidecar)) => {
            sidecar.show();
            state::show(output)
        }
        Ok(Finished::Later(task)) => {
            state::keep(output);
            drive(task)
        }
        Err(error) => {
            state::keep(output);
            error.code()
        }
    }
}

/// `skywasm.resume`.
pub fn resume() -> i64 {
    let task = memory::with(|state| {
        let task = state.task.take()?;
        state.exchange.answer(memory::cell(CELL_ANSWER));
        Some(task)
    });
    task.map_or(Error::Protocol.code(), drive)
}
