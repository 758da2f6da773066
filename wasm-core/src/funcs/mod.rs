//! The logic: plain slices in, `Result` out, no `unsafe`.

pub mod base36;
pub mod cpu_mem;
pub mod floats;
pub mod hashing;
pub mod pynum;
pub mod system;
pub mod tail;
pub mod text;
