//! Replays calls with wasmi, an interpreter. `tests/engines/calls.py` describes the calls.
//!
//!     wasmi-replay CORE_WASM CALLS_JSON
//!
//! Prints one line of JSON. The engine takes no feature of WebAssembly but those that the artifact may use.

use serde_json::{Value, json};
use wasmi::{Caller, Config, Engine, Extern, Instance, Linker, Memory, Module, Store, TypedFunc};

type Parameters = (i64, i64, i64, i64);
type Guest = (Store<Host>, Instance, Memory);

/// What a case's machine answers; what it has no answer for is noted.
struct Host {
    blobs: &'static [Vec<u8>],
    failed: i64,
    answers: Value,
    position: usize,
    unasked: Vec<String>,
}

fn number(text: &Value) -> i64 {
    text.as_str().and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("no number: {text}"))
}

fn place(blob: &Value) -> usize {
    blob.as_u64().unwrap_or_else(|| panic!("no place in the list of blobs: {blob}")) as usize
}

impl Host {
    fn find(&self, name: &str, key: i64) -> Option<Value> {
        let known = self.answers.get(name)?;
        let ranges = known.get("ranges").and_then(Value::as_array).into_iter().flatten();
        let within = |range: &&Value| (range[0].as_i64() <= Some(key)) && (Some(key) <= range[1].as_i64());
        ranges.into_iter().find(within).map(|range| &range[2]).or_else(|| known.get("else")).cloned()
    }

    /// A number, or bytes to be written to the guest.
    fn answer(&mut self, name: &str, key: i64, room: usize) -> Result<i64, &'static [u8]> {
        let Some(found) = self.find(name, key) else {
            self.unasked.push(format!("{name}({key}) was called, and the case has no answer"));
            return Ok(self.failed);
        };
        if found.is_string() {
            return Ok(number(&found));
        }
        let (blob, from) = match found.get("text") {
            Some(blob) => (blob, 0),
            None => (&found["file"], self.position),
        };
        let data = &self.blobs[place(blob)][from..];
        let data = &data[..data.len().min(room)];
        if found.get("file").is_some() {
            self.position += data.len();
        }
        Err(data)
    }
}

fn linker(engine: &Engine, module: &Module) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    for import in module.imports() {
        let name = import.name().to_owned();
        let function = move |mut caller: Caller<'_, Host>, _: i64, key: i64, pointer: i64, room: i64| -> i64 {
            match caller.data_mut().answer(&name, key, room as usize) {
                Ok(plain) => plain,
                Err(data) => {
                    let memory = caller.get_export("memory").and_then(Extern::into_memory).expect("memory is exported");
                    memory.write(&mut caller, pointer as usize, data).expect("a buffer inside the memory");
                    data.len() as i64
                }
            }
        };
        linker.func_wrap(import.module(), import.name(), function).expect("imports have different names");
    }
    linker
}

fn config() -> Config {
    let mut config = Config::default();
    config.wasm_simd(true).wasm_bulk_memory(true).wasm_sign_extension(true).wasm_saturating_float_to_int(true);
    // For the way that calls through the table are encoded; the artifact has no references.
    config.wasm_reference_types(true);
    config.wasm_mutable_global(false).wasm_multi_value(false).wasm_multi_memory(false).wasm_tail_call(false);
    config.wasm_extended_const(false).wasm_custom_page_sizes(false).wasm_relaxed_simd(false);
    // 64-bit memories are not compiled in.
    config.wasm_wide_arithmetic(false);
    config
}

fn instantiate(linker: &Linker<Host>, module: &Module, blobs: &'static [Vec<u8>], failed: i64) -> Guest {
    let host = Host { blobs, failed, answers: Value::Null, position: 0, unasked: Vec::new() };
    let mut store = Store::new(module.engine(), host);
    let instance = linker.instantiate_and_start(&mut store, module).expect("the artifact can be instantiated");
    let memory = instance.get_memory(&store, "memory").expect("memory is exported");
    let start: TypedFunc<(), ()> = instance.get_typed_func(&store, "_initialize").expect("_initialize is exported");
    start.call(&mut store, ()).expect("_initialize runs");
    (store, instance, memory)
}

fn invoke(guest: &mut Guest, export: &str, parameters: Parameters) -> Result<i64, String> {
    let (store, instance, _) = guest;
    let function: TypedFunc<Parameters, i64> =
        instance.get_typed_func(&*store, export).map_err(|error| error.to_string())?;
    function.call(store, parameters).map_err(|error| error.to_string())
}

