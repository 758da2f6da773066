//! The calling convention. `skywasm/_abi.py` declares the same numbers; a test compares the two.
//!
//! Every export is `(i64, i64, i64, i64) -> i64`. Bytes go in through one input buffer (`sky_input(length)`
//! gives its address) and come out through one output buffer; the guest owns both, and both hold until
//! the next call. A result is
//!
//! * 0 or more: a plain number, or for functions that give bytes `pointer << 32 | length`;
//! * `AGAIN`: the work is not done; call again with the last argument 1, everything else unchanged;
//! * any other negative number: an error code (`error.rs`).
//!
//! Every import is `(NO_ANSWER, i64, i64, i64) -> i64`. Parameters and the result share storage in the
//! host's raw calling convention, so a host function that is cut short leaves its first parameter behind
//! as its result: that parameter is `NO_ANSWER`, which no host function returns.

/// Compared by the host when it loads the artifact.
pub const ABI_VERSION: i64 = 1;
/// What a host function that was cut short seems to have answered.
pub const NO_ANSWER: i64 = i64::MIN;
/// A host function failed and the host kept the exception. Smaller negative results are error numbers.
pub const HOST_FAILED: i64 = -(1 << 20);
/// The result of a call that wants to be called again.
pub const AGAIN: i64 = -100;
/// The input and output buffers are at least this large from the start, in bytes.
pub const WINDOW: usize = 64 * 1024;
/// The most a buffer may hold, in bytes.
pub const BUFFER_LIMIT: usize = 24 * 1024 * 1024;
/// Work for one call before it asks to be called again: bytes hashed.
pub const SLICE_BYTES: usize = 256 * 1024;
/// Work for one call before it asks to be called again: divisions of one machine word.
pub const SLICE_DIVISIONS: usize = 2_000_000;
/// Work for one call before it asks to be called again: ports tried.
pub const SLICE_PORTS: i64 = 512;
