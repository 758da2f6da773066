//! Processes, ports, and how many threads and transfers at once.

use super::files::FDS_PER_ENTRY;
use crate::Error;
use crate::algorithms::pynum;
use crate::host::{self, Cpu, Files, Limits, Ports, Process, errno, optional};
use alloc::string::String;
use alloc::vec;
use skywasm_guest::{Text, export};

/// Process identifiers are 32-bit everywhere; larger ones cannot exist.
const LAST_PID: i64 = i32::MAX as i64;
/// Linux, macOS and the BSDs agree on this number.
const EPERM: i64 = 1;
/// The search stops before this port, as SkyPilot's does.
const PORT_END: i64 = 65_535;
/// Descriptors that SkyPilot keeps back for itself.
const RESERVED_FDS: i128 = 100;
const LEAST_THREADS: i64 = 4;
const KUBERNETES_FACTOR: i64 = 4;
/// Digits of a limit.
const LIMIT_ROOM: usize = 64;

/// Whether a process or thread with this id is in the process table; kill(pid, 0)'s rule.
pub async fn is_process_alive(pid: i64, process: Process) -> bool {
    // A refusal proves that there is somebody to be protected.
    (1..=LAST_PID).contains(&pid) && matches!(errno(process.process_signal(pid).await), 0 | EPERM)
}
export!(async is_process_alive(pid, process), batch);

/// The first port from `start_port` on that can be bound.
///
/// # Errors
/// `Error::Input` where there is none left or `start_port` is no port.
pub async fn find_free_port(start_port: i64, ports: Ports) -> Result<i64, Error> {
    if start_port < 0 {
        return Err(Error::Input);
    }
    for port in start_port..PORT_END {
        if errno(ports.port_bind(port).await) == 0 {
            return Ok(port);
        }
    }
    Err(Error::Input)
}
export!(async find_free_port(start_port, ports));

/// Whether Python's `lower()` makes "kubernetes" of it. Beyond ASCII one letter becomes one of these: the Kelvin sign,
/// a k.
fn is_kubernetes(name: &[u8]) -> bool {
    const KELVIN: &[u8] = "\u{212a}".as_bytes();
    let (first, rest) = name.split_at(if name.starts_with(KELVIN) { KELVIN.len() } else { name.len().min(1) });
    (first == KELVIN || first.eq_ignore_ascii_case(b"k")) && rest.eq_ignore_ascii_case(b"ubernetes")
}

/// SkyPilot's number of worker threads: one less than the CPUs, at least 4, four times that for Kubernetes.
///
/// # Errors
/// `Error::Input` for a number of CPUs beyond reckoning.
pub async fn get_parallel_threads(cloud_str: Text<'_>, cpu: Cpu) -> Result<i64, Error> {
    let cpus = optional(cpu.cpu_count().await).unwrap_or(1);
    let threads = LEAST_THREADS.max(cpus.checked_sub(1).ok_or(Error::Input)?);
    if is_kubernetes(&cloud_str) { threads.checked_mul(KUBERNETES_FACTOR).ok_or(Error::Input) } else { Ok(threads) }
}
export!(async get_parallel_threads(cloud_str, cpu));