fn bytes_at(guest: &Guest, pointer: usize, length: usize) -> Result<&[u8], String> {
    let outside = || format!("{length} bytes at {pointer} lie outside the memory");
    guest.2.data(&guest.0).get(pointer..pointer + length).ok_or_else(outside)
}

fn start_of(data: &[u8]) -> String {
    String::from_utf8_lossy(&data[..data.len().min(40)]).into_owned()
}

/// Makes a call and compares; `output` are the bytes that the call before gave.
fn perform(guest: &mut Guest, call: &Value, again: i64, output: &mut Vec<u8>) -> Result<(), String> {
    let blobs = guest.0.data().blobs;
    let mut data = Vec::new();
    for part in call.get("input").and_then(Value::as_array).into_iter().flatten() {
        data.extend_from_slice(if part == "output" { output } else { &blobs[place(part)] });
    }
    let address = invoke(guest, "sky_input", (data.len() as i64, 0, 0, 0))?;
    let (store, _, memory) = guest;
    memory.write(store, address as usize, &data).map_err(|_| format!("sky_input gave {address}"))?;
    let argument = |at: usize| match &call["arguments"][at] {
        Value::Null => data.len() as i64,
        text => number(text),
    };
    let (a, b, c) = (argument(0), argument(1), argument(2));
    let export = call["export"].as_str().expect("an export's name");
    let mut result = invoke(guest, export, (a, b, c, 0))?;
    while result == again {
        result = invoke(guest, export, (a, b, c, 1))?;
    }
    match call.get("number") {
        Some(want) if result != number(want) => return Err(format!("{result} instead of {want}")),
        Some(_) => {}
        None if result < 0 => return Err(format!("status {result} instead of bytes")),
        None => *output = bytes_at(guest, (result >> 32) as usize, result as u32 as usize)?.to_vec(),
    }
    match call.get("bytes").map(|blob| &blobs[place(blob)]) {
        Some(want) if want != output => return Err(format!("{:?} instead of {:?}", start_of(output), start_of(want))),
        _ => {}
    }
    match call.get("memory").map(|blob| &blobs[place(blob)]) {
        Some(want) if bytes_at(guest, address as usize, want.len())? != want => {
            Err("the input buffer holds other bytes than recorded".to_owned())
        }
        _ => Ok(()),
    }
}

/// The version of wasmi, as the lock file has it.
fn version() -> &'static str {
    let lock = include_str!("../Cargo.lock");
    lock.split("name = \"wasmi\"\nversion = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("unknown")
}

fn hex(text: &Value) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).expect("hexadecimal") as u8;
    let (pairs, _) = text.as_str().expect("hexadecimal").as_bytes().as_chunks::<2>();
    pairs.iter().map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let document: Value = serde_json::from_slice(&std::fs::read(&arguments[2]).unwrap()).unwrap();
    let blobs: &[Vec<u8>] = Vec::leak(document["blobs"].as_array().unwrap().iter().map(hex).collect());
    let (again, failed) = (number(&document["again"]), number(&document["host_failed"]));
    let engine = Engine::new(&config());
    let module = Module::new(&engine, std::fs::read(&arguments[1]).unwrap()).expect("a module of these features");
    let linker = linker(&engine, &module);
    let mut guest = instantiate(&linker, &module, blobs, failed);
    let mut passed = json!({"answer": 0, "refusal": 0, "batch": 0});
    let (mut failures, mut output) = (Vec::new(), Vec::new());
    for case in document["cases"].as_array().unwrap() {
        let host = guest.0.data_mut();
        (host.answers, host.position) = (case["host"].clone(), 0);
        let mut problem = None;
        for call in case["calls"].as_array().unwrap() {
            if let Err(difference) = perform(&mut guest, call, again, &mut output) {
                problem = Some(format!("{}: {difference}", call["export"].as_str().unwrap()));
                break;
            }
        }
        let unasked = std::mem::take(&mut guest.0.data_mut().unasked);
        match unasked.into_iter().next().or(problem) {
            None => {
                let kind = &mut passed[case["kind"].as_str().unwrap()];
                *kind = json!(kind.as_u64().unwrap() + 1);
            }
            Some(problem) => {
                failures.push(format!("{}: {problem}", case["name"].as_str().unwrap()));
                guest = instantiate(&linker, &module, blobs, failed);
            }
        }
    }
    let processor = std::env::consts::ARCH;
    println!("{}", json!({"version": version(), "processor": processor, "passed": passed, "failures": failures}));
}
