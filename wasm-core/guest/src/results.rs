//! The results of a batch.

use crate::answers::Finished;
use crate::column::Column;
use crate::error::Error;
use crate::memory;
use crate::wire::{CELL_ITEMS, CELL_LEFT, CELL_LEFT_COUNT, CELL_OFFSETS, FORM_OFFSETS_OUT, FORM_SEPARATOR_SHIFT};
use alloc::vec::Vec;

/// Bytes that are free in the output whenever an item begins.
const SPARE: usize = 64;

/// What a batch gives beside the bytes of its results.
#[derive(Debug, Default)]
pub struct Sidecar {
    offsets: Vec<i32>,
    left: Vec<i32>,
    items: usize,
}

impl Sidecar {
    pub(crate) const fn new() -> Sidecar {
        Sidecar { offsets: Vec::new(), left: Vec::new(), items: 0 }
    }

    /// Tells the host where everything is, and keeps it until the next batch.
    pub(crate) fn show(self) {
        memory::set_cell(CELL_OFFSETS, memory::address(self.offsets.as_ptr()));
        memory::set_cell(CELL_LEFT, memory::address(self.left.as_ptr()));
        memory::set_cell(CELL_LEFT_COUNT, self.left.len() as i64);
        memory::set_cell(CELL_ITEMS, self.items as i64);
        drop(memory::with(|state| core::mem::replace(&mut state.sidecar, self)));
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn parts(&self) -> (&[i32], &[i32]) {
        (&self.offsets, &self.left)
    }
}

/// What a batch writes its results to, item by item.
#[derive(Debug)]
pub struct Results {
    output: Vec<u8>,
    sidecar: Sidecar,
    separator: u8,
    with_offsets: bool,
    width: usize,
}

impl Results {
    /// For the results of `column`, which are `width` bytes each; 0 when that varies.
    pub(crate) fn new(form: i64, width: usize, column: &Column<'_>, mut output: Vec<u8>) -> Result<Results, Error> {
        output.try_reserve_exact(column.room(width)?)?;
        let with_offsets = width == 0 && form & FORM_OFFSETS_OUT != 0;
        let mut sidecar = Sidecar::new();
        if with_offsets {
            sidecar.offsets.try_reserve_exact(column.known() + 1)?;
            sidecar.offsets.push(0);
        }
        Ok(Results { output, sidecar, separator: (form >> FORM_SEPARATOR_SHIFT) as u8, with_offsets, width })
    }

    /// Where the result of the item under way goes: append to it.
    #[inline(always)]
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// What the output holds before the item under way.
    #[inline(always)]
    pub fn mark(&self) -> usize {
        self.output.len()
    }

    /// Ends an item whose result was appended, or undoes one that is left to the reference.
    ///
    /// # Errors
    /// Those of the item that end the batch: all but `Error::Input`.
    #[inline(always)]
    pub fn end(&mut self, mark: usize, result: Result<(), Error>) -> Result<(), Error> {
        if let Err(error) = result {
            self.leave(mark, error)?;
        }
        self.sidecar.items += 1;
        // What most results need, so that running out of memory is an error and no trap.
        self.output.try_reserve(SPARE)?;
        if self.width > 0 {
            self.output.resize(mark + self.width, 0);
        } else if self.with_offsets {
            self.sidecar.offsets.try_reserve(1)?;
            self.sidecar.offsets.push(i32::try_from(self.output.len()).map_err(|_| Error::Limit)?);
        } else {
            self.output.push(self.separator);
        }
        Ok(())
    }

    /// Ends an item with these bytes.
    ///
    /// # Errors
    /// `Error::Limit` for more than offsets can tell.
    #[inline(always)]
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let mark = self.mark();
        self.output.extend_from_slice(bytes);
        self.end(mark, Ok(()))
    }

    /// Ends an item that is missing: its result is empty, or zero.
    ///
    /// # Errors
    /// As [`push`](Results::push).
    pub fn missing(&mut self) -> Result<(), Error> {
        self.push(&[])
    }

    #[cold]
    fn leave(&mut self, mark: usize, error: Error) -> Result<(), Error> {
        if error != Error::Input {
            return Err(error);
        }
        self.output.truncate(mark);
        self.sidecar.left.try_reserve(1)?;
        self.sidecar.left.push(i32::try_from(self.sidecar.items).map_err(|_| Error::Limit)?);
        Ok(())
    }

    /// Ends the batch.
    pub fn finish(mut self) -> (Finished, Vec<u8>) {
        if self.width == 0 && !self.with_offsets {
            self.output.pop();
        }
        (Finished::Batch(self.sidecar), self.output)
    }
}
