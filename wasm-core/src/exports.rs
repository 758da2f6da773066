//! What the artifact shows: one thin function a row of the registry, all of one signature.
//!
//! One instance serves one call at a time (the host checks instances out of a pool), so the buffers are
//! plain statics. A host function runs while a call is under way, but never calls an export of the same
//! instance.
#![allow(unsafe_code)]

use crate::abi::{
    ABI_VERSION, AGAIN, BUFFER_LIMIT, HOST_FAILED, NO_ANSWER, SLICE_BYTES, SLICE_DIVISIONS, SLICE_PORTS, WINDOW,
};
use crate::error::Error;
use crate::funcs::system::Ports;
use crate::funcs::{base36, batch, cpu_mem, floats, hashing, md5_lanes, system, tail, text};
use crate::host::{Fact, Host};
use alloc::vec::Vec;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// What a call leaves for the one that continues it.
enum Task {
    None,
    Base36(base36::Job),
    Hash(hashing::Hasher),
    Ports(i64),
}

/// The buffers of this instance.
struct Io {
    input: Vec<u8>,
    output: Vec<u8>,
    task: Task,
}

static mut IO: Io = Io { input: Vec::new(), output: Vec::new(), task: Task::None };

#[allow(static_mut_refs)]
fn io() -> &'static mut Io {
    // SAFETY: the module has one thread, and each export takes this reference once, at its start: the host
    // runs no second call in an instance while one is under way.
    unsafe { &mut IO }
}

/// How a call ends well.
enum Answer {
    /// A plain number, 0 or more.
    Plain(i64),
    /// The bytes in the output buffer.
    Output,
    /// To be continued.
    Again,
}

type Outcome = Result<Answer, Error>;

fn pack(pointer: *const u8, length: usize) -> i64 {
    (pointer as usize as i64) << 32 | length as i64
}

fn finish(outcome: Outcome) -> i64 {
    match outcome {
        Ok(Answer::Plain(value)) => value,
        Ok(Answer::Output) => {
            let output = &io().output;
            pack(output.as_ptr(), output.len())
        }
        Ok(Answer::Again) => AGAIN,
        Err(error) => error.code(),
    }
}

fn first(buffer: &[u8], length: i64) -> Result<&[u8], Error> {
    usize::try_from(length).ok().and_then(|length| buffer.get(..length)).ok_or(Error::Protocol)
}

