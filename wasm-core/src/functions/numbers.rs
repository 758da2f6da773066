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

#[cfg(test)]
mod tests {
    use super::*;
    use skywasm_guest::testing::{Argument, Value, batch, call, finish};
    use skywasm_guest::wire::{FORM_FIXED8, FORM_SEPARATOR_SHIFT};

    const LINES: i64 = (b'\n' as i64) << FORM_SEPARATOR_SHIFT;

    fn encoded(hex: &[u8]) -> Result<Value, Error> {
        call::<base36_encode>(&[Argument::Bytes(hex)])
    }

    #[test]
    fn a_long_number_takes_turns() {
        let long = "f".repeat(40_000);
        let mut out = Vec::new();
        let Ok(Work::Later(rest)) = super::base36_encode(Text(long.as_bytes()), Out::new(&mut out)) else {
            panic!("{} digits in one go", long.len())
        };
        let (answer, pauses) = finish(rest);
        assert!(pauses > 2, "{pauses}");
        assert_eq!(answer, encoded(long.as_bytes()));
        let mut want = Vec::new();
        base36::encode(long.as_bytes(), &mut want).unwrap();
        assert_eq!(answer, Ok(Value::Bytes(want)));
    }

    #[test]
    fn one_call_is_enough_for_most() {
        assert_eq!(encoded(b"FF"), Ok(Value::Bytes(b"73".to_vec())));
        let mut out = Vec::new();
        let most = [b'f'; base36::ONE_CALL_DIGITS];
        assert!(matches!(super::base36_encode(Text(&most), Out::new(&mut out)), Ok(Work::Done(_))));
        for bad in [&b""[..], b"0x1", &[b'g'; base36::ONE_CALL_DIGITS + 1]] {
            assert_eq!(encoded(bad), Err(Error::Input));
        }
    }

    #[test]
    fn many_numbers_leave_what_takes_long_and_what_is_none() {
        let joined = [&b"ff\nxyz\n"[..], &[b'f'; base36::ONE_CALL_DIGITS + 1], b"\n\nffffffffffffffff"].concat();
        let answer = batch::<base36_encode>(&joined, LINES, &[]).unwrap();
        assert_eq!(answer.output, b"73\n\n\n\n3w5e11264sgsf");
        assert_eq!((answer.left, answer.items), (Vec::from([1, 2, 3]), 5));
    }

    #[test]
    fn doubles_are_formatted_one_by_one() {
        let bytes: Vec<u8> = [0.25f64, 2.0, -0.04].iter().flat_map(|value| value.to_le_bytes()).collect();
        let formatted = |bytes: &[u8], precision| batch::<format_float>(bytes, FORM_FIXED8 | LINES, &[precision]);
        assert_eq!(formatted(&bytes, 1).unwrap().output, b"0.2\n2\n-0.0");
        assert_eq!(formatted(&bytes, -1).unwrap().left, [0, 1, 2]);
        assert_eq!(formatted(&bytes[1..], 1), Err(Error::Protocol));
        assert_eq!(call::<format_float>(&[Argument::Float(2.0), Argument::Int(-1)]), Err(Error::Input));
    }
}
