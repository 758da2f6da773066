//! Rules over processes, ports, file descriptors and threads. The facts come from the host.

#![forbid(unsafe_code)]

use super::pynum;
use crate::error::Error;
use crate::host::Host;
use alloc::string::String;
use core::str;

/// Process identifiers are 32-bit everywhere; larger ones cannot exist.
const LAST_PID: i64 = i32::MAX as i64;
/// Linux, macOS and the BSDs agree on this number.
const EPERM: i64 = 1;
/// The search stops before this port, as SkyPilot's does.
const PORT_END: i64 = 65_535;
/// Descriptors that SkyPilot keeps back for itself.
const RESERVED_FDS: i128 = 100;
/// Descriptors that SkyPilot reckons for each entry of a folder, and at least for each file mount.
const FDS_PER_ENTRY: i64 = 5;
const LEAST_THREADS: i64 = 4;
const KUBERNETES_FACTOR: i64 = 4;

/// Whether a process or thread with this id is in the process table; kill(pid, 0)'s rule.
///
/// # Errors
/// `Error::Host` where the host function failed.
pub fn is_process_alive(host: &mut impl Host, pid: i64) -> Result<bool, Error> {
    if !(1..=LAST_PID).contains(&pid) {
        return Ok(false);
    }
    // A refusal proves that there is somebody to be protected.
    Ok(matches!(host.process_signal(pid)?, 0 | EPERM))
}

/// What a search over some ports came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Ports {
    /// This port could be bound.
    Free(i64),
    /// Go on at this port.
    Next(i64),
}

/// Tries at most `tries` ports from `start` on.
///
/// # Errors
/// `Error::Input` where there are none left or `start` is no port, `Error::Host` where the host failed.
pub fn find_free_port(host: &mut impl Host, start: i64, tries: i64) -> Result<Ports, Error> {
    if start < 0 {
        return Err(Error::Input);
    }
    let end = PORT_END.min(start.saturating_add(tries));
    for port in start..end {
        if host.port_bind(port)? == 0 {
            return Ok(Ports::Free(port));
        }
    }
    if end < PORT_END { Ok(Ports::Next(end)) } else { Err(Error::Input) }
}

/// SkyPilot's number of worker threads: one less than the CPUs, at least 4, four times that for Kubernetes.
///
/// # Errors
/// `Error::Host` where the host failed.
pub fn parallel_threads(host: &mut impl Host, cloud: &[u8]) -> Result<i64, Error> {
    let cpus = host.cpu_count()?.unwrap_or(1);
    let threads = LEAST_THREADS.max(cpus.checked_sub(1).ok_or(Error::Input)?);
    // As Python's lower(), which also lowers letters beyond ASCII: the Kelvin sign becomes a k.
    let kubernetes = str::from_utf8(cloud).is_ok_and(|name| name.to_lowercase() == "kubernetes");
    if kubernetes { threads.checked_mul(KUBERNETES_FACTOR).ok_or(Error::Input) } else { Ok(threads) }
}

/// The descriptors SkyPilot reckons for the transfer of a directory: five for each entry, not counting sub-directories' own.
///
/// # Errors
/// `Error::Host` for what cannot be listed.
pub fn directory_fds(host: &mut impl Host, handle: i64) -> Result<i64, Error> {
    let entries = host.dir_entries(handle, true)?.ok_or(Error::Protocol)?;
    entries.checked_mul(FDS_PER_ENTRY).ok_or(Error::Protocol)
}

/// How many file mounts may be transferred at once: what the descriptor limit allows for the largest of
/// `mounts` sources, at least 1, at most `parallel_threads`.
///
/// # Errors
/// `Error::Host` where the host failed, for a directory that cannot be listed among others.
pub fn file_mount_workers(host: &mut impl Host, mounts: i64, cloud: &[u8]) -> Result<i64, Error> {
    let mut each = FDS_PER_ENTRY;
    let mut text = [0u8; 64];
    let length = host.fd_limit(&mut text)?;
    for handle in 0..mounts {
        if let Some(entries) = host.dir_entries(handle, false)? {
            each = each.max(entries.checked_mul(FDS_PER_ENTRY).ok_or(Error::Protocol)?);
        }
    }
    let text = text.get(..length).and_then(|text| str::from_utf8(text).ok()).map(String::from);
    let limit = text.as_deref().and_then(pynum::int).ok_or(Error::Input)?;
    let workers = limit.saturating_sub(RESERVED_FDS).div_euclid(each.into()).max(1);
    Ok(workers.min(parallel_threads(host, cloud)?.into()) as i64)
}

