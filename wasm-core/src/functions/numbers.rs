//! Numbers as text.

use crate::Error;
use crate::algorithms::{base36, floats};
use alloc::string::String;
use alloc::vec::Vec;
use skywasm_guest::{Out, Text, Work, export, pause};

/// Work between two turns of the host: divisions of one machine word.
const SLICE_DIVISIONS: usize = 2_000_000;

/// A hexadecimal number in base 36, in lower case and without leading zeros.
///
/// # Errors
/// `Error::Input` for what is not `[0-9a-fA-F]+`.
pub fn base36_encode(hex_str: Text<'_>, mut out: Out<'_, str>) -> Result<Work<String>, Error> {
    if hex_str.len() <= base36::ONE_CALL_DIGITS {
        base36::encode(&hex_str, &mut out)?;
        return Ok(Work::Done(String::new()));
    }
    let mut job = base36::Job::new(&hex_str)?;
    Ok(Work::later(async move {
        while !job.step(SLICE_DIVISIONS) {
            pause().await;
        }
        let mut digits = Vec::new();
        job.finish(&mut digits);
        String::from_utf8(digits).map_err(|_| Error::Protocol)
    }))
}
export!(base36_encode(hex_str, out), batch);

/// An integral value without places, any other with `precision` places, rounded half to even; never an exponent.
///
/// # Errors
/// `Error::Input` for a precision below 0 or above [`floats::PRECISION_LIMIT`].
pub fn format_float(num: f64, precision: i64, mut out: Out<'_, str>) -> Result<(), Error> {
    floats::format(num, precision, &mut out)
}
export!(format_float(num, precision, out), batch);
