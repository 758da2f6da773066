//! Where an instance's memory is: statics in a module, a thread's own in native tests.

#[cfg(target_family = "wasm")]
mod allocator;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod wasm;

#[cfg(target_family = "wasm")]
pub use allocator::Allocator;
#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{InputWindow, address, addresses, cell, read_output, set_cell, show, with, write_input};
#[cfg(target_family = "wasm")]
pub(crate) use wasm::{InputWindow, address, addresses, set_cell, show, with};
