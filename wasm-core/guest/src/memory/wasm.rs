//! The instance's own memory: statics. A module has one thread and imports nothing, so no export is ever entered while
//! another runs, and the host touches memory only while none does.
#![allow(unsafe_code)]

#[cfg(target_feature = "atomics")]
compile_error!("skywasm-guest keeps its state in plain statics: build without threads");

use crate::state::State;
use crate::wire::{CELLS, INPUT_WINDOW, OUTPUT_WINDOW};
use core::cell::{Cell, UnsafeCell};

/// Bytes for the first small allocations.
const ARENA: usize = 2048;

/// What the host reads and writes, and before that what the first calls allocate: pages cost a new instance more than a
/// call, so one page holds the arena, the cells and the beginning of the input. All zeros, so that a new instance has it
/// for nothing.
#[repr(C, align(4096))]
struct Windows {
    arena: UnsafeCell<[u8; ARENA]>,
    used: Cell<usize>,
    cells: [Cell<i64>; CELLS],
    input: UnsafeCell<[u8; INPUT_WINDOW]>,
    output: UnsafeCell<[u8; OUTPUT_WINDOW]>,
}

struct OneThread<T>(T);

// SAFETY: there is one thread (see above).
unsafe impl<T> Sync for OneThread<T> {}

static WINDOWS: OneThread<Windows> = OneThread(Windows {
    arena: UnsafeCell::new([0; ARENA]),
    used: Cell::new(0),
    cells: [const { Cell::new(0) }; CELLS],
    input: UnsafeCell::new([0; INPUT_WINDOW]),
    output: UnsafeCell::new([0; OUTPUT_WINDOW]),
});

static STATE: OneThread<UnsafeCell<State>> = OneThread(UnsafeCell::new(State::new()));

/// Hands out the state. `body` is this crate's own, runs no function of a module, and never comes here again.
#[inline(always)]
pub(crate) fn with<R>(body: impl FnOnce(&mut State) -> R) -> R {
    // SAFETY: no second reference exists: one thread, and `body` keeps to the rule above.
    body(unsafe { &mut *STATE.0.get() })
}

#[inline(always)]
pub(crate) fn set_cell(number: usize, value: i64) {
    WINDOWS.0.cells[number].set(value);
}

/// The input window, for as long as one call runs.
pub(crate) struct InputWindow(());

impl InputWindow {
    /// Only the beginning of a call takes it.
    #[inline(always)]
    pub(crate) fn take() -> InputWindow {
        InputWindow(())
    }

    #[inline(always)]
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: calls do not nest, so there is one `InputWindow`, and the reference borrows it.
        unsafe { &mut *WINDOWS.0.input.get() }
    }
}

/// Copies a result that fits to the output window.
#[inline]
pub(crate) fn show(bytes: &[u8]) {
    // SAFETY: nobody else in the module touches the output window, and the reference ends here.
    let window = unsafe { &mut *WINDOWS.0.output.get() };
    crate::bytes::fill(window, bytes);
}

/// The address of what the host shall read or write.
#[inline(always)]
pub(crate) fn address<T>(pointer: *const T) -> i64 {
    pointer.expose_provenance() as i64
}

/// The addresses of the input window, the output window and the cells.
pub(crate) fn addresses() -> [i64; 3] {
    let windows = &WINDOWS.0;
    [address(windows.input.get()), address(windows.output.get()), address(windows.cells.as_ptr())]
}

/// A place of the arena, or `None` where it has no room any more.
pub(super) fn from_arena(size: usize, align: usize) -> Option<*mut u8> {
    let start = WINDOWS.0.used.get().checked_next_multiple_of(align)?;
    let end = start.checked_add(size).filter(|&end| end <= ARENA)?;
    WINDOWS.0.used.set(end);
    // SAFETY: `start` lies in the arena.
    Some(unsafe { WINDOWS.0.arena.get().cast::<u8>().add(start) })
}

/// Where a pointer lies in the arena.
#[inline(always)]
pub(super) fn in_arena(pointer: *mut u8) -> Option<usize> {
    let offset = pointer.addr().wrapping_sub(WINDOWS.0.arena.get().addr());
    (offset < ARENA).then_some(offset)
}

/// Lets the allocation at `offset` have another size, where it is the last one and there is room.
pub(super) fn resize_in_arena(offset: usize, size: usize, new: usize) -> bool {
    let fits = WINDOWS.0.used.get() == offset + size && offset.checked_add(new).is_some_and(|end| end <= ARENA);
    if fits {
        WINDOWS.0.used.set(offset + new);
    }
    fits
}
