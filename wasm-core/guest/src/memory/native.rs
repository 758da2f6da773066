//! A thread's own memory in place of an instance's, so that native tests run what an instance runs. No `unsafe`.

use crate::state::State;
use crate::wire::{CELLS, INPUT_WINDOW, OUTPUT_WINDOW};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use std::thread_local;

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State::new()) };
    static CELL: [Cell<i64>; CELLS] = const { [const { Cell::new(0) }; CELLS] };
    static INPUT: RefCell<Vec<u8>> = RefCell::new(vec![0; INPUT_WINDOW]);
    static OUTPUT: RefCell<Vec<u8>> = RefCell::new(vec![0; OUTPUT_WINDOW]);
}

/// Hands out the state. `body` is this crate's own, runs no function of a module, and never comes here again.
pub(crate) fn with<R>(body: impl FnOnce(&mut State) -> R) -> R {
    STATE.with_borrow_mut(body)
}

pub(crate) fn cell(number: usize) -> i64 {
    CELL.with(|cells| cells[number].get())
}

pub(crate) fn set_cell(number: usize, value: i64) {
    CELL.with(|cells| cells[number].set(value));
}

/// The input window, for as long as one call runs.
pub(crate) struct InputWindow(Vec<u8>);

impl InputWindow {
    /// Only the beginning of a call takes it.
    pub(crate) fn take() -> InputWindow {
        InputWindow(INPUT.take())
    }

    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for InputWindow {
    fn drop(&mut self) {
        INPUT.set(core::mem::take(&mut self.0));
    }
}

/// Copies a result that fits to the output window.
pub(crate) fn show(bytes: &[u8]) {
    OUTPUT.with_borrow_mut(|window| crate::bytes::fill(window, bytes));
}

/// The bits of an address that would be one in a module; tests compare them, and never make a pointer of them.
pub(crate) fn address<T>(pointer: *const T) -> i64 {
    (pointer.addr() & 0x7fff_ffff) as i64
}

/// The addresses of the input window, the output window and the cells.
pub(crate) fn addresses() -> [i64; 3] {
    let input = INPUT.with_borrow(|window| address(window.as_ptr()));
    let output = OUTPUT.with_borrow(|window| address(window.as_ptr()));
    [input, output, CELL.with(|cells| address(cells.as_ptr()))]
}

/// What a host does before a call: puts bytes at the beginning of the input window.
pub(crate) fn write_input(bytes: &[u8]) {
    INPUT.with_borrow_mut(|window| window[..bytes.len()].copy_from_slice(bytes));
}

/// What a host does after a call: reads a result in the output window.
pub(crate) fn read_output(length: usize) -> Vec<u8> {
    OUTPUT.with_borrow(|window| window[..length].to_vec())
}
