"""Names that are something else, or may be, stay; so do imports that something may still need."""

from __future__ import annotations

import sys

import pytest

from migrate.sources import moved, notes, outcome, text_of
from skywasm.migrate._names import Reached

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

USE = "common_utils.hash_file('x', 'md5')"

# Bodies of a function in which the name of the module is another thing.
SHADOWS = {
    "a parameter": f"def f(common_utils): {USE}",
    "parameters with stars": f"def f(*common_utils): {USE}\ndef g(**common_utils): {USE}",
    "a lambda's parameter": f"f = lambda common_utils: {USE}",
    "a local variable": f"def f():\n    common_utils = object()\n    {USE}",
    "a variable assigned below": f"def f():\n    for _ in range(2):\n        {USE}\n        common_utils = None",
    "a loop's variable": f"def f(xs):\n    for common_utils in xs:\n        {USE}",
    "a variable of with": f"def f(x):\n    with x as (common_utils, y):\n        {USE}",
    "a caught exception": f"def f():\n    try:\n        pass\n    except OSError as common_utils:\n        {USE}",
    "a comprehension's variable": f"f = lambda xs: [{USE} for common_utils in xs]",
    "a local function": f"def f():\n    def common_utils(): ...\n    {USE}",
    "a local class": f"def f():\n    class common_utils: ...\n    {USE}",
    "a local import": f"def f():\n    import os as common_utils\n    {USE}",
    "an annotated name": f"def f():\n    common_utils: object\n    {USE}",
    "an attribute of a class": f"class A:\n    common_utils = None\n    x = lambda self: self.{USE}\n    y = {USE}",
    "a walrus in a comprehension": f"def f(xs):\n    [common_utils := x for x in xs]\n    {USE}",
    "a global of another function": f"def f():\n    global common_utils\n    common_utils = None\ndef g():\n    {USE}",
    "a nonlocal": (
        "def f():\n    from sky.utils import common_utils\n    def g():\n        nonlocal common_utils\n"
        f"        common_utils = None\n    g()\n    {USE}"
    ),
    "deleted": f"def f():\n    {USE}\ndel common_utils",
    "assigned again": f"def f():\n    {USE}\ncommon_utils = print(common_utils)",
}
if sys.version_info >= (3, 10):
    SHADOWS["a capture of match"] = f"def f(x):\n    match x:\n        case {{1: [common_utils]}}:\n            {USE}"
    SHADOWS["a starred capture"] = f"def f(x):\n    match x:\n        case [1, *common_utils]:\n            {USE}"
    SHADOWS["a rest capture"] = f"def f(x):\n    match x:\n        case {{1: 2, **common_utils}}:\n            {USE}"
if sys.version_info >= (3, 12):
    SHADOWS["a type parameter"] = f"def f[common_utils](): {USE}"
    SHADOWS["a type alias"] = f"def f():\n    type common_utils = int\n    {USE}"


@pytest.mark.parametrize("shadow", SHADOWS)
def test_a_name_that_is_something_else(shadow: str, tmp_path: pathlib.Path) -> None:
    """A use whose name is bound, or may be, to another thing than the import is not changed."""
    text = f"from sky.utils import common_utils\n{SHADOWS[shadow]}\n"
    assert moved(text, tmp_path) == text


