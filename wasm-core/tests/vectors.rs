//! The vector files of `../tests/vectors`, natively: every case that crosses must get its recorded answer, and
//! every case that is Python's must not get one by mistake. `README.md` there describes the format.

use serde_json::Value;
use skywasm_core::error::Error;
use skywasm_core::funcs::system::Ports;
use skywasm_core::funcs::{base36, cpu_mem, floats, hashing, system, tail, text};
use skywasm_core::host::{Fact, Host};

/// A slice of a port search, as the artifact takes them.
const PORT_TRIES: i64 = 512;

macro_rules! vectors {
    ($name:literal) => {
        read($name, include_str!(concat!("../../tests/vectors/", $name, ".json")))
    };
}

struct Vectors {
    name: &'static str,
    cases: Vec<Value>,
}

fn read(name: &'static str, text: &str) -> Vectors {
    let mut file: Value = serde_json::from_str(text).unwrap();
    assert_eq!(file["function"], name);
    let Value::Array(cases) = file["cases"].take() else { panic!("{name}: no cases") };
    Vectors { name, cases }
}

impl Vectors {
    /// Runs `check` on each case; its `Err` says how the case differs. At least `least` cases must cross.
    fn run(&self, least: usize, mut check: impl FnMut(&Value, bool) -> Result<(), String>) {
        let mut problems = Vec::new();
        let mut crossed = 0;
        for case in &self.cases {
            let crosses = case.get("python_only").is_none();
            crossed += usize::from(crosses);
            if let Err(problem) = check(case, crosses) {
                problems.push(format!("{case}\n    {problem}"));
            }
        }
        assert!(crossed >= least, "{}: only {crossed} cases cross", self.name);
        assert!(problems.is_empty(), "{}: {} differ\n  {}", self.name, problems.len(), problems.join("\n  "));
    }
}

fn bytes_of_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// A text, in UTF-8 in which lone surrogates stand as three bytes; or bytes. `None` for another kind of value.
fn text_bytes(form: &Value) -> Option<Vec<u8>> {
    match form {
        Value::String(text) => Some(text.clone().into_bytes()),
        _ => form.get("utf8").or_else(|| form.get("bytes")).map(|hex| bytes_of_hex(hex.as_str().unwrap())),
    }
}

fn is_text(form: &Value) -> bool {
    form.is_string() || form.get("utf8").is_some()
}

fn double(form: &Value) -> Option<f64> {
    let bits = form.get("f64")?.as_str()?;
    Some(f64::from_bits(u64::from_str_radix(bits, 16).unwrap()))
}

fn content(recipe: &Value) -> Vec<u8> {
    if let Value::Array(parts) = recipe {
        return parts.iter().flat_map(content).collect();
    }
    if let Some(hex) = recipe.get("hex") {
        return bytes_of_hex(hex.as_str().unwrap());
    }
    if let Some(hex) = recipe.get("repeat") {
        return bytes_of_hex(hex.as_str().unwrap()).repeat(recipe["times"].as_u64().unwrap() as usize);
    }
    (0..recipe["ramp"].as_u64().unwrap()).map(|at| (at % 251) as u8).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(want: &T, got: &T) -> Result<(), String> {
    if want == got { Ok(()) } else { Err(format!("want {want:?}\n    got  {got:?}")) }
}

/// A case that is Python's: the artifact must say so, if its arguments can cross at all.
fn left_to_python<T: std::fmt::Debug>(got: Result<T, Error>) -> Result<(), String> {
    match got {
        Err(Error::Input | Error::Host) => Ok(()),
        other => Err(format!("this is Python's to answer, got {other:?}")),
    }
}

/// The machine of a case. What a case has no fact for must not be asked.
struct Facts<'a>(&'a Value);

impl Facts<'_> {
    fn fact(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("{name} was asked for, and {} has no such fact", self.0))
    }

    fn number(&self, name: &str) -> Option<i64> {
        let fact = self.fact(name);
        assert!(fact.is_null() || fact.is_i64(), "{name}: {fact}");
        fact.as_i64()
    }

    fn put(text: &[u8], buffer: &mut [u8]) -> usize {
        let length = text.len().min(buffer.len());
        buffer[..length].copy_from_slice(&text[..length]);
        length
    }

    fn text(&self, fact: Fact, buffer: &mut [u8]) -> Option<usize> {
        let name = match fact {
            Fact::CpuMax => "cpu.max",
            Fact::CpuQuota => "cpu/cpu.cfs_quota_us",
            Fact::CpuPeriod => "cpu/cpu.cfs_period_us",
            Fact::MemInfo => return Some(Facts::put(&text_bytes(self.fact("meminfo")).unwrap(), buffer)),
            Fact::MemoryMax => "memory.max",
            Fact::MemoryLimit => "memory/memory.limit_in_bytes",
        };
        self.fact("files").get(name).map(|text| Facts::put(&text_bytes(text).unwrap(), buffer))
    }
}

