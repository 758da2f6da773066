//! What the artifact may ask of the machine, as safe functions. Nothing else leads out of the sandbox.

use crate::error::Error;

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

/// One method an import. Methods that read text give its length in `buffer`, or `None` for a file that
/// cannot be read.
pub trait Host {
    /// The error number of sending signal 0 to `pid`; 0 where that succeeds.
    fn process_signal(&mut self, pid: i64) -> Result<i64, Error>;
    /// The CPUs that are online; `None` where the system does not tell.
    fn cpu_online(&mut self) -> Result<Option<i64>, Error>;
    /// The CPUs that this process may run on; `None` where the system has no such notion.
    fn cpu_affinity(&mut self) -> Result<Option<i64>, Error>;
    /// What Python's `os.cpu_count()` says; `None` where it says None.
    fn cpu_count(&mut self) -> Result<Option<i64>, Error>;
    /// Whether the CPU limits are in cgroup v2 files.
    fn cpu_is_cgroup_v2(&mut self) -> Result<bool, Error>;
    /// The text of a CPU fact.
    fn cpu_text(&mut self, fact: Fact, buffer: &mut [u8]) -> Result<Option<usize>, Error>;
    /// Whether the memory limits are in cgroup v2 files.
    fn memory_is_cgroup_v2(&mut self) -> Result<bool, Error>;
    /// The text of a memory fact.
    fn memory_text(&mut self, fact: Fact, buffer: &mut [u8]) -> Result<Option<usize>, Error>;
    /// The error number of binding a TCP port on all IPv4 addresses; 0 where that succeeds.
    fn port_bind(&mut self, port: i64) -> Result<i64, Error>;
    /// Reads on from an open file; 0 at its end.
    fn file_read(&mut self, handle: i64, buffer: &mut [u8]) -> Result<usize, Error>;
    /// The number of entries in a directory; `None` for what is no directory, unless `must` makes that a failure.
    fn dir_entries(&mut self, handle: i64, must: bool) -> Result<Option<i64>, Error>;
    /// The soft limit of open files, in decimal digits: it does not fit a signed 64-bit number everywhere.
    fn fd_limit(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;
}