UNCLEAR = {
    "another thing where the import fails": """
        try:
            from sky.utils import common_utils
        except ImportError:
            common_utils = None
        x = common_utils and common_utils.get_cpu_count()
        """,
    "the same name from elsewhere": """
        if __debug__:
            from sky.utils import common_utils
        else:
            from mine import common_utils
        x = common_utils.get_cpu_count()
        """,
    "on two lines": """
        import sky
        x = (sky.utils
             .common_utils.get_cpu_count())
        """,
    "through another module": """
        from sky.serve import serve_utils
        x = serve_utils.common_utils.get_cpu_count()
        """,
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_is_unclear_is_told(case: str, tmp_path: pathlib.Path) -> None:
    """A use that may be meant, but not for certain, stays and is listed with its line."""
    assert moved(UNCLEAR[case], tmp_path) == text_of(UNCLEAR[case])
    ((line, kind),) = notes(UNCLEAR[case], tmp_path)
    assert kind == "unclear"
    assert "x = " in text_of(UNCLEAR[case]).splitlines()[line - 1]


# Programs that replace something, and the kinds of what they are told. Nothing of them changes.
REPLACEMENTS = {
    "by assignment": ("common_utils.get_cpu_count = lambda: 3", ["patch"]),
    "by deletion": ("del common_utils.get_cpu_count", ["patch"]),
    "as the target of a loop": ("for common_utils.get_cpu_count in [print]: pass", ["patch"]),
    "with patch.object": ("mock.patch.object(common_utils, 'get_cpu_count', return_value=3).start()", ["patch"]),
    "with patch.object and keywords": ("mock.patch.object(target=common_utils, attribute='get_cpu_count')", ["patch"]),
    "with patch.multiple": ("mock.patch.multiple(common_utils, get_cpu_count=mock.DEFAULT)", ["patch"]),
    "with patch.multiple by name": (
        "mock.patch.multiple('sky.utils.common_utils', get_cpu_count=mock.DEFAULT)",
        ["patch", "string"],
    ),
    "with setattr": ("setattr(common_utils, 'get_cpu_count', print)", ["patch"]),
    "with monkeypatch": ("monkeypatch.setattr(common_utils, 'get_cpu_count', print)", ["patch"]),
    "in another module's view": ("setattr(serve_utils.common_utils, 'get_cpu_count', print)", ["patch"]),
    "by name": ("mock.patch('sky.utils.common_utils.get_cpu_count', return_value=3)", ["string"]),
    "by a name in pieces": ("mock.patch('sky.utils.comm' 'on_utils.get_cpu_count', return_value=3)", ["string"]),
    "by the name of another module's view": (
        "mock.patch('sky.serve.serve_utils.common_utils.get_cpu_count')",
        ["string"],
    ),
    "another part of the module": ("mock.patch('sky.utils.common_utils._get_cgroup_memory_limit')", ["patch"]),
    "another part by object": ("mock.patch.object(common_utils, '_get_cgroup_memory_limit')", ["patch"]),
    "another part by assignment": ("common_utils.psutil = None", ["patch"]),
}


@pytest.mark.parametrize("case", REPLACEMENTS)
def test_a_file_that_replaces_a_function_keeps_its_uses(case: str, tmp_path: pathlib.Path) -> None:
    """Where a file puts something in place of a function, its uses go on seeing that; the place is told."""
    statement, kinds = REPLACEMENTS[case]
    text = (
        "from unittest import mock\nfrom sky.serve import serve_utils\nfrom sky.utils import common_utils\n"
        f"{statement}\nassert common_utils.get_cpu_count() == 3\n"
    )
    assert moved(text, tmp_path) == text
    assert notes(text, tmp_path) == [(4, kind) for kind in kinds]


def test_other_functions_of_the_file_move(tmp_path: pathlib.Path) -> None:
    """Only the replaced function stays."""
    text = """
        from sky.utils import common_utils
        common_utils.get_cpu_count = print
        x = common_utils.get_cpu_count(), common_utils.get_mem_size_gb()
        """
    assert moved(text, tmp_path).endswith("x = common_utils.get_cpu_count(), skywasm.get_mem_size_gb()\n")


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("getattr(common_utils, 'hash_file')", "by-name"),
        ("from sky.utils.common_utils import *  # hash_file", "star"),
        ("LazyImport('sky.utils.common_utils').hash_file", "string"),
        ("sys.modules['sky.utils.common_utils'].hash_file", "string"),
        ("setattr(serve_utils, 'common_utils', fake)  # hash_file", "patch"),
        ("common_utils.hash_file.cache_clear()", "attribute"),
    ],
)
def test_what_cannot_move_is_told(statement: str, kind: str, tmp_path: pathlib.Path) -> None:
    """Look-ups by name, star imports, replaced modules and attributes of functions stay and are listed."""
    text = f"from sky.utils import common_utils\n{statement}\n"
    assert moved(text, tmp_path) == text
    assert notes(text, tmp_path) == [(2, kind)]


def test_a_function_with_attributes_is_not_imported_from_skywasm(tmp_path: pathlib.Path) -> None:
    """`from ... import f` stays where `f.attribute` is asked for."""
    text = "from sky.utils.common_utils import hash_file\nhash_file.__wrapped__\n"
    assert moved(text, tmp_path) == text
    assert notes(text, tmp_path) == [(2, "attribute")]


@pytest.mark.parametrize(
    "text",
    [
        "getLogger('sky.utils.common_utils')  # hash_file\n",
        '"""About sky.utils.common_utils.hash_file, and more."""\n',
        "# sky.utils.common_utils.hash_file\n",
        "hash_file = 'common_utils'\n",
        "x = 'sky.utils.common_utils.hash_file is slow'\n",
        "from mine import common_utils\ncommon_utils.hash_file\n",
        "import mine.common_utils\nmine.common_utils.hash_file\n",
        "from sky.utils import common_utils\ncommon_utils.is_process_alive, common_utils.estimate_fd_for_directory\n",
    ],
)
def test_nothing_to_say(text: str, tmp_path: pathlib.Path) -> None:
    """Prose, loggers, other people's modules and functions that SkyPilot does not have are no matter."""
    result = outcome(text, tmp_path)
    assert not result.changed
    assert result.notes == ()


# Files whose import is not needed by code any more, but stays; what is put in front of the use.
NEEDED = {
    "__all__": "__all__ = ['common_utils']",
    "a string": "x = 'common_utils.removeprefix'",
    "a docstring": "def f():\n    '''>>> common_utils.x'''",
    "a string annotation": "x: 'common_utils.Backoff'",
    "a type comment": "x = None  # type: common_utils.Backoff",
    "globals()": "globals()",
    "eval": "eval(input())",
    "an import of its own in a function": "def g():\n    return common_utils.removeprefix",
}


