// The wheel, not unpacked, in Pyodide: a new Python on a system that no module of host_shims is for, without
// wasmtime and without psutil. node pyodide.mjs FOLDER_OF_NODE_MODULES WHEEL

import path from "node:path";
import { pathToFileURL } from "node:url";

const [folder, wheel] = process.argv.slice(2).map((name) => path.resolve(name));
const { loadPyodide } = await import(pathToFileURL(path.join(folder, "node_modules/pyodide/pyodide.mjs")));
const pyodide = await loadPyodide();
pyodide.FS.mkdirTree("/dist");
pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: path.dirname(wheel) }, "/dist");
pyodide.globals.set("wheel", `/dist/${path.basename(wheel)}`);
try {
  pyodide.runPython(`
import sys
sys.path.insert(0, wheel)
import warnings
import host_shims, skywasm
from skywasm import errors, reference
from skywasm.cli import _answers

assert host_shims.facts.__name__ == "host_shims._unsupported", host_shims.facts
skywasm.set_backend("auto")
info = skywasm.get_backend_info(load=True)
assert info["backend"] == "python" and "wasmtime" in info["reason"], info
assert skywasm.base36_encode("ff") == "73"
try:
    skywasm.set_backend("wasm")
    skywasm.base36_encode("ff")
except errors.CoreUnavailableError as error:
    assert "wasmtime" in str(error), error
else:
    raise AssertionError("there is no wasmtime here")
# The known answers, asked of pure Python.
_answers.bind.crossing = lambda row, forced: getattr(reference, row.name)
tally = _answers.run()
# This hashlib is built without OpenSSL, which alone has some algorithms; Python can only say so.
import hashlib
absent = {"sha512_224", "sha512_256"} - hashlib.algorithms_available
refused = [one for one in tally.wrong if one.endswith(tuple(f"unsupported hash type {name}" for name in absent))]
wrong = [one for one in tally.wrong if one not in refused]
print("Python", sys.version.split()[0], "on", sys.platform, "without", sorted(absent))
print(tally.cases - len(tally.wrong), "passed,", len(wrong), "failed,", len(refused), "skipped")
assert not wrong, wrong
assert tally.cases > 100, tally.cases
`);
} catch (error) {
  // Without the source line, which is all of Pyodide.
  console.error(error.message);
  process.exit(1);
}
