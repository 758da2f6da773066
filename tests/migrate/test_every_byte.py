"""What is not moved stays byte for byte, whatever the file is made of."""

from __future__ import annotations

import pytest

from migrate.sources import outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

TEXT = (
    b'"""Doc."""\n\nimport os\n\nfrom sky.utils import common_utils, ux_utils\n\n\n'
    b"def f(x):\n    return common_utils.format_float( x )  # two  blanks \n"
)
AFTER = (
    b'"""Doc."""\n\nimport os\n\nimport skywasm\nfrom sky.utils import ux_utils\n\n\n'
    b"def f(x):\n    return skywasm.format_float( x )  # two  blanks \n"
)
# A change to both texts.
MAKES = {
    "as it is": lambda data: data,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "carriage returns": lambda data: data.replace(b"\n", b"\r"),
    "tabs": lambda data: data.replace(b"    ", b"\t"),
    "a mark of UTF-8": lambda data: b"\xef\xbb\xbf" + data,
    "no newline at the end": lambda data: data.rstrip(),
    "blanks at the end": lambda data: data + b"\n\n   \n\t",
    "form feeds": lambda data: data.replace(b"def f", b"\x0cdef f").replace(b"os\n\n", b"os\n\x0c\n"),
    "form feeds before the import": lambda data: data.replace(b"\nimport os", b"\n\x0cimport os"),
    "latin-1": lambda data: b"# -*- coding: latin-1 -*-\n" + data.replace(b"Doc", b"Caf\xe9 \xa4"),
    "a code page": lambda data: (
        b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n" + data.replace(b"Doc", b"\x80")
    ),
    "UTF-8": lambda data: data.replace(b"Doc", "\U0001f389 é".encode()).replace(b"return", b"x = 'x\xcc\x81'; return"),
    "mixed line ends": lambda data: data.replace(b"os\n", b"os\r\n").replace(b"):\n", b"):\r\n"),
    "line ends within a string": lambda data: data.replace(b"Doc.", b"Do\r\nc\x0c.\x0b\x1c\n\x0cx"),
    "a comment first": lambda data: b"# comment\n\n" + data,
    "an unusual layout": lambda data: data.replace(b"def f(x)", b"def f ( x )").replace(
        b"\nimport os", b"\nimport  os ;"
    ),
}


@pytest.mark.parametrize("make", MAKES)
def test_the_rest_stays_byte_for_byte(make: str, tmp_path: pathlib.Path) -> None:
    """Line ends, tabs, marks, encodings, form feeds and blanks survive; new lines end as their neighbours do."""
    result = outcome(MAKES[make](TEXT), tmp_path)
    wanted = MAKES[make](AFTER)
    if make == "mixed line ends":
        wanted = wanted.replace(b"skywasm\r\n", b"skywasm\n")
    assert result.after == wanted
    assert not outcome(result.after, tmp_path).changed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"x = 1; from sky.utils.common_utils import hash_file", b"x = 1; from skywasm import hash_file"),
        (
            b"from sky.utils.common_utils import hash_file, removeprefix",
            b"from sky.utils.common_utils import removeprefix\nfrom skywasm import hash_file",
        ),
        (
            b"from sky.utils.common_utils import hash_file, removeprefix  # noqa",
            b"from sky.utils.common_utils import removeprefix  # noqa\nfrom skywasm import hash_file",
        ),
        (
            b"x = 1; from sky.utils.common_utils import hash_file, removeprefix; y = 2\r\n",
            b"x = 1; from skywasm import hash_file; from sky.utils.common_utils import removeprefix; y = 2\r\n",
        ),
        (b"from sky.utils import common_utils; common_utils.hash_file", None),
        (
            b"if 1:\n\t\tfrom sky.utils.common_utils import (hash_file, # x\n  removeprefix)\n",
            b"if 1:\n\t\tfrom sky.utils.common_utils import (removeprefix)\n\t\tfrom skywasm import hash_file  # x\n",
        ),
        (
            b"from sky.utils.common_utils import (removeprefix, # x\n  hash_file)\n",
            b"from sky.utils.common_utils import (removeprefix, # x\n)\nfrom skywasm import hash_file\n",
        ),
        (
            b"from sky.utils.common_utils import (removeprefix,\n  hash_file, # x\n)\n",
            b"from sky.utils.common_utils import (removeprefix,\n)\nfrom skywasm import hash_file  # x\n",
        ),
        (
            b"from sky.utils.common_utils import (\n  removeprefix,\n  hash_file\n)\n",
            b"from sky.utils.common_utils import (\n  removeprefix\n)\nfrom skywasm import hash_file\n",
        ),
        (
            b"from sky.utils.common_utils import (removeprefix, hash_file,)\n",
            b"from sky.utils.common_utils import (removeprefix,)\nfrom skywasm import hash_file\n",
        ),
        (
            b"from sky.utils.common_utils import (hash_file,\n  # above\n  removeprefix)\n",
            b"from sky.utils.common_utils import (\n  # above\n  removeprefix)\nfrom skywasm import hash_file\n",
        ),
        (
            b"from sky.utils.common_utils import (a, hash_file, # x\n  # above\n  b)\n",
            b"from sky.utils.common_utils import (a,\n  # above\n  b)\nfrom skywasm import hash_file  # x\n",
        ),
        (
            b"from sky.utils.common_utils import (a,\n    hash_file, b)\n",
            b"from sky.utils.common_utils import (a,\n    b)\nfrom skywasm import hash_file\n",
        ),
        (b"from sky . utils.common_utils import hash_file\n", b"from skywasm import hash_file\n"),
    ],
)
def test_names_are_taken_out_of_statements(before: bytes, after: bytes | None, tmp_path: pathlib.Path) -> None:
    """A name is taken out of its statement without harm to the others, their commas, comments and indentation."""
    result = outcome(before, tmp_path)
    compile(result.after, "program.py", "exec")
    if after is not None:
        assert result.after == after
    assert not outcome(result.after, tmp_path).changed