/// How many file mounts may be transferred at once: what the descriptor limit allows for the largest of `mounts`
/// sources (the handles below that number), at least 1, at most [`get_parallel_threads`].
///
/// # Errors
/// `Error::Input` for a limit that is no number.
pub async fn get_max_workers_for_file_mounts(
    mounts: i64,
    cloud_str: Text<'_>,
    files: Files,
    limits: Limits,
    cpu: Cpu,
) -> Result<i64, Error> {
    let mut room = vec![0; LIMIT_ROOM];
    let answer = limits.limits_open_files(&mut room).await;
    let text = host::text(answer, room)?.ok_or(Error::Protocol)?;
    let mut each = FDS_PER_ENTRY;
    for handle in 0..mounts {
        if let Some(entries) = optional(files.dir_entries(handle, 0).await) {
            each = each.max(entries.checked_mul(FDS_PER_ENTRY).ok_or(Error::Protocol)?);
        }
    }
    let limit = String::from_utf8(text).ok().as_deref().and_then(pynum::int).ok_or(Error::Input)?;
    let workers = limit.saturating_sub(RESERVED_FDS).div_euclid(each.into()).max(1);
    Ok(workers.min(get_parallel_threads(cloud_str, cpu).await?.into()) as i64)
}
export!(async get_max_workers_for_file_mounts(mounts, cloud_str, files, limits, cpu));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::fake::Machine;
    use alloc::vec::Vec;
    use skywasm_guest::testing::{batch, capability, run};
    use skywasm_guest::wire::FORM_FIXED8;

    fn alive(machine: &Machine, pid: i64) -> bool {
        machine.install();
        run(super::is_process_alive(pid, capability()))
    }

    #[test]
    fn a_refused_signal_means_alive() {
        for (errno, want) in [(0, true), (1, true), (3, false), (22, false)] {
            assert_eq!(alive(&Machine { signal: errno, ..Machine::default() }, 5), want, "{errno}");
        }
    }

    #[test]
    fn impossible_pids_are_dead_and_never_signalled() {
        let machine = Machine::default();
        for pid in [0, -1, i64::MIN, 1 << 31, (1 << 32) + 1, i64::MAX] {
            assert!(!alive(&machine, pid), "{pid}");
        }
        assert_eq!(machine.times("process_signal"), 0);
        assert!(alive(&machine, LAST_PID));
    }

    #[test]
    fn many_processes_are_asked_for_one_by_one() {
        let machine = Machine::default();
        machine.install();
        let pids: Vec<u8> = [5i64, -1, 7].iter().flat_map(|pid| pid.to_le_bytes()).collect();
        let answer = batch::<is_process_alive>(&pids, FORM_FIXED8, &[]).unwrap();
        assert_eq!((&answer.output[..], answer.items), (&[1, 0, 1][..], 3));
        assert_eq!(*machine.asked.borrow(), [("process_signal".into(), 5), ("process_signal".into(), 7)]);
    }

    fn free_port(machine: &Machine, start: i64) -> Result<i64, Error> {
        machine.install();
        run(super::find_free_port(start, capability()))
    }

    #[test]
    fn the_first_free_port_wins() {
        let machine = Machine { taken: (8000..8200).collect(), ..Machine::default() };
        assert_eq!(free_port(&machine, 8000), Ok(8200));
        assert_eq!(machine.times("port_bind"), 201);
        assert_eq!(free_port(&machine, 0), Ok(0));
    }

    #[test]
    fn the_last_port_is_never_tried() {
        let machine = Machine::default();
        assert_eq!(free_port(&machine, 65_534), Ok(65_534));
        for start in [65_535, 65_536, (1 << 32) + 8000, i64::MAX, -1] {
            assert_eq!(free_port(&machine, start), Err(Error::Input), "{start}");
        }
        let machine = Machine { taken: Vec::from([65_534]), ..Machine::default() };
        assert_eq!(free_port(&machine, 65_534), Err(Error::Input));
    }

    fn threads(count: Option<i64>, cloud: &[u8]) -> Result<i64, Error> {
        Machine { count, ..Machine::default() }.install();
        run(super::get_parallel_threads(Text(cloud), capability()))
    }

    #[test]
    fn threads_follow_the_cpus() {
        for (cpus, want) in [(None, 4), (Some(1), 4), (Some(5), 4), (Some(6), 5), (Some(192), 191)] {
            assert_eq!(threads(cpus, b""), Ok(want));
            assert_eq!(threads(cpus, b"aws"), Ok(want));
            assert_eq!(threads(cpus, b"Kubernetes"), Ok(4 * want));
        }
    }

    #[test]
    fn only_kubernetes_in_any_case_counts() {
        for (cloud, want) in [("KuberNetes", 20), ("\u{212a}ubernetes", 20), ("k8s", 5), (" kubernetes", 5)] {
            assert_eq!(threads(Some(6), cloud.as_bytes()), Ok(want), "{cloud}");
        }
        assert_eq!(threads(Some(6), b"\xed\xa0\x80"), Ok(5));
        // Every letter in the place of every other one.
        for at in 0.."kubernetes".len() {
            for letter in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
                let mut name = String::from("kubernetes");
                name.replace_range(at..=at, letter.encode_utf8(&mut [0; 4]));
                assert_eq!(is_kubernetes(name.as_bytes()), name.to_lowercase() == "kubernetes", "{name}");
            }
        }
    }

    fn workers(machine: &Machine, mounts: i64) -> Result<i64, Error> {
        machine.install();
        run(super::get_max_workers_for_file_mounts(mounts, Text(b""), capability(), capability(), capability()))
    }

    #[test]
    fn the_largest_mount_decides() {
        let mut machine = Machine { count: Some(64), limit: "20000".into(), ..Machine::default() };
        machine.entries = Vec::from([Some(300), Some(10), None]);
        assert_eq!(workers(&machine, 3), Ok(13));
        assert_eq!(workers(&machine, 0), Ok(63));
        machine.entries = Vec::from([Some(0)]);
        machine.limit = "256".into();
        assert_eq!(workers(&machine, 1), Ok(31));
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
            let machine = Machine { count: Some(64), limit: limit.into(), ..Machine::default() };
            assert_eq!(workers(&machine, 0), Ok(want), "{limit}");
        }
        assert_eq!(workers(&Machine { limit: "many".into(), ..Machine::default() }, 0), Err(Error::Input));
    }
}
