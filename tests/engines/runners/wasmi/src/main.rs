//! Replays calls with wasmi, an interpreter. `tests/engines/calls.py` describes the calls.
//!
//!     wasmi-replay CORE_WASM CALLS_JSON
//!
//! Prints one line of JSON. The engine takes no feature of WebAssembly but those that the artifact may use.

mod guest;

use guest::{AGAIN, ARGUMENT_CELL, ASK, Guest, REFUSED, REQUEST_CELL};
use serde_json::{Value, json};

/// The document, and what a case has come to.
struct Replay {
    document: Value,
    blobs: Vec<Vec<u8>>,
    position: usize,
    output: Vec<u8>,
}

fn number(text: &Value) -> i64 {
    text.as_str().and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("no number: {text}"))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_object().into_iter().flatten().map(|(cell, want)| (cell.parse().expect("a cell"), want))
}

fn start_of(data: &[u8]) -> String {
    String::from_utf8_lossy(&data[..data.len().min(40)]).into_owned()
}

impl Replay {
    fn blob(&self, place: &Value) -> &[u8] {
        &self.blobs[place.as_u64().unwrap_or_else(|| panic!("no place in the list of blobs: {place}")) as usize]
    }

    /// The host's answer to the request in the cells; `None` where it raises.
    fn answer(&mut self, guest: &mut Guest, host: &Value) -> Result<Option<i64>, String> {
        let (asked, key) = (guest.cell(REQUEST_CELL).to_string(), guest.cell(ARGUMENT_CELL));
        let request = &self.document["requests"][&asked];
        let found = list(&host[&asked]).find(|range| (number(&range[0])..=number(&range[1])).contains(&key));
        match found.map(|range| &range[2]) {
            None => Err(format!("{}({key}) was asked as request {asked}, and the case has no answer", request["name"])),
            Some(Value::Null) => Ok(None),
            Some(plain @ Value::String(_)) => Ok(Some(number(plain))),
            Some(source) => {
                let cell = request["room"].as_u64().expect("a request with room for an answer") as usize;
                let (pointer, room) = (guest.cell(cell), guest.cell(cell + 1));
                let text = source.get("text");
                let data = text.map_or_else(|| &self.blob(&source["file"])[self.position..], |text| self.blob(text));
                let data = &data[..data.len().min(guest.bytes_at(pointer, room)?.len())];
                guest.write(pointer, data)?;
                let length = data.len();
                self.position += if text.is_none() { length } else { 0 };
                Ok(Some(length as i64))
            }
        }
    }

    /// Goes on until there is a result; `None` where the host raises.
    fn finished(&mut self, guest: &mut Guest, host: &Value, mut result: i64) -> Result<Option<i64>, String> {
        while result == AGAIN || result == ASK {
            let answer = if result == ASK { self.answer(guest, host)? } else { Some(0) };
            let Some(answer) = answer else { return Ok(None) };
            result = guest.invoke("skywasm.resume", &[answer])?;
        }
        Ok(Some(result))
    }

    /// Makes a call and compares.
    fn perform(&mut self, guest: &mut Guest, host: &Value, call: &Value) -> Result<(), String> {
        let mut data = Vec::new();
        for part in list(&call["input"]) {
            data.extend_from_slice(if part == "output" { &self.output } else { self.blob(part) });
        }
        let (address, large) = guest.put(&data)?;
        let slot = |text: &Value| if text.is_null() { data.len() as i64 } else { number(text) };
        let mut slots: Vec<i64> = list(&call["slots"]).map(slot).collect();
        slots.resize(guest::SLOTS - 1, 0);
        slots.push(large);
        let result = guest.invoke(call["export"].as_str().expect("an export's name"), &slots)?;
        let result = self.finished(guest, host, result)?;
        self.compare(guest, call, result)?;
        if let Some(blob) = call.get("input_after") {
            self.compare_bytes(guest, "the input afterwards", address, blob)?;
        }
        if large != 0 {
            guest.invoke("skywasm.reserve", &[0])?;
        }
        Ok(())
    }

    fn compare(&mut self, guest: &Guest, call: &Value, result: Option<i64>) -> Result<(), String> {
        if call["refusable"] == true && result == Some(REFUSED) {
            return Ok(());
        }
        let text = result.map_or_else(|| "raised".to_owned(), |result| result.to_string());
        match (call.get("result"), result) {
            (Some(want), _) if *want != text => return Err(format!("{text} instead of {want}")),
            (Some(_), _) => {}
            (None, Some(result @ 0..)) => self.compare_output(guest, result, &call["bytes"])?,
            (None, _) => return Err(format!("{text} instead of bytes")),
        }
        for (cell, want) in members(&call["cells"]) {
            let got = guest.cell(cell);
            if got != number(want) {
                return Err(format!("{got} instead of {want} in cell {cell}"));
            }
        }
        members(&call["pointed"]).try_for_each(|(cell, blob)| {
            self.compare_bytes(guest, &format!("what cell {cell} names"), guest.cell(cell), blob)
        })
    }

    fn compare_output(&mut self, guest: &Guest, result: i64, blob: &Value) -> Result<(), String> {
        self.output = guest.output(result)?.to_vec();
        if !blob.is_null() && self.output != self.blob(blob) {
            return Err(format!("{:?} instead of {:?}", start_of(&self.output), start_of(self.blob(blob))));
        }
        Ok(())
    }

    fn compare_bytes(&self, guest: &Guest, what: &str, pointer: i64, blob: &Value) -> Result<(), String> {
        let want = self.blob(blob);
        let same = guest.bytes_at(pointer, want.len() as i64)? == want;
        if same { Ok(()) } else { Err(format!("{what} differs from what was recorded")) }
    }

    /// What is wrong with the first call of a case that is not as recorded.
    fn problem(&mut self, guest: &mut Guest, case: &Value) -> Option<String> {
        self.position = 0;
        list(&case["calls"]).find_map(|call| {
            let difference = self.perform(guest, &case["host"], call).err()?;
            Some(format!("{}: {difference}", call["export"].as_str().unwrap()))
        })
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
    let mut document: Value = serde_json::from_slice(&std::fs::read(&arguments[2]).unwrap()).unwrap();
    let (cases, blobs) = (document["cases"].take(), list(&document["blobs"]).map(hex).collect());
    let mut replay = Replay { document, blobs, position: 0, output: Vec::new() };
    let module = guest::module(&std::fs::read(&arguments[1]).unwrap());
    let mut guest = Guest::new(&module);
    let regions = guest.regions;
    let mut passed = json!({"answer": 0, "refusal": 0, "batch": 0});
    let mut failures = Vec::new();
    for case in list(&cases) {
        match replay.problem(&mut guest, case) {
            None => {
                let kind = &mut passed[case["kind"].as_str().unwrap()];
                *kind = json!(kind.as_u64().unwrap() + 1);
            }
            Some(problem) => {
                failures.push(format!("{}: {problem}", case["name"].as_str().unwrap()));
                guest = Guest::new(&module);
            }
        }
    }
    assert!([guest, Guest::new(&module)].iter().all(|one| one.regions == regions), "the windows are not in one place");
    let processor = std::env::consts::ARCH;
    println!("{}", json!({"version": version(), "processor": processor, "passed": passed, "failures": failures}));
}