def test_many_names_get_a_line_each(tmp_path: pathlib.Path) -> None:
    """A new statement that would be longer than a line is folded."""
    names = ["base36_encode", "find_free_port", "format_float", "get_cpu_count", "get_mem_size_gb", "hash_file"]
    text = f"def f():\n    from sky.utils.common_utils import retry, {', '.join(names)}\n"
    after = outcome(text, tmp_path).after.decode()
    folded = "".join(f"        {name},\n" for name in names)
    assert after == (
        f"def f():\n    from sky.utils.common_utils import retry\n    from skywasm import (\n{folded}    )\n"
    )


# Import blocks, and the line that follows the new import in them.
PLACES = {
    "sorted, plain imports first": (
        "import abc\n\nimport numpy\nimport yaml\nfrom sky.utils import {0}\n",
        "import yaml\n",
    ),
    "sorted by module": ("import numpy\nfrom sky.utils import {0}\nimport yaml\n", "import yaml\n"),
    "at the end of plain ones": ("import numpy\nimport rich\nfrom sky.utils import {0}\n", "from sky"),
    "alone with a standard module": ("import os\nfrom sky.utils import {0}\n", "from sky"),
    "behind the future": ("from __future__ import annotations\nfrom sky.utils import {0}\n", "from sky"),
    "behind the docstring": ('"""Doc."""\nfrom sky.utils import {0}\n', "from sky"),
    "behind other statements": ("import sys\nsys.path.insert(0, '.')\nfrom sky.utils import {0}\n", "from sky"),
    "below a comment": ("import os\n\n# Ours\nfrom sky.utils import {0}\n", "from sky"),
}


@pytest.mark.parametrize("place", PLACES)
def test_where_the_import_goes(place: str, tmp_path: pathlib.Path) -> None:
    """`import skywasm` goes into the group of the import that it serves, in its order."""
    block, following = PLACES[place]
    text = block.format("common_utils, x") + "print(common_utils.get_cpu_count)\n"
    after = outcome(text, tmp_path).after.decode()
    head, _, rest = after.partition("import skywasm\n")
    assert rest.startswith(following)
    assert head + rest == block.format("x") + "print(skywasm.get_cpu_count)\n"


