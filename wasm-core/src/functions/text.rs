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
