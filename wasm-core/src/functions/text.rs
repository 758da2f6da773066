//! Texts.

use crate::Error;
use crate::algorithms::text;
use skywasm_guest::{Out, Text, export};

/// From so many bytes on, growing by doubling would ask for more than the memory has.
const LARGE: usize = 1024 * 1024;

/// A text of about `max_length` code points, cut at a word's end or in the middle; see [`text::truncate`].
///
/// # Errors
/// `Error::Limit` where the memory does not hold the result.
pub fn truncate_long_string(
    s: Text<'_>,
    max_length: i64,
    truncate_middle: bool,
    mut out: Out<'_, Text<'_>>,
) -> Result<(), Error> {
    if s.len() > LARGE {
        out.try_reserve_exact(s.len() + text::DOTS.len())?;
    }
    text::truncate(&s, max_length, truncate_middle, &mut out);
    Ok(())
}
export!(truncate_long_string(s, max_length, truncate_middle, out), batch);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use skywasm_guest::testing::{Argument, Value, batch, call};
    use skywasm_guest::wire::FORM_SEPARATOR_SHIFT;

    #[test]
    fn a_large_text_gets_the_room_it_needs() {
        let text = alloc::vec![b'x'; 2 * LARGE];
        let mut out = Vec::new();
        super::truncate_long_string(Text(&text), 2 * LARGE as i64 - 1, false, Out::new(&mut out)).unwrap();
        assert_eq!(out.len(), 2 * LARGE + 2);
        assert!(out.capacity() < 2 * LARGE + 64);
        let arguments = [Argument::Bytes(&text), Argument::Int(2 * LARGE as i64 - 1), Argument::Bool(false)];
        assert_eq!(call::<truncate_long_string>(&arguments), Ok(Value::Bytes(out)));
    }

    #[test]
    fn texts_are_cut_one_by_one() {
        let answer = batch::<truncate_long_string>(b"0123456789\0ab", 0, &[5, 1]).unwrap();
        assert_eq!((&answer.output[..], answer.items), (&b"0...9\0ab"[..], 2));
        let joined = b"0123456789\n".repeat(200_000);
        let answer = batch::<truncate_long_string>(&joined, 10 << FORM_SEPARATOR_SHIFT, &[5, 0]).unwrap();
        assert_eq!(answer.output, b"01234...\n".repeat(200_000));
        assert_eq!(answer.items, 200_001);
    }
}
