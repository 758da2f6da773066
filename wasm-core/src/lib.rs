//! The sandboxed half of skywasm.
//!
//! `functions` holds what Python can call, each exported just below itself; `algorithms` what they are made of, which
//! knows nothing of WebAssembly or of hosts; `host` is the only way out. How a call gets in and out again is the crate
//! `skywasm-guest`'s matter.
//!
//! The artifact is `no_std`: the standard library would import WASI functions, and the promise of the sandbox is that
//! nothing at all is imported.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

pub mod algorithms;
pub mod functions;
pub mod host;

pub use skywasm_guest::Error;

skywasm_guest::module!();
