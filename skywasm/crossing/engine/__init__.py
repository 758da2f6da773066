"""The engine behind the crossing: wasmtime's library by its C API, its configuration, the cache of compiled code."""