/// Declares exports: the name, what the four arguments mean, the body.
macro_rules! exports {
    ($($(#[$doc:meta])* $name:ident($a:ident, $b:ident, $c:ident, $again:ident) $io:ident $body:block)*) => {
        $(
            $(#[$doc])*
            #[unsafe(no_mangle)]
            extern "C" fn $name($a: i64, $b: i64, $c: i64, $again: i64) -> i64 {
                let run = |$io: &mut Io| -> Outcome {
                    $io.output.clear();
                    $body
                };
                finish(run(io()))
            }
        )*
    };
}

exports! {
    /// The version of the calling convention.
    sky_abi_version(_a, _b, _c, _again) _io {
        Ok(Answer::Plain(ABI_VERSION))
    }

    /// Makes room for `length` bytes of input (and as much output); the address of the input buffer.
    sky_input(length, _b, _c, _again) io {
        let length = usize::try_from(length).ok().filter(|&l| l <= BUFFER_LIMIT).ok_or(Error::Limit)?;
        let length = length.max(WINDOW);
        if io.input.len() < length {
            let more = length - io.input.len();
            io.input.try_reserve_exact(more).map_err(|_| Error::Limit)?;
            io.input.resize(length, 0);
        }
        if io.output.capacity() < WINDOW {
            io.output.try_reserve_exact(WINDOW).map_err(|_| Error::Limit)?;
        }
        Ok(Answer::Plain(io.input.as_ptr() as usize as i64))
    }

    /// The address of the output buffer, as long as no output is larger than the window.
    sky_output(_a, _b, _c, _again) io {
        Ok(Answer::Plain(io.output.as_ptr() as usize as i64))
    }

    sky_base36_encode(length, _b, _c, again) io {
        if again == 0 {
            let hex = first(&io.input, length)?;
            if hex.len() <= base36::ONE_CALL_DIGITS {
                base36::encode(hex, &mut io.output)?;
                return Ok(Answer::Output);
            }
            io.task = Task::Base36(base36::Job::new(hex)?);
        }
        let Task::Base36(job) = &mut io.task else { return Err(Error::Protocol) };
        if !job.step(SLICE_DIVISIONS) {
            return Ok(Answer::Again);
        }
        let Task::Base36(job) = core::mem::replace(&mut io.task, Task::None) else { return Err(Error::Protocol) };
        job.finish(&mut io.output);
        Ok(Answer::Output)
    }

    /// The double's bits, the precision.
    sky_format_float(bits, precision, _c, _again) io {
        floats::format(f64::from_bits(bits as u64), precision, &mut io.output)?;
        Ok(Answer::Output)
    }

    sky_truncate_long_string(length, max_length, middle, _again) io {
        let text = first(&io.input, length)?;
        // Exactly: growing by doubling would ask for more than the memory has where the text is long.
        io.output.try_reserve_exact(text.len() + text::DOTS.len()).map_err(|_| Error::Limit)?;
        text::truncate(text, max_length, middle != 0, &mut io.output);
        Ok(Answer::Output)
    }

    /// Hashes an open file by its handle, a slice a call; the output is the hasher's state.
    sky_hash_file(handle, algorithm, _c, again) io {
        if again == 0 {
            io.task = Task::Hash(hashing::Hasher::new(algorithm)?);
        }
        let Task::Hash(hasher) = &mut io.task else { return Err(Error::Protocol) };
        let room = SLICE_BYTES.min(io.input.len());
        let buffer = &mut io.input[..room];
        let length = Imports.file_read(handle, buffer)?;
        if length > 0 {
            hasher.update(buffer.get(..length).ok_or(Error::Protocol)?);
            return Ok(Answer::Again);
        }
        put_state(io)
    }

    /// Input: a state (left out for a new hash), then data. The output is the new state.
    sky_hash_update(length, algorithm, has_state, _again) io {
        let bytes = first(&io.input, length)?;
        let (mut hasher, data) = match has_state {
            0 => (hashing::Hasher::new(algorithm)?, bytes),
            _ => take_state(bytes, algorithm)?,
        };
        hasher.update(data);
        io.task = Task::Hash(hasher);
        put_state(io)
    }

    /// Input: a state. The output is the digest, of `size` bytes for extendable outputs.
    sky_hash_digest(length, algorithm, size, _again) io {
        let (hasher, _) = take_state(first(&io.input, length)?, algorithm)?;
        hasher.finish(size, &mut io.output)?;
        Ok(Answer::Output)
    }

    /// Input: a window of the file. Output: newlines found, then the offset behind the wanted one (two u64).
    sky_read_last_n_lines(length, wanted, _c, _again) io {
        let wanted = u64::try_from(wanted).map_err(|_| Error::Protocol)?;
        let found = tail::scan(first(&io.input, length)?, wanted);
        io.output.extend_from_slice(&found.found.to_le_bytes());
        io.output.extend_from_slice(&found.start.to_le_bytes());
        Ok(Answer::Output)
    }

    sky_is_process_alive(pid, _b, _c, _again) _io {
        system::is_process_alive(&mut Imports, pid).map(|alive| Answer::Plain(alive.into()))
    }

    sky_find_free_port(start, _b, _c, again) io {
        let start = match io.task {
            Task::Ports(next) if again != 0 => next,
            _ => start,
        };
        match system::find_free_port(&mut Imports, start, SLICE_PORTS)? {
            Ports::Free(port) => Ok(Answer::Plain(port)),
            Ports::Next(next) => {
                io.task = Task::Ports(next);
                Ok(Answer::Again)
            }
        }
    }

    /// Output: the count, which may be negative, as an i64.
    sky_get_cpu_count(_a, _b, _c, _again) io {
        let count = cpu_mem::cpu_count(&mut Imports)?;
        io.output.extend_from_slice(&count.to_le_bytes());
        Ok(Answer::Output)
    }

    /// Output: the size as a double.
    sky_get_mem_size_gb(_a, _b, _c, _again) io {
        let size = cpu_mem::memory_gb(&mut Imports)?;
        io.output.extend_from_slice(&size.to_le_bytes());
        Ok(Answer::Output)
    }

    /// Input: the cloud's name.
    sky_get_parallel_threads(length, _b, _c, _again) io {
        system::parallel_threads(&mut Imports, first(&io.input, length)?).map(Answer::Plain)
    }

    /// Input: the cloud's name; the sources of the mounts are the handles below `mounts`.
    sky_get_max_workers_for_file_mounts(length, mounts, _c, _again) io {
        system::file_mount_workers(&mut Imports, mounts, first(&io.input, length)?).map(Answer::Plain)
    }

    /// Input: hex numbers joined by `separator`. Output: their digits likewise.
    sky_batch_base36_encode(length, separator, _c, _again) io {
        batch::base36(first(&io.input, length)?, separator as u8, &mut io.output)?;
        Ok(Answer::Output)
    }

    /// Input: doubles. Output: texts joined by newlines.
    sky_batch_format_float(length, precision, _c, _again) io {
        batch::format_floats(first(&io.input, length)?, precision, &mut io.output)?;
        Ok(Answer::Output)
    }

    /// Input: texts joined by a separator. `how` is the separator, plus 256 for a cut in the middle.
    sky_batch_truncate_long_string(length, max_length, how, _again) io {
        batch::truncate(first(&io.input, length)?, how as u8, max_length, how & 256 != 0, &mut io.output)?;
        Ok(Answer::Output)
    }

    /// Input: bytes joined by `separator`. Output: hexadecimal digests joined by newlines.
    sky_batch_hash_strings(length, algorithm, separator, _again) io {
        batch::hash_strings(first(&io.input, length)?, separator as u8, algorithm, &mut io.output)?;
        Ok(Answer::Output)
    }

    /// MD5 of many messages or parts of them. Input: a table of `count` records of five u64: where the data lies in
    /// the input buffer, its length, the length of the whole message (-1: more parts follow), and the state, which is
    /// written back. The data lies behind the table.
    sky_batch_md5(count, _b, _c, _again) io {
        let records = usize::try_from(count).ok().and_then(|count| count.checked_mul(MD5_RECORD)).ok_or(Error::Protocol)?;
        let (table, data) = io.input.split_at_mut_checked(records).ok_or(Error::Protocol)?;
        let (table, _) = table.as_chunks_mut::<MD5_RECORD>();
        let mut jobs = Vec::with_capacity(table.len());
        for record in table.iter() {
            jobs.push(md5_job(record, data, records)?);
        }
        md5_lanes::run(&mut jobs);
        for (record, job) in table.iter_mut().zip(&jobs) {
            for (place, word) in record[24..].chunks_exact_mut(4).zip(job.state) {
                place.copy_from_slice(&word.to_le_bytes());
            }
        }
        Ok(Answer::Plain(count))
    }

    sky_estimate_fd_for_directory(handle, _b, _c, _again) _io {
        system::directory_fds(&mut Imports, handle).map(Answer::Plain)
    }
}

/// Bytes of a record in `sky_batch_md5`'s table.
const MD5_RECORD: usize = 40;

/// Reads a record; `data` starts `offset` bytes into the input buffer.
fn md5_job<'a>(record: &[u8; MD5_RECORD], data: &'a [u8], offset: usize) -> Result<md5_lanes::Job<'a>, Error> {
    let (words, _) = record.as_chunks::<8>();
    let word = |index: usize| i64::from_le_bytes(words[index]);
    let start = usize::try_from(word(0)).ok().and_then(|start| start.checked_sub(offset)).ok_or(Error::Protocol)?;
    let length = usize::try_from(word(1)).map_err(|_| Error::Protocol)?;
    let data = data.get(start..).and_then(|data| data.get(..length)).ok_or(Error::Protocol)?;
    let total = u64::try_from(word(2)).ok();
    if total.is_none() && length % 64 != 0 {
        return Err(Error::Protocol);
    }
    let (state, _) = record[24..].as_chunks::<4>();
    Ok(md5_lanes::Job { data, state: core::array::from_fn(|i| u32::from_le_bytes(state[i])), total })
}

/// Shows the host the bytes of the hasher in `io.task`, where they lie. The host copies them; nothing here
/// reads them as bytes, so padding between fields does no harm.
fn put_state(io: &mut Io) -> Outcome {
    let Task::Hash(hasher) = &io.task else { return Err(Error::Protocol) };
    io.output.clear();
    let state = core::ptr::from_ref(hasher).cast::<u8>();
    let packed = pack(state, size_of::<hashing::Hasher>());
    Ok(Answer::Plain(packed))
}

/// Takes a hasher from the bytes that `put_state` once showed.
fn take_state(bytes: &[u8], algorithm: i64) -> Result<(hashing::Hasher, &[u8]), Error> {
    let (state, data) = bytes.split_at_checked(size_of::<hashing::Hasher>()).ok_or(Error::Protocol)?;
    // SAFETY: the host gives back the bytes that `put_state` showed in an instance of this same artifact,
    // unchanged; a hasher owns nothing beyond its bytes. A host that breaks its word harms its own sandbox only.
    let hasher = unsafe { state.as_ptr().cast::<hashing::Hasher>().read_unaligned() };
    if hasher.algorithm() == algorithm { Ok((hasher, data)) } else { Err(Error::Protocol) }
}

#[link(wasm_import_module = "sky_host")]
unsafe extern "C" {
    safe fn process_signal(no_answer: i64, pid: i64, _b: i64, _c: i64) -> i64;
    safe fn cpu_online(no_answer: i64, _a: i64, _b: i64, _c: i64) -> i64;
    safe fn cpu_affinity(no_answer: i64, _a: i64, _b: i64, _c: i64) -> i64;
    safe fn cpu_count(no_answer: i64, _a: i64, _b: i64, _c: i64) -> i64;
    safe fn cpu_cgroup_version(no_answer: i64, _a: i64, _b: i64, _c: i64) -> i64;
    safe fn cpu_text(no_answer: i64, fact: i64, pointer: i64, room: i64) -> i64;
    safe fn memory_cgroup_version(no_answer: i64, _a: i64, _b: i64, _c: i64) -> i64;
    safe fn memory_text(no_answer: i64, fact: i64, pointer: i64, room: i64) -> i64;
    safe fn port_bind(no_answer: i64, port: i64, _b: i64, _c: i64) -> i64;
    safe fn file_read(no_answer: i64, handle: i64, pointer: i64, room: i64) -> i64;
    safe fn dir_entries(no_answer: i64, handle: i64, must: i64, _c: i64) -> i64;
    safe fn limits_open_files(no_answer: i64, _a: i64, pointer: i64, room: i64) -> i64;
}

/// Tells an answer from the ways of not giving one. Negative numbers above `HOST_FAILED` are error numbers.
fn answered(result: i64) -> Result<i64, Error> {
    match result {
        NO_ANSWER => Err(Error::CutShort),
        HOST_FAILED => Err(Error::Host),
        value if value > HOST_FAILED => Ok(value),
        _ => Err(Error::Protocol),
    }
}

/// An error number, or 0.
fn errno(result: i64) -> Result<i64, Error> {
    answered(result).map(|value| if value < 0 { -value } else { 0 })
}

/// A number, or `None` for an error number.
fn optional(result: i64) -> Result<Option<i64>, Error> {
    answered(result).map(|value| (value >= 0).then_some(value))
}

fn address(buffer: &mut [u8]) -> (i64, i64) {
    (buffer.as_mut_ptr() as usize as i64, buffer.len() as i64)
}

/// A length that fits its buffer, or `None` for an error number.
fn text_length(result: i64, room: usize) -> Result<Option<usize>, Error> {
    match optional(result)? {
        None => Ok(None),
        Some(length) => usize::try_from(length).ok().filter(|&l| l <= room).map(Some).ok_or(Error::Protocol),
    }
}

/// The host behind `sky_host.*`.
struct Imports;

impl Host for Imports {
    fn process_signal(&mut self, pid: i64) -> Result<i64, Error> {
        errno(process_signal(NO_ANSWER, pid, 0, 0))
    }
    fn cpu_online(&mut self) -> Result<Option<i64>, Error> {
        optional(cpu_online(NO_ANSWER, 0, 0, 0))
    }
    fn cpu_affinity(&mut self) -> Result<Option<i64>, Error> {
        optional(cpu_affinity(NO_ANSWER, 0, 0, 0))
    }
    fn cpu_count(&mut self) -> Result<Option<i64>, Error> {
        optional(cpu_count(NO_ANSWER, 0, 0, 0))
    }
    fn cpu_is_cgroup_v2(&mut self) -> Result<bool, Error> {
        Ok(answered(cpu_cgroup_version(NO_ANSWER, 0, 0, 0))? == 2)
    }
    fn cpu_text(&mut self, fact: Fact, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        let (pointer, room) = address(buffer);
        text_length(cpu_text(NO_ANSWER, fact as i64, pointer, room), buffer.len())
    }
    fn memory_is_cgroup_v2(&mut self) -> Result<bool, Error> {
        Ok(answered(memory_cgroup_version(NO_ANSWER, 0, 0, 0))? == 2)
    }
    fn memory_text(&mut self, fact: Fact, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        let (pointer, room) = address(buffer);
        text_length(memory_text(NO_ANSWER, fact as i64, pointer, room), buffer.len())
    }
    fn port_bind(&mut self, port: i64) -> Result<i64, Error> {
        errno(port_bind(NO_ANSWER, port, 0, 0))
    }
    fn file_read(&mut self, handle: i64, buffer: &mut [u8]) -> Result<usize, Error> {
        let (pointer, room) = address(buffer);
        text_length(file_read(NO_ANSWER, handle, pointer, room), buffer.len())?.ok_or(Error::Host)
    }
    fn dir_entries(&mut self, handle: i64, must: bool) -> Result<Option<i64>, Error> {
        optional(dir_entries(NO_ANSWER, handle, must.into(), 0))
    }
    fn fd_limit(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let (pointer, room) = address(buffer);
        text_length(limits_open_files(NO_ANSWER, 0, pointer, room), buffer.len())?.ok_or(Error::Host)
    }
}
