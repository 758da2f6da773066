"""The performance report: the benchmark's result as a page, as tables, or as JSON.

``curves`` measures time over size, ``model`` reads a result, ``text`` and ``html`` show it. All three forms come from
the same JSON, so a report made from a file is the report that the measuring itself would have made.
"""
