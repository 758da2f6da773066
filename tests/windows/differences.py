"""Tests that cannot mean on Windows, or under Wine, what they mean elsewhere, each with its reason.

A plugin of pytest's in the Python for Windows: what Windows itself has not is skipped with its reason, and what only
Wine does otherwise is run and expected to fail, so that nothing is left out in silence.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest


class Difference(NamedTuple):
    """Tests by a pattern of their names, and why they differ. ``runs``: they can be run nevertheless."""

    tests: str
    reason: str
    runs: bool = True

    def about(self) -> str:
        """The tests' files, for people."""
        files = re.findall(r"\w+/test_\w+", self.tests)
        return ", ".join(f"`{file}.py`" for file in dict.fromkeys(files))


WINE = (
    Difference(
        r"host/test_ports\.py::test_any_holder_counts\[\w+-False-::\]",
        "Wine lets a port be bound that a socket for both families holds and does not listen on",
    ),
    Difference(
        r"host/test_processes\.py::test_itself_and_its_parent",
        "a program that is started from outside of Wine has no parent in it, and to ask for it crashes Python 3.14",
        runs=False,
    ),
    Difference(
        r"migrate/test_files\.py::(test_a_folder_stands|test_what_is_named|test_a_link_stays)",
        "Wine 8 makes no links that Windows' functions could read",
    ),
)
WINDOWS = (
    Difference(r"property/test_files_that_change\.py", "Windows removes or replaces no file that is open"),
    Difference(r"migrate/test_files\.py::test_mode_bits_are_kept", "files have no mode bits on Windows"),
    Difference(
        r"batch/test_changing_files\.py::.*(_vanish|_be_replaced)|batch/test_changing_files\.py::test_files_that_others",
        "Windows removes or replaces no file that is open",
    ),
    Difference(r"batch/test_hash_files\.py::test_links_and_names", "names are text on Windows, not any bytes"),
    Difference(
        r"conformance/test_bug_reports\.py::.*\[case-(07|17|18|21|23)-",
        "the report is of named pipes, forks, limits or zombies, which Windows has not",
    ),
)
OPENSSL_1 = (
    Difference(
        r"batch/test_hash_files\.py::test_names_as_hash_file_takes_them\[\w+-SHA-256\]"
        r"|conformance/test_bug_reports\.py::.*\[case-08-",
        "OpenSSL 1.1 does not know SHA-256 by that name, and this Python has it",
    ),
)


def of_this_python() -> tuple[Difference, ...]:
    """What else counts for the Python that runs this."""
    import ssl

    return (*WINDOWS, *(OPENSSL_1 if ssl.OPENSSL_VERSION_INFO < (3,) else ()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that are named above."""
    left_out = of_this_python()
    for item in items:
        name = item.nodeid.replace("\\", "/").removeprefix("tests/")
        for one in left_out:
            if re.match(one.tests, name):
                item.add_marker(pytest.mark.skip(reason=f"Windows: {one.reason}"))
        for one in WINE:
            if re.match(one.tests, name):
                item.add_marker(pytest.mark.xfail(reason=f"Wine: {one.reason}", run=one.runs, strict=False))
