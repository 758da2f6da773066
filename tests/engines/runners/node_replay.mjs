// Replays calls with the WebAssembly of Node (V8). `tests/engines/calls.py` describes the calls.
//
//     node node_replay.mjs CORE_WASM CALLS_JSON
//
// Prints one line of JSON.

import { readFileSync } from "node:fs";

class Mismatch extends Error {}

const [core, calls] = process.argv.slice(2);
const document = JSON.parse(readFileSync(calls, "ascii"));
const blobs = document.blobs.map((text) => Buffer.from(text, "hex"));
const again = BigInt(document.again);
const hostFailed = BigInt(document.host_failed);
const module = new WebAssembly.Module(readFileSync(core));

let answers, position, unasked, exports, output;

function answer(name, key, pointer, room) {
  const known = answers[name] ?? {};
  const range = (known.ranges ?? []).find(([first, last]) => BigInt(first) <= key && key <= BigInt(last));
  const found = range === undefined ? known.else : range[2];
  if (found === undefined) {
    unasked.push(`${name}(${key}) was called, and the case has no answer`);
    return hostFailed;
  }
  if (typeof found === "string") return BigInt(found);
  let data;
  if ("text" in found) {
    data = blobs[found.text].subarray(0, Number(room));
  } else {
    data = blobs[found.file].subarray(position, position + Number(room));
    position += data.length;
  }
  new Uint8Array(exports.memory.buffer).set(data, Number(pointer));
  return BigInt(data.length);
}

function instantiate() {
  const imports = {};
  for (const entry of WebAssembly.Module.imports(module)) {
    imports[entry.module] ??= {};
    imports[entry.module][entry.name] = (_noAnswer, key, pointer, room) => answer(entry.name, key, pointer, room);
  }
  exports = new WebAssembly.Instance(module, imports).exports;
  exports._initialize();
}

function bytesAt(pointer, length) {
  const memory = Buffer.from(exports.memory.buffer);
  if (pointer + length > memory.length) throw new Mismatch(`${length} bytes at ${pointer} lie outside the memory`);
  return memory.subarray(pointer, pointer + length);
}

function compareBytes(result, call) {
  if (result < 0n) throw new Mismatch(`status ${result} instead of bytes`);
  output = Buffer.from(bytesAt(Number((result >> 32n) & 0xffffffffn), Number(result & 0xffffffffn)));
  if (call.bytes !== undefined && !output.equals(blobs[call.bytes])) {
    const start = (bytes) => JSON.stringify(bytes.subarray(0, 40).toString("latin1"));
    throw new Mismatch(`${start(output)} instead of ${start(blobs[call.bytes])}`);
  }
}

function make(call) {
  const data = Buffer.concat((call.input ?? []).map((part) => (part === "output" ? output : blobs[part])));
  const address = exports.sky_input(BigInt(data.length), 0n, 0n, 0n);
  if (address < 0n) throw new Mismatch(`sky_input gave ${address}`);
  bytesAt(Number(address), data.length).set(data);
  const parameters = call.arguments.map((text) => BigInt(text ?? data.length));
  let result = exports[call.export](...parameters, 0n);
  while (result === again) result = exports[call.export](...parameters, 1n);
  if (call.number === undefined) compareBytes(result, call);
  else if (result !== BigInt(call.number)) throw new Mismatch(`${result} instead of ${call.number}`);
  if (call.memory !== undefined) {
    const want = blobs[call.memory];
    if (!bytesAt(Number(address), want.length).equals(want)) {
      throw new Mismatch("the input buffer holds other bytes than recorded");
    }
  }
}

const passed = { answer: 0, refusal: 0, batch: 0 };
const failures = [];
instantiate();
for (const one of document.cases) {
  [answers, position, unasked] = [one.host, 0, []];
  let problem;
  for (const call of one.calls) {
    try {
      make(call);
    } catch (error) {
      if (!(error instanceof Mismatch || error instanceof WebAssembly.RuntimeError)) throw error;
      problem = `${call.export}: ${error.message}`;
      instantiate();
      break;
    }
  }
  problem = unasked[0] ?? problem;
  if (problem === undefined) passed[one.kind] += 1;
  else failures.push(`${one.name}: ${problem}`);
}
const version = `${process.versions.node} (V8 ${process.versions.v8})`;
console.log(JSON.stringify({ version, processor: process.arch, passed, failures }));