impl Host for Facts<'_> {
    fn process_signal(&mut self, _pid: i64) -> Result<i64, Error> {
        Ok(self.number("process_signal").unwrap())
    }
    fn cpu_online(&mut self) -> Result<Option<i64>, Error> {
        Ok(self.number("cpu_online"))
    }
    fn cpu_affinity(&mut self) -> Result<Option<i64>, Error> {
        Ok(self.number("cpu_affinity"))
    }
    fn cpu_count(&mut self) -> Result<Option<i64>, Error> {
        Ok(self.number("cpu_count"))
    }
    fn cpu_is_cgroup_v2(&mut self) -> Result<bool, Error> {
        Ok(self.number("cgroup_version") == Some(2))
    }
    fn cpu_text(&mut self, fact: Fact, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        Ok(self.text(fact, buffer))
    }
    fn memory_is_cgroup_v2(&mut self) -> Result<bool, Error> {
        self.cpu_is_cgroup_v2()
    }
    fn memory_text(&mut self, fact: Fact, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
        Ok(self.text(fact, buffer))
    }
    fn port_bind(&mut self, port: i64) -> Result<i64, Error> {
        let taken = self.fact("taken").as_array().unwrap().iter().any(|range| {
            let (first, last) = (range[0].as_i64().unwrap(), range[1].as_i64().unwrap());
            (first..=last).contains(&port)
        });
        Ok(if taken { 98 } else { 0 })
    }
    fn file_read(&mut self, _handle: i64, _buffer: &mut [u8]) -> Result<usize, Error> {
        panic!("no vector reads a file through the host natively")
    }
    fn dir_entries(&mut self, handle: i64, must: bool) -> Result<Option<i64>, Error> {
        let entries = &self.fact("dir_entries")[usize::try_from(handle).unwrap()];
        if must && entries.is_null() { Err(Error::Host) } else { Ok(entries.as_i64()) }
    }
    fn fd_limit(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let fact = self.fact("open_files_limit");
        let limit = match fact.get("int") {
            Some(hex) => i128::from_str_radix(hex.as_str().unwrap().trim_start_matches("0x"), 16).unwrap(),
            None => fact.as_i64().unwrap().into(),
        };
        Ok(Facts::put(limit.to_string().as_bytes(), buffer))
    }
}

#[test]
fn base36_encode() {
    vectors!("base36_encode").run(250, |case, crosses| {
        let argument = &case["args"][0];
        let mut out = Vec::new();
        if crosses {
            base36::encode(&text_bytes(argument).unwrap(), &mut out).map_err(|error| error.to_string())?;
            return same(&case["expect"].as_str().unwrap().as_bytes(), &out.as_slice());
        }
        if is_text(argument) {
            left_to_python(base36::encode(&text_bytes(argument).unwrap(), &mut out))
        } else {
            Ok(())
        }
    });
}

#[test]
fn format_float() {
    vectors!("format_float").run(400, |case, crosses| {
        let (number, precision) = (double(&case["args"][0]), case["args"][1].as_i64());
        let mut out = Vec::new();
        if crosses {
            floats::format(number.unwrap(), precision.unwrap(), &mut out).map_err(|error| error.to_string())?;
            return same(&case["expect"].as_str().unwrap(), &str::from_utf8(&out).unwrap());
        }
        match (number, precision) {
            // An integral value needs no precision, so any is answered.
            (Some(number), Some(precision)) if number.fract() != 0.0 => {
                left_to_python(floats::format(number, precision, &mut out))
            }
            _ => Ok(()),
        }
    });
}

#[test]
fn truncate_long_string() {
    vectors!("truncate_long_string").run(750, |case, crosses| {
        if !crosses {
            return Ok(());
        }
        let (length, middle) = (case["args"][1].as_i64().unwrap(), case["args"][2].as_bool().unwrap());
        let mut out = Vec::new();
        text::truncate(&text_bytes(&case["args"][0]).unwrap(), length, middle, &mut out);
        same(&text_bytes(&case["expect"]).unwrap(), &out)
    });
}

#[test]
fn hash_file() {
    vectors!("hash_file").run(380, |case, crosses| {
        if !crosses {
            return Ok(());
        }
        let mut hasher = hashing::Hasher::new(case["number"].as_i64().unwrap()).unwrap();
        hasher.update(&content(&case["content"]));
        let mut out = Vec::new();
        hasher.finish(case.get("length").map_or(0, |length| length.as_i64().unwrap()), &mut out).unwrap();
        same(&bytes_of_hex(case["expect"].as_str().unwrap()), &out)
    });
}

