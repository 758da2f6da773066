//! How an export runs an ordinary function, once or for the items of a batch.

use crate::answers::Answer;
use crate::column::Column;
use crate::error::Error;
use crate::kinds::Frame;
use crate::results::Results;
use crate::state::{self, Input};
use crate::tasks;
use crate::wire::{FORM_SLOT, INPUT_SLOT, LENGTH_SLOT, REST_SLOT, SLOTS};
use alloc::vec::Vec;

/// Calls a function once.
///
/// # Safety
/// For what `export!` makes, and nobody else: the [`Frame`] makes capabilities.
#[allow(unsafe_code)]
#[inline(always)]
pub unsafe fn run<R: Answer>(slots: &[i64; SLOTS], body: impl FnOnce(&mut Frame<'_>) -> Result<R, Error>) -> i64 {
    state::drop_pending();
    let mut input = match Input::open(slots[INPUT_SLOT]) {
        Ok(input) => input,
        Err(error) => return error.code(),
    };
    let mut output = state::take_output();
    let answer = body(&mut Frame::new(input.bytes(), slots, 0, &mut output));
    let finished = answer.and_then(|answer| answer.finish(&mut output));
    input.close();
    tasks::finish(finished, output)
}

/// The items of a batch, what their results are written to, and the slots of the other parameters.
pub struct Batch<'a> {
    /// The items.
    pub column: Column<'a>,
    /// Their results.
    pub results: Results,
    slots: &'a [i64; SLOTS],
}

impl<'a> Batch<'a> {
    pub(crate) fn new(
        input: &'a [u8],
        slots: &'a [i64; SLOTS],
        fixed: bool,
        width: usize,
        output: Vec<u8>,
    ) -> Result<Batch<'a>, Error> {
        let form = slots[FORM_SLOT];
        let column = Column::new(input, form, fixed)?;
        let results = Results::new(form, width, &column, output)?;
        Ok(Batch { column, results, slots })
    }

    /// What the parameters beside the item are taken from.
    #[inline(always)]
    pub fn rest(&mut self) -> Frame<'_> {
        Frame::new(&mut [], self.slots, REST_SLOT, self.results.output())
    }
}

/// Calls a function for the items of a batch; `body` is the loop.
///
/// # Safety
/// As [`run`].
#[allow(unsafe_code)]
#[inline(always)]
pub unsafe fn run_batch(
    slots: &[i64; SLOTS],
    fixed: bool,
    width: usize,
    body: impl FnOnce(&mut Batch<'_>) -> Result<(), Error>,
) -> i64 {
    state::drop_pending();
    let mut input = match Input::open(slots[INPUT_SLOT]) {
        Ok(input) => input,
        Err(error) => return error.code(),
    };
    let whole = usize::try_from(slots[LENGTH_SLOT]).ok().and_then(|length| input.bytes().get(..length));
    let outcome = whole.ok_or(Error::Protocol).and_then(|items| {
        let mut batch = Batch::new(items, slots, fixed, width, state::take_output())?;
        body(&mut batch)?;
        Ok(batch.results.finish())
    });
    input.close();
    tasks::end(outcome)
}
