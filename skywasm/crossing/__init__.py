"""Fast calls into sandboxed modules. Knows no function and nothing of SkyPilot.

From the bottom: ``engine`` (wasmtime's library, its configuration, the cache), ``convention`` and ``interface`` (what
both sides agree on, what a module says of itself), ``instance`` (one instance and the checks on what comes out),
``calls``, ``roads`` and ``lists`` (one call, the code made to measure for it, many items in one), ``module`` (all of
it together); beside them ``host`` (what modules may ask), ``rules``, ``blocks`` and ``clock`` (what is denied, how
long a call may take).
"""