SKYPILOTS = {
    "into the group of others": (
        "import os\n\nimport colorama\nfrom rich import box\nimport yaml\n\nfrom sky.utils import {0}\n",
        "import yaml\n",
    ),
    "as a group of its own": ("import os\n\n# Ours\nfrom sky.utils import {0}\n", "\n# Ours\n"),
    "behind the future": ("from __future__ import annotations\nfrom sky.utils import {0}\n", "\nfrom sky"),
    "as the first group": ("from sky.utils import {0}\n", "\nfrom sky"),
}


@pytest.mark.parametrize("place", SKYPILOTS)
def test_where_the_import_goes_in_skypilot(place: str, tmp_path: pathlib.Path) -> None:
    """Within SkyPilot, skywasm is somebody else's: it stands with the others', not with SkyPilot's own modules."""
    (tmp_path / "sky").mkdir()
    (tmp_path / "sky" / "__init__.py").touch()
    block, following = SKYPILOTS[place]
    text = block.format("common_utils, x") + "print(common_utils.get_cpu_count)\n"
    after = outcome(text, tmp_path, "sky/program.py").after.decode()
    head, _, rest = after.partition("import skywasm\n")
    assert rest.startswith(following)
    gap = rest.startswith("\n")
    assert head + rest[gap:] == block.format("x") + "print(skywasm.get_cpu_count)\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            b"import os\n\nfrom sky.utils import common_utils\n\nfrom mine import x\n",
            b"import os\n\nfrom mine import x\n",
        ),
        (b"import os\nfrom sky.utils import common_utils\n\n\nx = 1\n", b"import os\n\n\nx = 1\n"),
        (b"\nfrom sky.utils import common_utils\n\n\nx = 1\n", b"\n\nx = 1\n"),
    ],
)
def test_no_hole_is_left(before: bytes, after: bytes, tmp_path: pathlib.Path) -> None:
    """An import that stood by itself takes the blank lines above it along."""
    head, tail = b"import skywasm as s\n", b"print(common_utils.hash_file)\n"
    result = outcome(head + before + tail, tmp_path)
    assert result.after == head + after + b"print(s.hash_file)\n"


@pytest.mark.parametrize(
    "data",
    [
        b"from sky.utils import common_utils\ncommon_utils.hash_file = print 3\n",
        b"# coding: nonsense\nfrom sky.utils import common_utils\ncommon_utils.hash_file\n",
        b"from sky.utils import common_utils\ncommon_utils.hash_file  # \xff\n",
        b"# coding: ascii\nfrom sky.utils import common_utils\ncommon_utils.hash_file  # \xe9\n",
        b"# coding: utf-7\nfrom sky.utils import common_utils\ncommon_utils.hash_file  # +AOk-\n",
        b"from sky.utils import common_utils\ncommon_utils.hash_file\n\x00",
        b"from sky.utils import common_utils\ncommon_utils.hash_file" + b"(" * 5000 + b")" * 5000,
        b"from sky.utils import common_utils\ncommon_utils.hash_file" + b"+1" * 50000,
        b"from sky.utils import common_utils\nx = common_utils.hash_file" + b" or 1" * 20000,
        b"from sky.utils import common_utils\ncommon_utils.hash_file" + b".x()" * 1200,
        b"from sky.utils import common_utils\nif 1:\n  common_utils.hash_file\n \x0c x\n",
    ],
    ids=["syntax", "cookie", "bytes", "ascii", "utf-7", "nul", "parentheses", "sum", "or", "calls", "feed"],
)
def test_what_cannot_be_read_is_told(data: bytes, tmp_path: pathlib.Path) -> None:
    """A file that cannot be decoded, parsed or given back unchanged is left alone, with the reason."""
    from skywasm.migrate import one_file

    path = tmp_path / "program.py"
    path.write_bytes(data)
    result = one_file.migrate(str(path))
    assert result.problem
    assert "please report" not in result.problem
    assert not result.changed


def test_a_long_sum_is_no_problem(tmp_path: pathlib.Path) -> None:
    """An expression of several hundred terms, which exceeds Python's own limit of recursion in libcst, is moved."""
    terms = " +\n    ".join(f"common_utils.format_float({n})" for n in range(500))
    result = outcome(f"from sky.utils import common_utils\nx = ({terms})\n", tmp_path)
    assert result.uses == 500
