//! The vector files of `../tests/vectors`, natively and through the whole crossing: every case that crosses must get
//! its recorded answer, and every case that is Python's must not get one by mistake. `README.md` there describes the
//! format.

use serde_json::Value;
use skywasm_core::Error;
use skywasm_core::functions::{files, hashing, machine, numbers, processes, text};
use skywasm_guest::Exported;
use skywasm_guest::testing::{self, Argument, Request, Value as Answer};
use std::fmt::Debug;

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

fn call<E: Exported>(arguments: &[Argument<'_>]) -> Result<Answer, Error> {
    testing::call::<E>(arguments)
}

fn gives<E: Exported>(arguments: &[Argument<'_>], want: Answer) -> Result<(), String> {
    same(&Ok(want), &call::<E>(arguments))
}

/// A case that is Python's: the artifact must say so, if its arguments can cross at all.
fn left_to_python<T: Debug>(got: Result<T, Error>) -> Result<(), String> {
    match got {
        Err(Error::Input) => Ok(()),
        other => Err(format!("this is Python's to answer, got {other:?}")),
    }
}

/// The machine of a case. What a case has no fact for must not be asked.
struct Facts(Value);

/// The files that the facts of `cpu_text` and `memory_text` are in, by their numbers.
const FILES: [&str; 7] = [
    "",
    "cpu.max",
    "cpu/cpu.cfs_quota_us",
    "cpu/cpu.cfs_period_us",
    "meminfo",
    "memory.max",
    "memory/memory.limit_in_bytes",
];

impl Facts {
    fn install(case: &Value) {
        let facts = Facts(case["facts"].clone());
        testing::host(move |request| facts.answer(request));
    }

    fn fact(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("{name} was asked for, and {} has no such fact", self.0))
    }

    fn number(&self, name: &str) -> i64 {
        let fact = self.fact(name);
        assert!(fact.is_null() || fact.is_i64(), "{name}: {fact}");
        fact.as_i64().unwrap_or(-1)
    }

    fn answer(&self, request: &mut Request<'_>) -> i64 {
        match request.name {
            "process_signal" => -self.number("process_signal"),
            "cpu_online" | "cpu_affinity" | "cpu_count" => self.number(request.name),
            "cpu_cgroup_version" | "memory_cgroup_version" => self.number("cgroup_version"),
            "cpu_text" | "memory_text" => self.text(request),
            "port_bind" => -98 * i64::from(self.taken(request.arguments[0])),
            "dir_entries" => {
                self.fact("dir_entries")[usize::try_from(request.arguments[0]).unwrap()].as_i64().unwrap_or(-1)
            }
            "limits_open_files" => request.fill(self.limit().as_bytes()),
            other => panic!("no vector has an answer to {other}"),
        }
    }

    fn text(&self, request: &mut Request<'_>) -> i64 {
        let name = FILES[request.arguments[0] as usize];
        let text = if name == "meminfo" { Some(self.fact(name)) } else { self.fact("files").get(name) };
        text.map_or(-1, |text| request.fill(&text_bytes(text).unwrap()))
    }

    fn taken(&self, port: i64) -> bool {
        self.fact("taken").as_array().unwrap().iter().any(|range| {
            let (first, last) = (range[0].as_i64().unwrap(), range[1].as_i64().unwrap());
            (first..=last).contains(&port)
        })
    }

    fn limit(&self) -> String {
        let fact = self.fact("open_files_limit");
        let limit = match fact.get("int") {
            Some(hex) => i128::from_str_radix(hex.as_str().unwrap().trim_start_matches("0x"), 16).unwrap(),
            None => fact.as_i64().unwrap().into(),
        };
        limit.to_string()
    }
}

#[test]
fn base36_encode() {
    vectors!("base36_encode").run(250, |case, crosses| {
        let argument = &case["args"][0];
        if crosses {
            let want = case["expect"].as_str().unwrap().as_bytes().to_vec();
            return gives::<numbers::base36_encode>(
                &[Argument::Bytes(&text_bytes(argument).unwrap())],
                Answer::Bytes(want),
            );
        }
        if is_text(argument) {
            left_to_python(call::<numbers::base36_encode>(&[Argument::Bytes(&text_bytes(argument).unwrap())]))
        } else {
            Ok(())
        }
    });
}

#[test]
fn format_float() {
    vectors!("format_float").run(400, |case, crosses| {
        let (Some(number), Some(precision)) = (double(&case["args"][0]), case["args"][1].as_i64()) else {
            assert!(!crosses, "{case}");
            return Ok(());
        };
        let arguments = [Argument::Float(number), Argument::Int(precision)];
        if crosses {
            let want = case["expect"].as_str().unwrap().as_bytes().to_vec();
            return gives::<numbers::format_float>(&arguments, Answer::Bytes(want));
        }
        left_to_python(call::<numbers::format_float>(&arguments))
    });
}

#[test]
fn truncate_long_string() {
    vectors!("truncate_long_string").run(750, |case, crosses| {
        if !crosses {
            return Ok(());
        }
        let (length, middle) = (case["args"][1].as_i64().unwrap(), case["args"][2].as_bool().unwrap());
        let text = text_bytes(&case["args"][0]).unwrap();
        let arguments = [Argument::Bytes(&text), Argument::Int(length), Argument::Bool(middle)];
        gives::<text::truncate_long_string>(&arguments, Answer::Bytes(text_bytes(&case["expect"]).unwrap()))
    });
}

#[test]
fn hash_file() {
    vectors!("hash_file").run(380, |case, crosses| {
        if !crosses {
            return Ok(());
        }
        let (mut rest, algorithm) = (content(&case["content"]), Argument::Int(case["number"].as_i64().unwrap()));
        testing::host(move |request| {
            assert_eq!(request.name, "file_read");
            let length = request.fill(&rest);
            rest.drain(..length as usize);
            length
        });
        let Ok(Answer::Bytes(state)) = call::<hashing::hash_file>(&[Argument::Int(0), algorithm]) else {
            return Err("no state".into());
        };
        let length = Argument::Int(case.get("length").map_or(0, |length| length.as_i64().unwrap()));
        let want = Answer::Bytes(bytes_of_hex(case["expect"].as_str().unwrap()));
        gives::<hashing::hash_digest>(&[Argument::Bytes(&state), algorithm, length], want)
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
        let arguments = [Argument::Bytes(&content), Argument::Int(wanted as i64)];
        let Ok(Answer::Bytes(found)) = call::<files::read_last_n_lines>(&arguments) else { panic!("{wanted}") };
        let start = u64::from_le_bytes(found[8..].try_into().unwrap());
        same(&case["start"].as_u64().unwrap(), &start)?;
        if case["encoding"] != "utf-8" || case["errors"] != "replace" {
            return Ok(());
        }
        let lines: Vec<&str> = case["expect"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        same(&lines, &decoded(&content[start as usize..]).iter().map(String::as_str).collect())
    });
}

#[test]
fn find_free_port() {
    vectors!("find_free_port").run(50, |case, crosses| {
        Facts::install(case);
        let Some(start) = case["args"][0].as_i64() else { return Ok(()) };
        let got = call::<processes::find_free_port>(&[Argument::Int(start)]);
        if crosses { same(&Ok(Answer::Int(case["expect"].as_i64().unwrap())), &got) } else { left_to_python(got) }
    });
}

#[test]
fn get_cpu_count() {
    vectors!("get_cpu_count").run(120, |case, crosses| {
        Facts::install(case);
        if case.get("environment").is_some() {
            return Ok(());
        }
        let got = call::<machine::get_cpu_count>(&[]);
        if crosses { same(&Ok(Answer::Int(case["expect"].as_i64().unwrap())), &got) } else { left_to_python(got) }
    });
}

#[test]
fn get_mem_size_gb() {
    vectors!("get_mem_size_gb").run(130, |case, crosses| {
        Facts::install(case);
        if case.get("environment").is_some() {
            return Ok(());
        }
        let got = call::<machine::get_mem_size_gb>(&[]);
        if crosses { same(&Ok(Answer::Float(double(&case["expect"]).unwrap())), &got) } else { left_to_python(got) }
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
        Facts::install(case);
        let want = Answer::Int(case["expect"].as_i64().unwrap());
        gives::<processes::get_parallel_threads>(&[Argument::Bytes(&cloud(case))], want)
    });
}

#[test]
fn get_max_workers_for_file_mounts() {
    vectors!("get_max_workers_for_file_mounts").run(200, |case, crosses| {
        if !crosses {
            return Ok(());
        }
        Facts::install(case);
        let mounts = Argument::Int(case["facts"]["dir_entries"].as_array().unwrap().len() as i64);
        let want = Answer::Int(case["expect"].as_i64().unwrap());
        gives::<processes::get_max_workers_for_file_mounts>(&[mounts, Argument::Bytes(&cloud(case))], want)
    });
}

#[test]
fn is_process_alive() {
    vectors!("is_process_alive").run(30, |case, crosses| {
        if !crosses {
            return Ok(());
        }
        Facts::install(case);
        let pid = Argument::Int(case["args"][0].as_i64().unwrap());
        gives::<processes::is_process_alive>(&[pid], Answer::Bool(case["expect"].as_bool().unwrap()))
    });
}

#[test]
fn estimate_fd_for_directory() {
    vectors!("estimate_fd_for_directory").run(7, |case, crosses| {
        if !crosses {
            // Python raises while it is asked, and nobody resumes.
            return Ok(());
        }
        Facts::install(case);
        let want = Answer::Int(case["expect"].as_i64().unwrap());
        gives::<files::estimate_fd_for_directory>(&[Argument::Int(0)], want)
    });
}
