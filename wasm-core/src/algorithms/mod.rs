//! What the functions are made of: plain slices in, `Result` out.

pub mod base36;
pub(crate) mod bytes;
pub mod floats;
pub mod hashing;
pub mod md5_lanes;
mod md5_rounds;
pub mod pynum;
pub(crate) mod simd;
pub mod tail;
pub mod text;
