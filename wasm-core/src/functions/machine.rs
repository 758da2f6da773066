//! CPU and memory as a container sees them: the machine's own numbers, cut by affinity and cgroup limits.

use crate::Error;
use crate::algorithms::pynum;
use crate::host::{Cpu, Fact, Memory, TEXT_ROOM, optional};
use alloc::vec::Vec;
use skywasm_guest::export;

/// Hands the text of a fact to `parse`. A file that cannot be read or does not parse is no limit. Text that fills its
/// room may be cut, and text beyond ASCII may hold digits Python knows: both are for the reference to decide.
fn parsed<T>(text: Option<Vec<u8>>, parse: impl FnOnce(&str) -> Result<Option<T>, Error>) -> Result<Option<T>, Error> {
    let Some(bytes) = text else { return Ok(None) };
    if bytes.len() == TEXT_ROOM || !bytes.is_ascii() {
        return Err(Error::Input);
    }
    str::from_utf8(&bytes).map_or(Ok(None), parse)
}

/// `int(value)` for a quotient: beyond the range of the result the reference answers or raises.
fn truncated(value: f64) -> Result<i64, Error> {
    if value.abs() < 9_007_199_254_740_992.0 { Ok(value as i64) } else { Err(Error::Input) }
}

fn two_numbers(text: &str) -> Result<Option<(f64, f64)>, Error> {
    let mut words = text.split(pynum::is_blank).filter(|word| !word.is_empty());
    let (Some(quota), Some(period), None) = (words.next(), words.next(), words.next()) else { return Ok(None) };
    if quota == "max" {
        return Ok(None);
    }
    Ok(pynum::whole(quota)?.zip(pynum::whole(period)?))
}

async fn quota_v2(cpu: Cpu) -> Result<Option<i64>, Error> {
    match parsed(cpu.fact(Fact::CpuMax).await?, two_numbers)? {
        Some((quota, _)) if quota <= 0.0 => Ok(None),
        // Python raises.
        Some((_, 0.0)) => Err(Error::Input),
        Some((quota, period)) => truncated(quota / period).map(Some),
        None => Ok(None),
    }
}

async fn quota_v1(cpu: Cpu) -> Result<Option<i64>, Error> {
    // Mostly -1, for no limit; then the period need not be read. What is not a number is no limit either.
    let quota = parsed(cpu.fact(Fact::CpuQuota).await?, pynum::whole)?;
    let Some(quota) = quota.filter(|&quota| quota > 0.0) else { return Ok(None) };
    let period = parsed(cpu.fact(Fact::CpuPeriod).await?, pynum::whole)?;
    let Some(period) = period.filter(|&period| period > 0.0) else { return Ok(None) };
    truncated(quota / period).map(Some)
}

/// The CPUs a process may use: online, in its affinity, and whole CPUs of its cgroup's quota (which may be 0).
///
/// # Errors
/// `Error::Input` where the reference must answer.
pub async fn get_cpu_count(cpu: Cpu) -> Result<i64, Error> {
    // The reference's answer for a system that does not tell is None, which is no number.
    let mut count = optional(cpu.cpu_online().await).ok_or(Error::Input)?;
    if let Some(affinity) = optional(cpu.cpu_affinity().await) {
        count = count.min(affinity);
    }
    let quota = if cpu.cpu_cgroup_version().await == 2 { quota_v2(cpu).await? } else { quota_v1(cpu).await? };
    Ok(quota.map_or(count, |quota| count.min(quota)))
}
export!(async get_cpu_count(cpu));

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
/// As [`get_cpu_count`].
pub async fn get_mem_size_gb(memory: Memory) -> Result<f64, Error> {
    let text = memory.fact(Fact::MemInfo).await?.ok_or(Error::Input)?;
    let total = total_kb(&text).ok_or(Error::Input)? * 1024;
    let fact = if memory.memory_cgroup_version().await == 2 { Fact::MemoryMax } else { Fact::MemoryLimit };
    let bytes = match parsed(memory.fact(fact).await?, |text| Ok(pynum::int(text)))? {
        Some(limit) if limit > 0 => limit.min(total.into()) as i64,
        _ => total,
    };
    // Exact: at most 53 bits, divided by a power of two.
    Ok(bytes as f64 / 1_073_741_824.0)
}
export!(async get_mem_size_gb(memory));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::fake::Machine;
    use skywasm_guest::testing::{capability, run};

    fn v2(cpu_max: &str) -> Machine {
        Machine { cgroup_version: 2, ..Machine::with_text(Fact::CpuMax, cpu_max) }
    }

    fn cpu_count(machine: &Machine) -> Result<i64, Error> {
        machine.install();
        run(get_cpu_count(capability()))
    }

    fn memory_gb(machine: &Machine) -> Result<f64, Error> {
        machine.install();
        run(get_mem_size_gb(capability()))
    }

    #[test]
    fn no_limit_leaves_the_smaller_of_online_and_affinity() {
        let mut machine = Machine { online: Some(8), affinity: Some(3), ..Machine::default() };
        assert_eq!(cpu_count(&machine), Ok(3));
        machine.affinity = None;
        assert_eq!(cpu_count(&machine), Ok(8));
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
            ("100_000 100000", 1),
            ("150000 -100000", -1),
            ("200000 100001", 1),
            ("100000 x", 8),
            ("99999999999 100000", 8),
            ("max 100000 z", 8),
        ] {
            assert_eq!(cpu_count(&v2(text)), Ok(want), "{text:?}");
        }
    }

    #[test]
    fn what_python_raises_for_is_left_to_python() {
        for text in ["100000 0", "inf 3", "nan 3", "1e5 100000", "1e300 1", "5 nan", "１0 5", "9007199254740992 9"] {
            assert_eq!(cpu_count(&v2(text)), Err(Error::Input), "{text:?}");
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
            (" 150000 \n", " 100000 ", 1),
            ("-200000", "-100000", 8),
        ] {
            let mut machine = Machine::with_text(Fact::CpuQuota, quota);
            machine.texts.push((Fact::CpuPeriod, period.into()));
            assert_eq!(cpu_count(&machine), Ok(want), "{quota:?} {period:?}");
        }
        assert_eq!(cpu_count(&Machine::with_text(Fact::CpuQuota, "150000")), Ok(8));
        assert_eq!(cpu_count(&Machine::with_text(Fact::CpuQuota, "3e5")), Err(Error::Input));
    }

    const MEMINFO: &str = "MemTotal:       24684096 kB\nMemFree: 5 kB\n";

    fn memory(fact: Fact, text: &str, v2: bool) -> Result<f64, Error> {
        let mut machine = Machine { cgroup_version: 1 + i64::from(v2), ..Machine::with_text(fact, text) };
        machine.texts.push((Fact::MemInfo, MEMINFO.into()));
        memory_gb(&machine)
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
            assert_eq!(memory_gb(&Machine::with_text(Fact::MemInfo, text)), Err(Error::Input), "{text:?}");
        }
        assert_eq!(memory_gb(&Machine::default()), Err(Error::Input));
    }

    #[test]
    fn a_host_that_lies_is_an_error() {
        let machine = Machine { claims: Some(5000), ..v2("max") };
        assert_eq!(cpu_count(&machine), Err(Error::Protocol));
        assert_eq!(cpu_count(&v2(&"1".repeat(TEXT_ROOM))), Err(Error::Input));
    }
}
