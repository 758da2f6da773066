//! The logic: plain slices in, `Result` out, no `unsafe`.

pub mod base36;
pub mod batch;
mod bytes;
pub mod cpu_mem;
pub mod floats;
pub mod hashing;
pub mod md5_lanes;
pub mod pynum;
pub mod system;
pub mod tail;
pub mod text;
