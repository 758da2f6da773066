"""Programs put together at random compute after the migration what they computed before."""

from __future__ import annotations

import pathlib
import tempfile

import pytest

hypothesis = pytest.importorskip("hypothesis")
pytest.importorskip("sky")
strategies = hypothesis.strategies

from migrate.sources import outcome, result_of  # noqa: E402 - they need the packages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Draw = Callable[[Any], Any]

# A way to import, and what the functions of the two modules are called by then.
IMPORTS = (
    ("from sky.utils import common_utils, subprocess_utils", "common_utils.", "subprocess_utils."),
    ("from sky.utils import (common_utils as c,\n    ux_utils, subprocess_utils as s)  # three", "c.", "s."),
    ("import sky.utils.common_utils, sky.utils.subprocess_utils as s", "sky.utils.common_utils.", "s."),
    ("import sky", "sky.utils.common_utils.", "sky.utils.subprocess_utils."),
    ("from sky import utils as u; x = 1", "u.common_utils.", "u.subprocess_utils."),
    (
        "from sky.utils.common_utils import (\n    format_float, removeprefix,  # two\n    base36_encode)\n"
        "from sky.utils.subprocess_utils import get_parallel_threads",
        "",
        "",
    ),
    ("import skywasm\nfrom sky.utils import common_utils, subprocess_utils", "common_utils.", "subprocess_utils."),
)
USES = (
    "{0}format_float({n} / 4)",
    "f'{{{0}base36_encode(\"{n}\")}} {{{n}}}'",
    "[{0}format_float(i) for i in range({n})]",
    "(lambda {1}=1: {1})() or {0}format_float({n})",
    "{2}get_parallel_threads('kubernetes')",
    "list(map({0}base36_encode, ['{n}', 'f']))",
    "{0}removeprefix('{n}', '1')",
    "skywasm",
)


def block(draw: Draw, depth: int, names: tuple[str, str] | None) -> list[str]:
    """Lines of a function's body, or of the module; ``names`` is what the modules are called outside of it."""
    lines: list[str] = []
    if names is None or draw(strategies.booleans()):
        statement, *own = draw(strategies.sampled_from(IMPORTS))
        guarded = draw(strategies.booleans())
        # A name that is bound in a function is the function's own from its first line on.
        lines += ["if True:", *indented(statement.split("\n"))] if guarded else statement.split("\n")
        names = (own[0], own[1])
    if draw(strategies.integers(0, 3)) == 0:
        lines.append("skywasm = 'mine'" if draw(strategies.booleans()) else "import skywasm")
    for _ in range(draw(strategies.integers(1, 3))):
        use = draw(strategies.sampled_from(USES))
        base = names[0].partition(".")[0] or "x"
        if use == "skywasm" and not any("skywasm" in line for line in lines):
            continue
        if "removeprefix" in use and not names[0].endswith(("utils.", "c.")):
            continue
        value = use.format(names[0], base, names[1], n=draw(strategies.integers(1, 9)))
        lines.append(f"result.append(str({value}))")
    if depth:
        for index in range(draw(strategies.integers(0, 2))):
            name = f"f{depth}{index}"
            lines += [f"def {name}():", *indented(["'''Doc.'''", *block(draw, depth - 1, names)]), f"{name}()"]
    return lines


def indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


@strategies.composite
def programs(draw: Draw) -> str:
    """A module with functions in functions, imports in any of them, and names that collide with skywasm's."""
    return "\n".join(["import os", "result = []", *block(draw, 2, None)]) + "\n"


@hypothesis.given(programs())
def test_same_results(program: str) -> None:
    """A random program gives the same results after the migration, and a second run leaves it alone."""
    with tempfile.TemporaryDirectory() as folder:
        changed = outcome(program.encode(), pathlib.Path(folder))
        assert result_of(changed.after) == result_of(program)
        assert not outcome(changed.after, pathlib.Path(folder)).changed
