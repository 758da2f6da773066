//! TODO
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

mod answers;
mod ask;
mod bytes;
mod calls;
mod column;
mod error;
mod exports;
mod kinds;
mod macros;
mod memory;
mod record;
mod results;
mod state;
mod tasks;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod wire;

pub use answers::{Answer, Later, Work};
pub use column::Column;
pub use error::Error;
pub use exports::Exported;
pub use kinds::{Buffer, Item, Out, Param, Text, Written};
pub use results::Results;
pub use tasks::{Pause, pause};

/// What the macros write into a module. No part of the crate's promise.
#[doc(hidden)]
pub mod expansion {
    pub use crate::answers::Finished;
    pub use crate::ask::{Answered, Question, Sent, Turn};
    pub use crate::calls::{Batch, run, run_batch};
    pub use crate::exports::{Buffers, Reserve, Resume, Slots, VERSION};
    pub use crate::kinds::{Frame, Token};
    #[cfg(target_family = "wasm")]
    pub use crate::memory::Allocator;
    pub use crate::record::{Kinds, Line, Signature, async_kinds, kinds, text};
    pub use crate::tasks::{Outcome, Owned, Task, start, start_batch};
}
