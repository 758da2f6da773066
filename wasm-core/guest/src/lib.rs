//! The guest's half of [skywasm](https://pypi.org/project/skywasm/): ordinary Rust functions become exports of a
//! WebAssembly module, and Python calls them in well under a microsecond.
//!
//! A module made with this crate imports nothing. It cannot reach a file, a clock or a network by itself; what it needs
//! from its host it *asks* for, and is resumed with the answer. A record in the module, made by the compiler out of the
//! functions' own types, tells the host what there is to call and which capabilities each function has.
//!
//! # A module
//!
//! ```toml
//! # Cargo.toml
//! [lib]
//! crate-type = ["cdylib", "rlib"]        # rlib: the same functions are tested natively
//!
//! [dependencies]
//! skywasm-guest = "0.1"
//!
//! [profile.release]
//! lto = true
//! panic = "abort"
//! strip = true
//! ```
//!
//! ```no_run
//! // src/lib.rs
//! #![cfg_attr(target_family = "wasm", no_std)]
//!
//! extern crate alloc;
//!
//! use skywasm_guest::{Error, Out, Text, export};
//!
//! /// Greets somebody.
//! pub fn greet(name: &str, mut out: Out<'_, str>) -> Result<(), Error> {
//!     if name.is_empty() {
//!         return Err(Error::Input); // not for this function: Python's own answers, or raises
//!     }
//!     out.extend_from_slice(b"hello ");
//!     out.extend_from_slice(name.as_bytes());
//!     Ok(())
//! }
//! export!(greet(name, out), batch);
//!
//! /// Numbers cross as they are.
//! pub fn add(a: i64, b: i64) -> Result<i64, Error> {
//!     a.checked_add(b).ok_or(Error::Input)
//! }
//! export!(add(a, b));
//!
//! skywasm_guest::module!();
//! # fn main() {}
//! ```
//!
//! `cargo build --release --target wasm32-unknown-unknown` (or `wasm32-wasip1`, as a reactor) makes the module, and in
//! Python it is `skywasm.load("hello.wasm").greet("you")`.
//!
//! # Parameters and results
//!
//! | Rust | Python | |
//! |---|---|---|
//! | [`Text<'_>`](Text) | `str` | UTF-8 in which lone surrogates may stand, as Python's texts may have them |
//! | `&str` | `str` | valid; others are [`Error::Input`] |
//! | `&[u8]` | `bytes` | |
//! | `i64`, `u32`, `f64`, `bool` | `int`, `int`, `float`, `bool` | |
//! | [`Buffer<'_>`](Buffer) | | the whole input, to be read and written |
//! | a capability | | see [`host!`]; takes no argument in Python |
//! | [`Out<'_, K>`](Out) | | where a result is written without allocating; `K` is `str`, `[u8]` or `Text<'_>` |
//!
//! Results are `()` (with an `Out`), `String`, `Vec<u8>`, `i64`, `u32`, `f64`, `bool`, a [`Result`] of these with
//! [`Error`], or a [`Work`]. What has no kind does not compile. Seven values may be passed, beside capabilities and
//! outputs.
//!
//! # Asking the host
//!
//! [`host!`] declares what the module may ask, in capabilities. A request is an `async fn` on its capability, and a
//! function that asks is one too: `export!(async name(..))`. There is no executor and there are no threads; a future is
//! polled by the host's own calls. A host function that fails raises in Python, and the function that asked is dropped
//! where it stands, with all it owns.
//!
//! # Long work
//!
//! [`pause`]`().await` gives the host its turn, so that a deadline or Ctrl-C is noticed: between two pauses there should
//! be some milliseconds of work. An ordinary function that is rarely slow can return a [`Work`], whose short way
//! allocates nothing.
//!
//! # Batches
//!
//! With `, batch` a function can be called for many first parameters at once, from lists or from Arrow columns; the
//! other parameters, which must be numbers, are the same for all. Items for which it gives [`Error::Input`] are left to
//! the reference alone, the others keep their results.
//!
//! # Memory
//!
//! A module has what its host allows. [`Error::Limit`] is for what does not fit; use `try_reserve` for what callers
//! decide the size of. Panics and failed allocations end the instance, and nothing else.
//!
//! # Tests
//!
//! Natively the module's functions are ordinary functions. [`testing`] has a host whose answers a test sets, and calls
//! exports through the whole crossing: slots, windows, cells, turns.
//!
//! # Safety
//!
//! All `unsafe` code is in this crate: the statics of an instance, the exports, the allocator. A module that denies
//! `unsafe_code` can still use the macros, but a file that forbids it cannot.
#![cfg_attr(target_family = "wasm", no_std)]
#![warn(missing_docs)]

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
