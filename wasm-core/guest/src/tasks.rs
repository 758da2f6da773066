//! Work that the host resumes: asynchronous functions, polled by hand.

use crate::answers::Finished;
use crate::calls::Batch;
use crate::error::Error;
use crate::kinds::Frame;
use crate::memory;
use crate::state::{self, Input};
use crate::wire::{AGAIN, ASK, CELL_VALUE, INPUT_SLOT, LENGTH_SLOT, SLOTS};
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

/// What an asynchronous call has: a copy of its input, because the window is free again while it waits.
#[derive(Default)]
pub(crate) struct Call {
    input: Vec<u8>,
    slots: [i64; SLOTS],
    output: Vec<u8>,
}

impl Call {
    fn copy_input(&mut self, length: usize) -> Result<(), Error> {
        let mut whole = Input::open(self.slots[INPUT_SLOT])?;
        let copied = whole.bytes().get(..length).ok_or(Error::Protocol).and_then(|bytes| {
            self.input.try_reserve_exact(length)?;
            self.input.extend_from_slice(bytes);
            Ok(())
        });
        whole.close();
        copied
    }
}

/// A call for as long as it runs. It is boxed so that futures stay small: moving one is no `memory.copy`.
pub struct Owned(Box<Call>);

impl Owned {
    /// The box of the call before, if that ended well.
    fn new(slots: &[i64; SLOTS]) -> Owned {
        let mut call = memory::with(|state| state.call.take()).unwrap_or_default();
        call.slots = *slots;
        Owned(call)
    }

    /// What the call's parameters are taken from.
    pub fn frame(&mut self) -> Frame<'_> {
        let call = &mut *self.0;
        Frame::new(&mut call.input, &call.slots, 0, &mut call.output)
    }

    /// Where the result goes.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.0.output
    }

    /// Ends the call.
    pub fn end(mut self, finished: Finished) -> Outcome {
        let output = core::mem::take(&mut self.0.output);
        self.0.input = Vec::new();
        memory::with(|state| state.call = Some(self.0));
        Ok((finished, output))
    }

    /// The items of a batch, and what its results are written to.
    ///
    /// # Errors
    /// `Error::Protocol` for a form that is none.
    pub fn batch(&self, fixed: bool, width: usize) -> Result<Batch<'_>, Error> {
        Batch::new(&self.0.input, &self.0.slots, fixed, width, Vec::new())
    }
}

/// The sum of the slots that hold lengths.
fn input_length(slots: &[i64; SLOTS], lengths: u32) -> Result<usize, Error> {
    let mut sum = 0usize;
    for (at, &slot) in slots.iter().enumerate() {
        if lengths >> at & 1 == 1 {
            sum = usize::try_from(slot).ok().and_then(|slot| sum.checked_add(slot)).ok_or(Error::Protocol)?;
        }
    }
    Ok(sum)
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
    let mut owned = Owned::new(slots);
    if lengths != 0 {
        let copied = input_length(slots, lengths).and_then(|length| owned.0.copy_input(length));
        if let Err(error) = copied {
            return error.code();
        }
    }
    drive(Box::pin(body(owned)))
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

/// `skywasm.resume`, with the answer to the request if there was one.
pub fn resume(answer: i64) -> i64 {
    let task = memory::with(|state| {
        let task = state.task.take()?;
        state.exchange.answer(answer);
        Some(task)
    });
    task.map_or(Error::Protocol.code(), drive)
}
