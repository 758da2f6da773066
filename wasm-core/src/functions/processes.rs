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

/// SkyPilot's number of worker threads: one less than the CPUs, at least 4, four times that for Kubernetes.
///
/// # Errors
/// `Error::Input` for a number of CPUs beyond reckoning.
pub async fn get_parallel_threads(cloud_str: Text<'_>, cpu: Cpu) -> Result<i64, Error> {
    let cpus = optional(cpu.cpu_count().await).unwrap_or(1);
    let threads = LEAST_THREADS.max(cpus.checked_sub(1).ok_or(Error::Input)?);
    // As Python's lower(), which also lowers letters beyond ASCII: the Kelvin sign becomes a k.
    let kubernetes = str::from_utf8(&cloud_str).is_ok_and(|name| name.to_lowercase() == "kubernetes");
    if kubernetes { threads.checked_mul(KUBERNETES_FACTOR).ok_or(Error::Input) } else { Ok(threads) }
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
