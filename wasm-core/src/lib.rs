//! The sandboxed half of skywasm.
//!
//! `funcs` holds the logic as safe functions over slices; it knows nothing of WebAssembly and is tested
//! natively. `exports` is the thin skin that the artifact shows to its host, `host` the only way out.
//!
//! The artifact is `no_std`: the standard library would import WASI functions, and the promise of the
//! sandbox is that nothing but `sky_host.*` is imported.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

pub mod abi;
pub mod error;
pub mod funcs;
pub mod host;
mod simd;

#[cfg(target_family = "wasm")]
mod exports;
