//! Files and folders.

use crate::Error;
use crate::algorithms::tail;
use crate::host::{Files, optional};
use skywasm_guest::{Out, export};

/// Descriptors that SkyPilot reckons for each entry of a folder, and at least for each file mount.
pub(crate) const FDS_PER_ENTRY: i64 = 5;

/// Looks for the last lines of a file in a window of it: how many newlines were found (a u64), and the offset behind
/// the one that completes the count (another), 0 while there are too few.
///
/// # Errors
/// `Error::Protocol` for a negative count.
pub fn read_last_n_lines(window: &[u8], wanted: i64, mut out: Out<'_, [u8]>) -> Result<(), Error> {
    let wanted = u64::try_from(wanted).map_err(|_| Error::Protocol)?;
    let scan = tail::scan(window, wanted);
    out.extend_from_slice(&scan.found.to_le_bytes());
    out.extend_from_slice(&scan.start.to_le_bytes());
    Ok(())
}
export!(read_last_n_lines(window, wanted, out));

/// The descriptors SkyPilot reckons for the transfer of a directory: five for each entry, not counting sub-directories' own.
///
/// # Errors
/// `Error::Protocol` for a number of entries that is none.
pub async fn estimate_fd_for_directory(handle: i64, files: Files) -> Result<i64, Error> {
    let entries = optional(files.dir_entries(handle, 1).await).ok_or(Error::Protocol)?;
    entries.checked_mul(FDS_PER_ENTRY).ok_or(Error::Protocol)
}
export!(async estimate_fd_for_directory(handle, files));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::fake::Machine;
    use alloc::vec::Vec;
    use skywasm_guest::testing::{Argument, Value, call, capability, run};

    #[test]
    fn a_directory_costs_five_an_entry() {
        Machine { entries: Vec::from([Some(0), Some(10), None]), ..Machine::default() }.install();
        let descriptors = |handle| run(super::estimate_fd_for_directory(handle, capability()));
        assert_eq!(descriptors(0), Ok(0));
        assert_eq!(descriptors(1), Ok(50));
        assert_eq!(descriptors(2), Err(Error::Protocol), "Python raises for what cannot be listed");
    }

    #[test]
    fn two_numbers_tell_where_the_lines_are() {
        let found =
            |window: &[u8], wanted| call::<read_last_n_lines>(&[Argument::Bytes(window), Argument::Int(wanted)]);
        let numbers = [1u64.to_le_bytes(), 4u64.to_le_bytes()].concat();
        assert_eq!(found(b"a\nb\nc", 1), Ok(Value::Bytes(numbers)));
        assert_eq!(found(b"", 5), Ok(Value::Bytes(Vec::from([0; 16]))));
        assert_eq!(found(b"a", -1), Err(Error::Protocol));
    }
}