#[cfg(test)]
pub(crate) mod fake {
    //! A host with settable facts.
    use super::*;
    use crate::host::Fact;
    use alloc::vec::Vec;

    pub(crate) struct FakeHost {
        pub(crate) fails: bool,
        pub(crate) claims: Option<usize>,
        pub(crate) signal: i64,
        pub(crate) signalled: Vec<i64>,
        pub(crate) online: Option<i64>,
        pub(crate) affinity: Option<i64>,
        pub(crate) count: Option<i64>,
        pub(crate) cgroup_v2: bool,
        pub(crate) texts: Vec<(Fact, String)>,
        pub(crate) taken: Vec<i64>,
        pub(crate) bound: usize,
        pub(crate) entries: Vec<Option<i64>>,
        pub(crate) limit: String,
        pub(crate) content: Vec<u8>,
    }

    impl Default for FakeHost {
        fn default() -> Self {
            FakeHost {
                fails: false,
                claims: None,
                signal: 0,
                signalled: Vec::new(),
                online: Some(8),
                affinity: Some(8),
                count: Some(8),
                cgroup_v2: false,
                texts: Vec::new(),
                taken: Vec::new(),
                bound: 0,
                entries: Vec::new(),
                limit: "1024".into(),
                content: Vec::new(),
            }
        }
    }

    impl FakeHost {
        pub(crate) fn with_text(fact: Fact, text: &str) -> FakeHost {
            FakeHost { texts: alloc::vec![(fact, text.into())], ..FakeHost::default() }
        }

        fn answer<T>(&self, value: T) -> Result<T, Error> {
            if self.fails { Err(Error::Host) } else { Ok(value) }
        }

        fn text(&self, fact: Fact, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
            let found = self.texts.iter().find(|(known, _)| *known == fact);
            let length = found.map(|(_, text)| {
                let length = text.len().min(buffer.len());
                buffer[..length].copy_from_slice(&text.as_bytes()[..length]);
                length
            });
            self.answer(length.map(|length| self.claims.unwrap_or(length)))
        }
    }

