"""What a test replaces under a name that is computed, or in the module as a whole, is told; and texts that are seen."""

from __future__ import annotations

import pytest

from migrate.sources import moved, notes, outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

HEAD = (
    "import sys, operator\nfrom unittest import mock\nimport sky\nfrom sky.utils import common_utils\n"
    "NAMES = ['hash_file', 'get_cpu_count']\n"
)
# Each replaces a function or any; the uses of the file stay, and a line is told.
REPLACING = (
    'mock.patch(common_utils.__name__ + ".hash_file", None).start()',
    'mock.patch(f"{common_utils.__name__}.hash_file", None).start()',
    'mock.patch("%s.hash_file" % common_utils.__name__, None).start()',
    'mock.patch("{}.hash_file".format(common_utils.__name__), None).start()',
    'mock.patch("{module}.hash_file".format(module=common_utils.__name__), None).start()',
    'mock.patch(".".join([common_utils.__name__, "hash_file"]), None).start()',
    'for name in NAMES: mock.patch(f"sky.utils.common_utils.{name}", None).start()',
    'for name in NAMES: mock.patch("sky.utils.common_utils." + name, None).start()',
    'MODULE = "sky.utils."; mock.patch(MODULE + "common_utils.hash_file", None).start()',
    "for name in NAMES: setattr(common_utils, name, None)",
    "for name in NAMES: setattr(sky.utils.common_utils, name, None)",
    "for name in NAMES: setattr(common_utils, name, 'text')",
    "for name in NAMES: monkeypatch.setattr(common_utils, name, None)",
    "for name in NAMES: mock.patch.object(common_utils, name).start()",
    "for name in NAMES: delattr(common_utils, name)",
    "for name in NAMES: common_utils.__setattr__(name, None)",
    "mock.patch.multiple(common_utils, **dict.fromkeys(NAMES)).start()",
    "vars(common_utils)['hash_file'] = None",
    "vars(common_utils)[NAMES[0]] = None",
    "vars(common_utils).update(hash_file=None)",
    "common_utils.__dict__['hash_file'] = None",
    "common_utils.__dict__.update(dict.fromkeys(NAMES))",
    "common_utils.__dict__ |= {'hash_file': None}",
    "del common_utils.__dict__['hash_file']",
    "monkeypatch.setitem(common_utils.__dict__, 'hash_file', None)",
    "monkeypatch.setitem(vars(common_utils), 'hash_file', None)",
    "monkeypatch.setitem(vars(common_utils), NAMES[0], None)",
    "operator.setitem(vars(common_utils), 'hash_file', None)",
    "mock.patch.dict(vars(common_utils), hash_file=None).start()",
    "mock.patch.dict(common_utils.__dict__, dict.fromkeys(NAMES)).start()",
    "mock.patch.dict('sky.utils.common_utils.__dict__', hash_file=None).start()",
    "sys.modules[common_utils.__name__].hash_file = None",
)
# Each may replace something out of sight; a line is told.
HANDED_ON = (
    "replace_all(common_utils)",
    "other = common_utils",
    "for place, name in [(common_utils, 'hash_file')]: setattr(place, name, None)",
    "types.ModuleType.__setattr__(common_utils, 'format_float', None)",
    "mocks = {'common_utils': common_utils}",
    "def f(place=common_utils): place.x = 1",
)
HARMLESS = (
    "print(common_utils)",
    "assert hasattr(common_utils, 'hash_file_twice')",
    "logger = logging.getLogger(common_utils.__name__)",
    "source = inspect.getsource(common_utils)",
    "value = common_utils.other",
    "text = 'x.hash_file'",
    "def f(common_utils): return common_utils",
)
USE = "\nx = common_utils.hash_file('x', 'md5')\n"


@pytest.mark.parametrize("statement", REPLACING)
def test_a_computed_name(statement: str, tmp_path: pathlib.Path) -> None:
    """The place is told and the file's uses see what is put there."""
    text = HEAD + statement + USE
    assert moved(text, tmp_path) == text
    told = notes(text, tmp_path)
    assert 6 in [line for line, _ in told]
    assert {kind for _, kind in told} <= {"patch", "string"}


@pytest.mark.parametrize("statement", HANDED_ON)
def test_a_module_that_is_handed_on(statement: str, tmp_path: pathlib.Path) -> None:
    """Whoever gets the module as a whole may replace something in it."""
    text = HEAD + statement + USE
    assert (6, "unclear") in notes(text, tmp_path) or (6, "patch") in notes(text, tmp_path)


@pytest.mark.parametrize("statement", HARMLESS)
def test_nothing_to_tell(statement: str, tmp_path: pathlib.Path) -> None:
    """What only looks at the module is not told of."""
    result = outcome(HEAD + statement + USE, tmp_path)
    assert result.uses == 1
    assert all(note.kind == "kept" for note in result.notes), result.notes


@pytest.mark.parametrize(
    "string",
    [
        'f"{common_utils.format_float(2.0)=}"',
        'f"{common_utils.format_float(2.0) = !r:>10}"',
        'f"{[common_utils.format_float(x) for x in (1, 2)]=}"',
        'f"{1:{common_utils.format_float(2.0)=}}"',
        'f"{1}" f"{common_utils.format_float(2.0)=}"',
    ],
)
def test_a_text_that_is_seen_stays(string: str, tmp_path: pathlib.Path) -> None:
    """`=` in an f-string prints the very text of the expression: that use stays and is told, others move."""
    text = f"from sky.utils import common_utils\nx = {string}\ny = common_utils.get_cpu_count()\n"
    after = moved(text, tmp_path)
    assert f"x = {string}\n" in after
    assert after.endswith("y = skywasm.get_cpu_count()\n")
    assert notes(text, tmp_path) == [(2, "unclear")]


def test_an_f_string_without_its_text_moves(tmp_path: pathlib.Path) -> None:
    """The values alone are the same."""
    text = 'from sky.utils import common_utils\nx = f"{common_utils.format_float(2.0)!r:>5}={1=}"\n'
    assert "{skywasm.format_float(2.0)!r:>5}" in moved(text, tmp_path)
