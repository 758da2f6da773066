// Replays calls with the WebAssembly of Node (V8). `tests/engines/calls.py` describes the calls.
//
//     node node_replay.mjs CORE_WASM CALLS_JSON
//
// Prints one line of JSON.

import { readFileSync } from "node:fs";

const SLOTS = 8;
// Sizes of the static regions: the windows for input and output, the cells.
const REGIONS = [32 * 1024, 64 * 1024, 16 * 8];
const IN_WINDOW = 2 ** 29;
const [REFUSED, AGAIN, ASK] = [-1n, -4294967296n, -4294967297n];
const [REQUEST_CELL, ARGUMENT_CELL] = [1, 2];
// A module that imports a.a as (i64 x 8) -> i64: whether an export is of this type shows when it is linked to it.
const UNIFORM = new WebAssembly.Module(
  Buffer.from("0061736d01000000" + "010d0160087e7e7e7e7e7e7e7e017e" + "020701016101610000", "hex"),
);

class Mismatch extends Error {}

const [core, calls] = process.argv.slice(2);
const document = JSON.parse(readFileSync(calls, "ascii"));
const blobs = document.blobs.map((text) => Buffer.from(text, "hex"));
const module = new WebAssembly.Module(readFileSync(core));

let exports, regions, output, host, position;

function brokenPromise() {
  const [imported] = WebAssembly.Module.imports(module);
  if (imported !== undefined) return `the artifact imports ${imported.module}.${imported.name}`;
  const { exports } = new WebAssembly.Instance(module);
  for (const { name, kind } of WebAssembly.Module.exports(module)) {
    try {
      if (name === "memory" ? kind !== "memory" : kind !== "function") throw new WebAssembly.LinkError();
      if (name === "_initialize" && exports[name].length !== 0) throw new WebAssembly.LinkError();
      if (!["memory", "_initialize"].includes(name)) new WebAssembly.Instance(UNIFORM, { a: { a: exports[name] } });
    } catch (error) {
      if (error instanceof WebAssembly.LinkError) return `the artifact's export ${name} is of another type`;
      throw error;
    }
  }
}

function instantiate() {
  exports = new WebAssembly.Instance(module).exports;
  exports._initialize?.();
  return REGIONS.map((size, which) => {
    const address = Number(invoke("skywasm.buffers", [BigInt(which)]));
    bytesAt(address, size);
    return address;
  });
}

function invoke(name, slots) {
  if (!(name in exports)) throw new Mismatch("there is no such export");
  return exports[name](...slots, ...Array(SLOTS - slots.length).fill(0n));
}

function bytesAt(pointer, length) {
  const memory = Buffer.from(exports.memory.buffer);
  if (pointer < 0 || length < 0 || pointer + length > memory.length) {
    throw new Mismatch(`${length} bytes at ${pointer} lie outside the memory`);
  }
  return memory.subarray(pointer, pointer + length);
}

const cell = (number) => bytesAt(regions[2], REGIONS[2]).readBigInt64LE(8 * number);

// The host's answer to the request in the cells; null where it raises.
function answer() {
  const [number, key] = [String(cell(REQUEST_CELL)), cell(ARGUMENT_CELL)];
  const request = document.requests[number] ?? { name: `request ${number}` };
  const found = (host[number] ?? []).find(([first, last]) => BigInt(first) <= key && key <= BigInt(last))?.[2];
  if (found === undefined) throw new Mismatch(`${request.name}(${key}) was asked, and the case has no answer`);
  if (found === null) return null;
  if (typeof found === "string") return BigInt(found);
  const room = bytesAt(Number(cell(request.room)), Number(cell(request.room + 1)));
  const data = "text" in found ? blobs[found.text] : blobs[found.file].subarray(position);
  const length = data.copy(room);
  if ("file" in found) position += length;
  return BigInt(length);
}

// Goes on until there is a result, or the host raises.
function finished(result) {
  while (result === AGAIN || result === ASK) {
    const answered = result === ASK ? answer() : 0n;
    if (answered === null) return "raised";
    result = invoke("skywasm.resume", [answered]);
  }
  return result;
}

function compareOutput(result, blob) {
  if (result === "raised" || result < 0n) throw new Mismatch(`${result} instead of bytes`);
  let [pointer, length] = [Number(result >> 32n), Number(result & 0xffffffffn)];
  if (pointer === 0) {
    [pointer, length] = [regions[1], length - IN_WINDOW];
    if (length > REGIONS[1]) throw new Mismatch(`${length} bytes cannot be in the window`);
  }
  output = Buffer.from(bytesAt(pointer, length));
  if (blob !== null && !output.equals(blobs[blob])) {
    const start = (bytes) => JSON.stringify(bytes.subarray(0, 40).toString("latin1"));
    throw new Mismatch(`${start(output)} instead of ${start(blobs[blob])}`);
  }
}

function compareBytes(what, pointer, blob) {
  if (!bytesAt(pointer, blobs[blob].length).equals(blobs[blob])) {
    throw new Mismatch(`${what} differs from what was recorded`);
  }
}

function compare(call, result) {
  if (call.refusable && result === REFUSED) return;
  if (call.result === undefined) compareOutput(result, call.bytes);
  else if (String(result) !== call.result) throw new Mismatch(`${result} instead of ${call.result}`);
  for (const [number, want] of Object.entries(call.cells ?? {})) {
    if (cell(number) !== BigInt(want)) throw new Mismatch(`${cell(number)} instead of ${want} in cell ${number}`);
  }
  for (const [number, blob] of Object.entries(call.pointed ?? {})) {
    compareBytes(`what cell ${number} names`, Number(cell(number)), blob);
  }
}

function make(call) {
  const data = Buffer.concat(call.input.map((part) => (part === "output" ? output : blobs[part])));
  const length = BigInt(data.length);
  const large = data.length > REGIONS[0] ? invoke("skywasm.reserve", [length]) : 0n;
  const address = Number(large) || regions[0];
  bytesAt(address, data.length).set(data);
  const slots = call.slots.map((text) => BigInt(text ?? length));
  while (slots.length < SLOTS - 1) slots.push(0n);
  compare(call, finished(invoke(call.export, [...slots, large])));
  if (call.input_after !== undefined) compareBytes("the input afterwards", address, call.input_after);
  if (large !== 0n) invoke("skywasm.reserve", [0n]);
}

function problem(one) {
  [host, position] = [one.host, 0];
  for (const call of one.calls) {
    try {
      make(call);
    } catch (error) {
      if (!(error instanceof Mismatch || error instanceof WebAssembly.RuntimeError)) throw error;
      return `${call.export}: ${error.message}`;
    }
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

const broken = brokenPromise();
if (broken !== undefined) fail(broken);
const passed = { answer: 0, refusal: 0, batch: 0 };
const failures = [];
const places = (regions = instantiate()).join();
for (const one of document.cases) {
  const different = problem(one);
  if (different === undefined) {
    passed[one.kind] += 1;
  } else {
    failures.push(`${one.name}: ${different}`);
    regions = instantiate();
  }
}
if (regions.join() !== places || instantiate().join() !== places) {
  fail("the windows are not where they are in another instance");
}
const version = `${process.versions.node} (V8 ${process.versions.v8})`;
console.log(JSON.stringify({ version, processor: process.arch, passed, failures }));