/// The lines of a tail in UTF-8 with the handler `replace`: what Python makes of the artifact's answer.
fn decoded(tail: &[u8]) -> Vec<String> {
    let mut rows: Vec<&[u8]> = tail.split(|&byte| byte == b'\n').collect();
    if rows.last().is_some_and(|last| last.is_empty()) {
        rows.pop();
    }
    let last = rows.len().saturating_sub(1);
    let line = |(at, row): (usize, &&[u8])| {
        let row = String::from_utf8_lossy(row);
        format!("{}{}", row.trim_end_matches('\r'), if at < last { "\n" } else { "" })
    };
    rows.iter().enumerate().map(line).collect()
}

#[test]
fn read_last_n_lines() {
    vectors!("read_last_n_lines").run(300, |case, crosses| {
        if !crosses {
            return Ok(());
        }
        let content = content(&case["content"]);
        // The newline that ends the last line does not begin another.
        let wanted = case["n"].as_u64().unwrap() + u64::from(content.ends_with(b"\n"));
        let start = tail::scan(&content, wanted).start;
        same(&case["start"].as_u64().unwrap(), &start)?;
        if case["encoding"] != "utf-8" || case["errors"] != "replace" {
            return Ok(());
        }
        let lines: Vec<&str> = case["expect"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        same(&lines, &decoded(&content[start as usize..]).iter().map(String::as_str).collect())
    });
}

/// A search in parts, as the artifact goes on with it.
fn free_port(host: &mut impl Host, mut start: i64) -> Result<i64, Error> {
    loop {
        match system::find_free_port(host, start, PORT_TRIES)? {
            Ports::Free(port) => return Ok(port),
            Ports::Next(next) => start = next,
        }
    }
}

#[test]
fn find_free_port() {
    vectors!("find_free_port").run(50, |case, crosses| {
        let mut host = Facts(&case["facts"]);
        match case["args"][0].as_i64() {
            Some(start) if crosses => same(&Ok(case["expect"].as_i64().unwrap()), &free_port(&mut host, start)),
            Some(start) => left_to_python(free_port(&mut host, start)),
            None => Ok(()),
        }
    });
}

#[test]
fn get_cpu_count() {
    vectors!("get_cpu_count").run(120, |case, crosses| {
        let mut host = Facts(&case["facts"]);
        if case.get("environment").is_some() {
            return Ok(());
        }
        let got = cpu_mem::cpu_count(&mut host);
        if crosses { same(&Ok(case["expect"].as_i64().unwrap()), &got) } else { left_to_python(got) }
    });
}

#[test]
fn get_mem_size_gb() {
    vectors!("get_mem_size_gb").run(130, |case, crosses| {
        let mut host = Facts(&case["facts"]);
        if case.get("environment").is_some() {
            return Ok(());
        }
        let got = cpu_mem::memory_gb(&mut host).map(f64::to_bits);
        if crosses { same(&Ok(double(&case["expect"]).unwrap().to_bits()), &got) } else { left_to_python(got) }
    });
}

/// The cloud as it crosses: nothing for None.
fn cloud(case: &Value) -> Vec<u8> {
    text_bytes(&case["args"][0]).unwrap_or_default()
}

#[test]
fn get_parallel_threads() {
    vectors!("get_parallel_threads").run(45, |case, crosses| {
        if !crosses {
            return Ok(());
        }
        let got = system::parallel_threads(&mut Facts(&case["facts"]), &cloud(case));
        same(&Ok(case["expect"].as_i64().unwrap()), &got)
    });
}

#[test]
fn get_max_workers_for_file_mounts() {
    vectors!("get_max_workers_for_file_mounts").run(200, |case, crosses| {
        if !crosses {
            return Ok(());
        }
        let mounts = case["facts"]["dir_entries"].as_array().unwrap().len() as i64;
        let got = system::file_mount_workers(&mut Facts(&case["facts"]), mounts, &cloud(case));
        same(&Ok(case["expect"].as_i64().unwrap()), &got)
    });
}

#[test]
fn is_process_alive() {
    vectors!("is_process_alive").run(30, |case, crosses| {
        if !crosses {
            return Ok(());
        }
        let got = system::is_process_alive(&mut Facts(&case["facts"]), case["args"][0].as_i64().unwrap());
        same(&Ok(case["expect"].as_bool().unwrap()), &got)
    });
}

#[test]
fn estimate_fd_for_directory() {
    vectors!("estimate_fd_for_directory").run(7, |case, crosses| {
        let got = system::directory_fds(&mut Facts(&case["facts"]), 0);
        if crosses { same(&Ok(case["expect"].as_i64().unwrap()), &got) } else { left_to_python(got) }
    });
}
