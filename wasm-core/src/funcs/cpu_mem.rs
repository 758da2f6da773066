//! CPU and memory as a container sees them: the machine's own numbers, cut by affinity and cgroup limits.

#![forbid(unsafe_code)]

use super::pynum;
use crate::error::Error;
use crate::host::{Fact, Host};
use core::str;

/// cgroup files and the first line of /proc/meminfo are far shorter.
const TEXT_ROOM: usize = 4096;

type Read<H> = fn(&mut H, Fact, &mut [u8]) -> Result<Option<usize>, Error>;

/// Reads a fact and hands its text to `parse`. A file that cannot be read or does not parse is no limit.
/// Text that fills the buffer may be cut, and text beyond ASCII may hold digits Python knows: both are
/// for the reference to decide.
fn parsed<H: Host, T>(
    host: &mut H,
    read: Read<H>,
    fact: Fact,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let mut buffer = [0u8; TEXT_ROOM];
    let Some(length) = read(host, fact, &mut buffer)? else { return Ok(None) };
    let bytes = buffer.get(..length).ok_or(Error::Protocol)?;
    if length == TEXT_ROOM || !bytes.is_ascii() {
        return Err(Error::Input);
    }
    Ok(str::from_utf8(bytes).ok().and_then(parse))
}

/// `int(value)` for a quotient: beyond the range of the result the reference answers or raises.
fn truncated(value: f64) -> Result<i64, Error> {
    if value.abs() < 9_007_199_254_740_992.0 { Ok(value as i64) } else { Err(Error::Input) }
}

fn two_floats(text: &str) -> Option<(f64, f64)> {
    let mut words = text.split(pynum::is_blank).filter(|word| !word.is_empty());
    let (quota, period) = (words.next()?, words.next()?);
    if words.next().is_some() || quota == "max" {
        return None;
    }
    Some((pynum::float(quota)?, pynum::float(period)?))
}

fn quota_v2<H: Host>(host: &mut H) -> Result<Option<i64>, Error> {
    match parsed(host, H::cpu_text, Fact::CpuMax, two_floats)? {
        // Also no limit for what is not a number.
        Some((quota, _)) if quota.is_nan() || quota <= 0.0 => Ok(None),
        // Python raises for a zero period, and for a quotient that is not a number.
        Some((_, 0.0)) => Err(Error::Input),
        Some((quota, period)) => truncated(quota / period).map(Some),
        None => Ok(None),
    }
}

fn quota_v1<H: Host>(host: &mut H) -> Result<Option<i64>, Error> {
    // Mostly -1, for no limit; then the period need not be read. What is not a number is no limit either.
    let quota = parsed(host, H::cpu_text, Fact::CpuQuota, pynum::float)?;
    let Some(quota) = quota.filter(|&quota| quota > 0.0) else { return Ok(None) };
    let period = parsed(host, H::cpu_text, Fact::CpuPeriod, pynum::float)?;
    let Some(period) = period.filter(|&period| period > 0.0) else { return Ok(None) };
    truncated(quota / period).map(Some)
}

/// The CPUs a process may use: online, in its affinity, and whole CPUs of its cgroup's quota (which may be 0).
///
/// # Errors
/// `Error::Input` where the reference must answer, `Error::Host` where a host function failed.
pub fn cpu_count<H: Host>(host: &mut H) -> Result<i64, Error> {
    // The reference's answer for a system that does not tell is None, which is no number.
    let mut count = host.cpu_online()?.ok_or(Error::Input)?;
    if let Some(affinity) = host.cpu_affinity()? {
        count = count.min(affinity);
    }
    let quota = if host.cpu_is_cgroup_v2()? { quota_v2(host)? } else { quota_v1(host)? };
    Ok(quota.map_or(count, |quota| count.min(quota)))
}

/// The kilobytes in a meminfo text. psutil, which the reference asks, wants free memory to be there too.
fn total_kb(text: &[u8]) -> Option<i64> {
    let mut total = None;
    let mut free = false;
    for line in text.split(|&byte| byte == b'\n') {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let name = words.next();
        let mut value = || str::from_utf8(words.next()?).ok()?.parse().ok();
        if name == Some(b"MemTotal:") {
            total = value();
        } else if name == Some(b"MemFree:") {
            free = true;
        }
    }
    total.filter(|&kb: &i64| free && (0..1 << 43).contains(&kb))
}