@pytest.mark.parametrize("reason", NEEDED)
def test_an_import_that_may_be_needed_stays(reason: str, tmp_path: pathlib.Path) -> None:
    """The use moves, and the import stays because something else may need it."""
    text = f"from sky.utils import common_utils\n{NEEDED[reason]}\nprint(common_utils.get_cpu_count())\n"
    assert moved(text, tmp_path) == (
        f"import skywasm\nfrom sky.utils import common_utils\n{NEEDED[reason]}\nprint(skywasm.get_cpu_count())\n"
    )


IMPORTS = {
    "with a comment": "from sky.utils import common_utils  # noqa: F401",
    "with a comment of its own": "from sky.utils import (\n    common_utils,  # pylint: disable=unused-import\n)",
    "as itself": "from sky.utils import common_utils as common_utils",
    "where failure is caught": "try:\n    from sky.utils import common_utils\nexcept ImportError:\n    raise",
    "where failure is suppressed": "with suppress(ImportError):\n    from sky.utils import common_utils",
    "on a line with others": "import os; from sky.utils import common_utils",
}


@pytest.mark.parametrize("form", IMPORTS)
def test_an_import_of_a_telling_form_stays(form: str, tmp_path: pathlib.Path) -> None:
    """Comments, re-exports, guarded imports and shared lines stay; unless it is plain why, it is told."""
    text = f"{IMPORTS[form]}\nprint(common_utils.get_cpu_count())\n"
    after = moved(text, tmp_path)
    assert "print(skywasm.get_cpu_count())" in after
    assert "common_utils" in after
    assert [kind for _, kind in notes(text, tmp_path)] == ["kept"]


def test_an_import_of_a_class_stays(tmp_path: pathlib.Path) -> None:
    """An import in a class is an attribute of the class."""
    text = "class A:\n    from sky.utils import common_utils\n    n = common_utils.get_cpu_count()\n"
    assert moved(text, tmp_path) == (
        "class A:\n    from sky.utils import common_utils\n    import skywasm\n    n = skywasm.get_cpu_count()\n"
    )


def test_a_package_may_offer_what_it_imports(tmp_path: pathlib.Path) -> None:
    """In an __init__.py no import goes."""
    text = "from sky.utils import common_utils\nN = common_utils.get_cpu_count()\n"
    assert "from sky.utils import common_utils" in moved(text, tmp_path, "mine/__init__.py")


def test_what_another_file_takes_from_here_stays(tmp_path: pathlib.Path) -> None:
    """A module-level import that another file of the run uses through this one stays; one in a function goes."""
    text = "from sky.utils import common_utils\nN = common_utils.get_cpu_count()\n"
    reached = {Reached("program", "common_utils")}
    assert "from sky.utils import" in moved(text, tmp_path, reached=reached)
    assert "from sky.utils import" not in moved(text, tmp_path, reached={Reached("another", "common_utils")})
    within = "def f():\n    from sky.utils import common_utils\n    return common_utils.get_cpu_count()\n"
    assert "from sky.utils import" not in moved(within, tmp_path, reached=reached)


def test_imports_can_be_kept(tmp_path: pathlib.Path) -> None:
    """On demand no import goes, and nothing is said about it."""
    text = "from sky.utils import common_utils\nN = common_utils.get_cpu_count()\n"
    assert moved(text, tmp_path, keep_imports=True) == (
        "import skywasm\nfrom sky.utils import common_utils\nN = skywasm.get_cpu_count()\n"
    )
    assert notes(text, tmp_path, keep_imports=True) == []


def test_a_block_is_never_left_empty(tmp_path: pathlib.Path) -> None:
    """Imports that are all that their block has do not all go."""
    text = """
        import skywasm
        if __debug__:
            from sky.utils import common_utils
            from sky.utils import subprocess_utils
        print(common_utils.get_cpu_count(), subprocess_utils.get_parallel_threads())
        """
    after = moved(text, tmp_path)
    compile(after, "program.py", "exec")
    assert "print(skywasm.get_cpu_count(), skywasm.get_parallel_threads())" in after


def test_an_import_does_not_hide_another_one(tmp_path: pathlib.Path) -> None:
    """A function that takes one module from around it and imports the other below does not lose the first."""
    text = """
        def outer():
            from sky.utils import common_utils

            def inner():
                n = common_utils.get_cpu_count()
                from sky.utils import subprocess_utils
                return n, subprocess_utils.get_parallel_threads()

            return inner


        result = outer()()
        """
    after = moved(text, tmp_path)
    namespace: dict[str, object] = {}
    pytest.importorskip("sky")
    exec(after, namespace)
    assert isinstance(namespace["result"], tuple)
    assert "skywasm.get_cpu_count()" in after
    assert "subprocess_utils.get_parallel_threads()" in after
