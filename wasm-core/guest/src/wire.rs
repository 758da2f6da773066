//! The numbers of convention 2. The host has the same ones; nothing else is agreed upon.

/// The first line of the record says this.
pub const VERSION: &str = "skywasm 2\n";
/// Parameters of every export; all are `i64`, and so is the result.
pub const SLOTS: usize = 8;
/// The slot that says where the input lies: 0 for the window, else the address that `skywasm.reserve` gave.
pub const INPUT_SLOT: usize = 7;
/// Bytes of the input window.
pub const INPUT_WINDOW: usize = 32 * 1024;
/// Bytes of the output window.
pub const OUTPUT_WINDOW: usize = 64 * 1024;
/// The most the large input may hold, in bytes.
pub const LARGE_LIMIT: usize = 24 * 1024 * 1024;

/// Added to the length of a result that lies in the output window.
pub const IN_WINDOW: i64 = 1 << 29;
/// A slice of the work is done: call `skywasm.resume`.
pub const AGAIN: i64 = -1 << 32;
/// A request lies in the cells: call `skywasm.resume` with the answer as its first parameter. No error number of a
/// system is as low, so that an answer which a trap leaves in its slot does not ask once more.
pub const ASK: i64 = (-1 << 32) - 1;

/// Cells, each an `i64`.
pub const CELLS: usize = 16;
/// A result of 64 bits.
pub const CELL_VALUE: usize = 0;
/// The number of a request.
pub const CELL_REQUEST: usize = 1;
/// The first of a request's arguments.
pub const CELL_ARGUMENTS: usize = 2;
/// As many cells as a request's arguments may take.
pub const ARGUMENTS: usize = 7;
/// The address of a batch's offsets.
pub const CELL_OFFSETS: usize = 9;
/// The address of the indices of items that were left to the reference.
pub const CELL_LEFT: usize = 10;
/// How many were.
pub const CELL_LEFT_COUNT: usize = 11;
/// The number of items of a batch.
pub const CELL_ITEMS: usize = 12;

/// The slot of `skywasm.resume` that holds the host's answer.
pub const ANSWER_SLOT: usize = 0;
/// The slot that holds the length of a batch's input.
pub const LENGTH_SLOT: usize = 0;
/// The slot that holds a batch's form.
pub const FORM_SLOT: usize = 1;
/// The slot of a batch's first parameter that is the same for all items.
pub const REST_SLOT: usize = 2;

/// The bits of a form that tell the layout.
pub const FORM_LAYOUT: i64 = 3;
/// Items joined by a separator that none of them holds.
pub const FORM_JOINED: i64 = 0;
/// Offsets of 32 bits, then the data.
pub const FORM_OFFSETS32: i64 = 1;
/// Offsets of 64 bits, then the data.
pub const FORM_OFFSETS64: i64 = 2;
/// Little-endian values of 8 bytes.
pub const FORM_FIXED8: i64 = 3;
/// A bitmap before the data tells which items are there.
pub const FORM_NULLS: i64 = 4;
/// Results of variable length come with offsets, not with separators.
pub const FORM_OFFSETS_OUT: i64 = 8;
/// Where the separator begins in a form.
pub const FORM_SEPARATOR_SHIFT: u32 = 8;
/// Where the count of items begins in a form.
pub const FORM_COUNT_SHIFT: u32 = 16;