/// The memory a process may use, in units of 2^30 bytes: the machine's own, cut by its cgroup's limit.
///
/// # Errors
/// As `cpu_count`.
pub fn memory_gb<H: Host>(host: &mut H) -> Result<f64, Error> {
    let mut buffer = [0u8; TEXT_ROOM];
    let length = host.memory_text(Fact::MemInfo, &mut buffer)?.ok_or(Error::Input)?;
    let text = buffer.get(..length).ok_or(Error::Protocol)?;
    let total = total_kb(text).ok_or(Error::Input)? * 1024;
    let fact = if host.memory_is_cgroup_v2()? { Fact::MemoryMax } else { Fact::MemoryLimit };
    let limit = parsed(host, H::memory_text, fact, pynum::int)?;
    let bytes = match limit {
        Some(limit) if limit > 0 => limit.min(total.into()) as i64,
        _ => total,
    };
    // Exact: at most 53 bits, divided by a power of two.
    Ok(bytes as f64 / 1_073_741_824.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::funcs::system::fake::FakeHost;

    fn v2(cpu_max: &str) -> FakeHost {
        FakeHost { cgroup_v2: true, ..FakeHost::with_text(Fact::CpuMax, cpu_max) }
    }

    #[test]
    fn no_limit_leaves_the_smaller_of_online_and_affinity() {
        let mut host = FakeHost { online: Some(8), affinity: Some(3), ..FakeHost::default() };
        assert_eq!(cpu_count(&mut host), Ok(3));
        host.affinity = None;
        assert_eq!(cpu_count(&mut host), Ok(8));
    }

    #[test]
    fn a_v2_quota_is_whole_cpus() {
        for (text, want) in [
            ("max 100000", 8),
            ("max", 8),
            ("100000 100000", 1),
            ("150000 100000\n", 1),
            ("50000 100000", 0),
            ("0 100000", 8),
            ("-1 100000", 8),
            ("100000", 8),
            ("100000 100000 7", 8),
            ("abc 5", 8),
            ("", 8),
            (" 100000   100000 ", 1),
            ("1e5 100000", 1),
            ("100_000 100000", 1),
            ("150000 -100000", -1),
            ("200000 100001", 1),
            ("100000 x", 8),
            ("99999999999 100000", 8),
            ("max 100000 z", 8),
            ("nan 3", 8),
        ] {
            assert_eq!(cpu_count(&mut v2(text)), Ok(want), "{text:?}");
        }
    }

    #[test]
    fn what_python_raises_for_is_left_to_python() {
        for text in ["100000 0", "inf 3", "inf inf", "1e300 1", "5 nan", "１0 5"] {
            assert_eq!(cpu_count(&mut v2(text)), Err(Error::Input), "{text:?}");
        }
    }

    #[test]
    fn a_v1_quota_needs_two_numbers() {
        for (quota, period, want) in [
            ("-1", "100000", 8),
            ("150000", "100000", 1),
            ("50000", "100000", 0),
            ("abc", "1", 8),
            ("100000", "0", 8),
            ("1e5", "1", 8),
            ("3e5", "1e5", 3),
            ("250000.5", "100000", 2),
            (" 150000 \n", " 100000 ", 1),
            ("-200000", "-100000", 8),
        ] {
            let mut host = FakeHost::with_text(Fact::CpuQuota, quota);
            host.texts.push((Fact::CpuPeriod, period.into()));
            assert_eq!(cpu_count(&mut host), Ok(want), "{quota:?} {period:?}");
        }
        assert_eq!(cpu_count(&mut FakeHost::with_text(Fact::CpuQuota, "150000")), Ok(8));
    }

    const MEMINFO: &str = "MemTotal:       24684096 kB\nMemFree: 5 kB\n";

    fn memory(fact: Fact, text: &str, v2: bool) -> Result<f64, Error> {
        let mut host = FakeHost { cgroup_v2: v2, ..FakeHost::with_text(fact, text) };
        host.texts.push((Fact::MemInfo, MEMINFO.into()));
        memory_gb(&mut host)
    }

    #[test]
    fn a_memory_limit_cuts_the_total() {
        const TOTAL: f64 = 23.540_588_378_906_25;
        for (text, want) in [
            ("max\n", TOTAL),
            ("1073741824", 1.0),
            ("0", TOTAL),
            ("-1", TOTAL),
            ("abc", TOTAL),
            ("", TOTAL),
            (" 1073741824 ", 1.0),
            ("1.5", TOTAL),
            (&"9".repeat(60), TOTAL),
            ("1", 1.0 / 1_073_741_824.0),
        ] {
            assert_eq!(memory(Fact::MemoryMax, text, true), Ok(want), "{text:?}");
            assert_eq!(memory(Fact::MemoryLimit, text, false), Ok(want), "{text:?}");
            assert_eq!(memory(Fact::MemoryMax, text, false), Ok(TOTAL), "the v2 file does not count under v1");
        }
    }

    #[test]
    fn a_broken_meminfo_is_left_to_python() {
        for text in
            ["", "MemTotal: 5 kB\n", "MemFree: 5 kB\n", "MemTotal: x kB\nMemFree: 5 kB\n", "MemTotal:\nMemFree: 1"]
        {
            assert_eq!(memory_gb(&mut FakeHost::with_text(Fact::MemInfo, text)), Err(Error::Input), "{text:?}");
        }
        assert_eq!(memory_gb(&mut FakeHost::default()), Err(Error::Input));
    }

    #[test]
    fn a_host_that_fails_or_lies_is_an_error() {
        let mut host = FakeHost { fails: true, ..FakeHost::default() };
        assert_eq!(cpu_count(&mut host), Err(Error::Host));
        assert_eq!(memory_gb(&mut host), Err(Error::Host));
        let mut host = FakeHost { claims: Some(5000), ..v2("max") };
        assert_eq!(cpu_count(&mut host), Err(Error::Protocol));
        assert_eq!(cpu_count(&mut v2(&"1".repeat(TEXT_ROOM))), Err(Error::Input));
    }
}
