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