    impl Host for FakeHost {
        fn process_signal(&mut self, pid: i64) -> Result<i64, Error> {
            self.signalled.push(pid);
            self.answer(self.signal)
        }
        fn cpu_online(&mut self) -> Result<Option<i64>, Error> {
            self.answer(self.online)
        }
        fn cpu_affinity(&mut self) -> Result<Option<i64>, Error> {
            self.answer(self.affinity)
        }
        fn cpu_count(&mut self) -> Result<Option<i64>, Error> {
            self.answer(self.count)
        }
        fn cpu_is_cgroup_v2(&mut self) -> Result<bool, Error> {
            self.answer(self.cgroup_v2)
        }
        fn cpu_text(&mut self, fact: Fact, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
            self.text(fact, buffer)
        }
        fn memory_is_cgroup_v2(&mut self) -> Result<bool, Error> {
            self.answer(self.cgroup_v2)
        }
        fn memory_text(&mut self, fact: Fact, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
            self.text(fact, buffer)
        }
        fn port_bind(&mut self, port: i64) -> Result<i64, Error> {
            self.bound += 1;
            self.answer(if self.taken.contains(&port) { 98 } else { 0 })
        }
        fn file_read(&mut self, _handle: i64, buffer: &mut [u8]) -> Result<usize, Error> {
            let length = self.content.len().min(buffer.len());
            buffer[..length].copy_from_slice(&self.content[..length]);
            self.content.drain(..length);
            self.answer(length)
        }
        fn dir_entries(&mut self, handle: i64, must: bool) -> Result<Option<i64>, Error> {
            match self.entries.get(handle as usize).copied().flatten() {
                None if must => Err(Error::Host),
                entries => self.answer(entries),
            }
        }
        fn fd_limit(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
            buffer[..self.limit.len()].copy_from_slice(self.limit.as_bytes());
            self.answer(self.limit.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::FakeHost;
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_refused_signal_means_alive() {
        for (errno, alive) in [(0, true), (1, true), (3, false), (22, false)] {
            let mut host = FakeHost { signal: errno, ..FakeHost::default() };
            assert_eq!(is_process_alive(&mut host, 5), Ok(alive), "{errno}");
        }
    }

    #[test]
    fn impossible_pids_are_dead_and_never_signalled() {
        let mut host = FakeHost::default();
        for pid in [0, -1, i64::MIN, 1 << 31, (1 << 32) + 1, i64::MAX] {
            assert_eq!(is_process_alive(&mut host, pid), Ok(false), "{pid}");
        }
        assert!(host.signalled.is_empty());
        assert_eq!(is_process_alive(&mut host, LAST_PID), Ok(true));
    }

    #[test]
    fn the_first_free_port_wins() {
        let mut host = FakeHost { taken: (8000..8200).collect(), ..FakeHost::default() };
        assert_eq!(find_free_port(&mut host, 8000, 1000), Ok(Ports::Free(8200)));
        assert_eq!(host.bound, 201);
        assert_eq!(find_free_port(&mut host, 0, 1000), Ok(Ports::Free(0)));
    }

    #[test]
    fn a_long_search_goes_on_in_parts() {
        let mut host = FakeHost { taken: (8000..8200).collect(), ..FakeHost::default() };
        assert_eq!(find_free_port(&mut host, 8000, 64), Ok(Ports::Next(8064)));
        assert_eq!(host.bound, 64);
    }

    #[test]
    fn the_last_port_is_never_tried() {
        let mut host = FakeHost::default();
        assert_eq!(find_free_port(&mut host, 65_534, 9), Ok(Ports::Free(65_534)));
        for start in [65_535, 65_536, (1 << 32) + 8000, i64::MAX, -1] {
            assert_eq!(find_free_port(&mut host, start, 9), Err(Error::Input), "{start}");
        }
        let mut host = FakeHost { taken: Vec::from([65_534]), ..FakeHost::default() };
        assert_eq!(find_free_port(&mut host, 65_534, 9), Err(Error::Input));
    }

    #[test]
    fn threads_follow_the_cpus() {
        for (cpus, want) in [(None, 4), (Some(1), 4), (Some(5), 4), (Some(6), 5), (Some(192), 191)] {
            let mut host = FakeHost { count: cpus, ..FakeHost::default() };
            assert_eq!(parallel_threads(&mut host, b""), Ok(want));
            assert_eq!(parallel_threads(&mut host, b"aws"), Ok(want));
            assert_eq!(parallel_threads(&mut host, b"Kubernetes"), Ok(4 * want));
        }
    }

    #[test]
    fn only_kubernetes_in_any_case_counts() {
        let mut host = FakeHost { count: Some(6), ..FakeHost::default() };
        for (cloud, want) in [("KuberNetes", 20), ("\u{212a}ubernetes", 20), ("k8s", 5), (" kubernetes", 5)] {
            assert_eq!(parallel_threads(&mut host, cloud.as_bytes()), Ok(want), "{cloud}");
        }
        assert_eq!(parallel_threads(&mut host, b"\xed\xa0\x80"), Ok(5));
    }

    #[test]
    fn the_largest_mount_decides() {
        let mut host = FakeHost { count: Some(64), limit: "20000".into(), ..FakeHost::default() };
        host.entries = Vec::from([Some(300), Some(10), None]);
        assert_eq!(file_mount_workers(&mut host, 3, b""), Ok(13));
        assert_eq!(file_mount_workers(&mut host, 0, b""), Ok(63));
        host.entries = Vec::from([Some(0)]);
        host.limit = "256".into();
        assert_eq!(file_mount_workers(&mut host, 1, b""), Ok(31));
    }

    #[test]
    fn limits_of_any_size_and_sign() {
        for (limit, want) in [
            ("0", 1),
            ("99", 1),
            ("-1", 1),
            ("9223372036854775807", 63),
            ("18446744073709551615", 63),
            (&"9".repeat(60), 63),
        ] {
            let mut host = FakeHost { count: Some(64), limit: limit.into(), ..FakeHost::default() };
            assert_eq!(file_mount_workers(&mut host, 0, b""), Ok(want), "{limit}");
        }
        let mut host = FakeHost { limit: "many".into(), ..FakeHost::default() };
        assert_eq!(file_mount_workers(&mut host, 0, b""), Err(Error::Input));
    }

    #[test]
    fn a_directory_costs_five_an_entry() {
        let mut host = FakeHost { entries: Vec::from([Some(0), Some(10), None]), ..FakeHost::default() };
        assert_eq!(directory_fds(&mut host, 0), Ok(0));
        assert_eq!(directory_fds(&mut host, 1), Ok(50));
        assert_eq!(directory_fds(&mut host, 2), Err(Error::Host));
    }

    #[test]
    fn a_failing_host_is_an_error() {
        let mut host = FakeHost { fails: true, ..FakeHost::default() };
        assert_eq!(is_process_alive(&mut host, 5), Err(Error::Host));
        assert_eq!(find_free_port(&mut host, 8000, 9), Err(Error::Host));
        assert_eq!(parallel_threads(&mut host, b""), Err(Error::Host));
        assert_eq!(file_mount_workers(&mut host, 0, b""), Err(Error::Host));
    }
}
