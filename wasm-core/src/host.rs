//! What the artifact may ask of the machine. Nothing else leads out of the sandbox.
//!
//! An answer below 0 is an error number, negated, or stands for what does not exist; the helpers here tell which. A
//! host function that fails raises in Python, and the call that asked never goes on.

use crate::Error;
use alloc::vec;
use alloc::vec::Vec;

/// The files whose text the cgroup and memory rules read. The host knows where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum Fact {
    /// cgroup v2 `cpu.max`.
    CpuMax = 1,
    /// cgroup v1 `cpu.cfs_quota_us`.
    CpuQuota = 2,
    /// cgroup v1 `cpu.cfs_period_us`.
    CpuPeriod = 3,
    /// `/proc/meminfo`, or text of the same form made by a host that has none.
    MemInfo = 4,
    /// cgroup v2 `memory.max`.
    MemoryMax = 5,
    /// cgroup v1 `memory.limit_in_bytes`.
    MemoryLimit = 6,
}

skywasm_guest::host! {
    /// Processes.
    capability Process = "process" {
        /// The error number of sending signal 0 to `pid`, negated; 0 where that succeeds.
        fn process_signal(pid: i64) -> i64;
    }

    /// CPUs.
    capability Cpu = "cpu" {
        /// The CPUs that are online; negative where the system does not tell.
        fn cpu_online() -> i64;
        /// The CPUs that this process may run on; negative where the system has no such notion.
        fn cpu_affinity() -> i64;
        /// What Python's `os.cpu_count()` says; negative where it says None.
        fn cpu_count() -> i64;
        /// 2 where the CPU limits are in cgroup v2 files.
        fn cpu_cgroup_version() -> i64;
        /// The length of the text of a [`Fact`]; negative for a file that cannot be read.
        fn cpu_text(fact: i64, text: &mut Vec<u8>) -> i64;
    }

    /// Memory.
    capability Memory = "memory" {
        /// 2 where the memory limits are in cgroup v2 files.
        fn memory_cgroup_version() -> i64;
        /// The length of the text of a [`Fact`]; negative for a file that cannot be read.
        fn memory_text(fact: i64, text: &mut Vec<u8>) -> i64;
    }

    /// Ports.
    capability Ports = "ports" {
        /// The error number of binding a TCP port on all IPv4 addresses, negated; 0 where that succeeds.
        fn port_bind(port: i64) -> i64;
    }

    /// Files and folders, by the handles that Python gave them.
    capability Files = "files" {
        /// Reads on from an open file; the bytes read, 0 at its end.
        fn file_read(handle: i64, room: &mut Vec<u8>) -> i64;
        /// The number of entries in a folder; negative for what is no folder, unless `must` makes that a failure.
        fn dir_entries(handle: i64, must: i64) -> i64;
    }

    /// Limits of the process.
    capability Limits = "limits" {
        /// The length of the soft limit of open files in decimal digits: it does not fit 64 bits with a sign everywhere.
        fn limits_open_files(text: &mut Vec<u8>) -> i64;
    }
}

/// cgroup files and the first line of /proc/meminfo are far shorter.
pub const TEXT_ROOM: usize = 4096;

/// An error number, or 0.
pub(crate) fn errno(answer: i64) -> i64 {
    if answer < 0 { answer.wrapping_neg() } else { 0 }
}

/// A number, or `None` for one that does not exist.
pub(crate) fn optional(answer: i64) -> Option<i64> {
    (answer >= 0).then_some(answer)
}

/// The text that a host function put into a room; `None` where there is none.
///
/// # Errors
/// `Error::Protocol` for a text that is longer than its room.
pub(crate) fn text(answer: i64, mut room: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
    let Some(length) = optional(answer) else { return Ok(None) };
    let length = usize::try_from(length).ok().filter(|&length| length <= room.len()).ok_or(Error::Protocol)?;
    room.truncate(length);
    Ok(Some(room))
}

/// Room for a text.
pub(crate) fn room() -> Vec<u8> {
    vec![0; TEXT_ROOM]
}

impl Cpu {
    /// The text of a CPU fact, if the file can be read.
    pub(crate) async fn fact(self, fact: Fact) -> Result<Option<Vec<u8>>, Error> {
        let mut room = room();
        let answer = self.cpu_text(fact as i64, &mut room).await;
        text(answer, room)
    }
}

impl Memory {
    /// The text of a memory fact, if the file can be read.
    pub(crate) async fn fact(self, fact: Fact) -> Result<Option<Vec<u8>>, Error> {
        let mut room = room();
        let answer = self.memory_text(fact as i64, &mut room).await;
        text(answer, room)
    }
}
