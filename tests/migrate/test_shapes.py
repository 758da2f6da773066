"""Every way to import the functions: the text that comes out, and that it computes what it computed."""

from __future__ import annotations

import pytest

from migrate.sources import moved, result_of, text_of
from skywasm.migrate import _names

TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib

# What goes in and what comes out, both run with SkyPilot and compared.
SHAPES = {
    "a module from its package": (
        """
        from sky.utils import common_utils

        result = common_utils.format_float(0.25)
        """,
        """
        import skywasm

        result = skywasm.format_float(0.25)
        """,
    ),
    "a module that is used otherwise too": (
        """
        from sky.utils import common_utils

        result = common_utils.format_float(0.25) + common_utils.removeprefix("ab", "a")
        """,
        """
        import skywasm
        from sky.utils import common_utils

        result = skywasm.format_float(0.25) + common_utils.removeprefix("ab", "a")
        """,
    ),
    "a module under another name": (
        """
        from sky.utils import common_utils as cu

        result = [cu.base36_encode("ff"), list(map(cu.format_float, [1.5, 2.0]))]
        """,
        """
        import skywasm

        result = [skywasm.base36_encode("ff"), list(map(skywasm.format_float, [1.5, 2.0]))]
        """,
    ),
    "both modules": (
        """
        from sky.utils import common_utils
        from sky.utils import subprocess_utils

        result = common_utils.get_cpu_count(), subprocess_utils.get_parallel_threads("kubernetes")
        """,
        """
        import skywasm

        result = skywasm.get_cpu_count(), skywasm.get_parallel_threads("kubernetes")
        """,
    ),
    "a dotted import": (
        """
        import sky.utils.common_utils

        result = sky.utils.common_utils.format_float(2)
        """,
        """
        import skywasm

        result = skywasm.format_float(2)
        """,
    ),
    "a dotted import whose package is used": (
        """
        import sky.utils.common_utils

        result = sky.utils.common_utils.format_float(2), sky.__version__
        """,
        """
        import sky.utils.common_utils
        import skywasm

        result = skywasm.format_float(2), sky.__version__
        """,
    ),
    "a dotted import under another name": (
        """
        import sky.utils.subprocess_utils as y

        result = y.get_parallel_threads()
        """,
        """
        import skywasm

        result = skywasm.get_parallel_threads()
        """,
    ),
    "the package of packages": (
        """
        import sky

        result = sky.utils.common_utils.truncate_long_string("x" * 50, 9)
        """,
        """
        import sky
        import skywasm

        result = skywasm.truncate_long_string("x" * 50, 9)
        """,
    ),
    "the package": (
        """
        from sky import utils

        result = utils.common_utils.format_float(3.0)
        """,
        """
        import skywasm
        from sky import utils

        result = skywasm.format_float(3.0)
        """,
    ),
    "a function": (
        """
        from sky.utils.common_utils import format_float

        result = format_float(0.5)
        """,
        """
        from skywasm import format_float

        result = format_float(0.5)
        """,
    ),
    "a function under another name": (
        """
        from sky.utils.common_utils import format_float as show

        result = show(0.5)
        """,
        """
        from skywasm import format_float as show

        result = show(0.5)
        """,
    ),
    "functions of which some stay behind": (
        """
        from sky.utils.common_utils import base36_encode, removeprefix, format_float as show

        result = base36_encode("ff"), removeprefix("ab", "a"), show(1.0)
        """,
        """
        from sky.utils.common_utils import removeprefix
        from skywasm import base36_encode, format_float as show

        result = base36_encode("ff"), removeprefix("ab", "a"), show(1.0)
        """,
    ),
    "modules of which some stay behind": (
        """
        import json, sky.utils.common_utils as cu, os
        from sky.utils import (common_utils, ux_utils,
                               subprocess_utils)

        result = cu.format_float(1.5), common_utils.get_cpu_count(), bool(ux_utils), bool(json), bool(os)
        assert subprocess_utils.get_parallel_threads() >= 4
        """,
        """
        import json, os
        import skywasm
        from sky.utils import (ux_utils)

        result = skywasm.format_float(1.5), skywasm.get_cpu_count(), bool(ux_utils), bool(json), bool(os)
        assert skywasm.get_parallel_threads() >= 4
        """,
    ),
    "parentheses with comments": (
        """
        from sky.utils.common_utils import (  # what SkyPilot has
            # stays
            removeprefix,  # beside it
            # goes
            base36_encode,  # with this
            fill_template,
            # the end
        )

        result = removeprefix("ab", "a"), base36_encode("10"), callable(fill_template)
        """,
        """
        from sky.utils.common_utils import (  # what SkyPilot has
            # stays
            removeprefix,  # beside it
            fill_template,
            # the end
        )
        # goes
        # with this
        from skywasm import base36_encode

        result = removeprefix("ab", "a"), base36_encode("10"), callable(fill_template)
        """,
    ),
    "parentheses that all move": (
        """
        from sky.utils.common_utils import (
            base36_encode,  # one
            # two
            format_float,
        )

        result = base36_encode("10"), format_float(0.125, 2)
        """,
        """
        from skywasm import (
            base36_encode,  # one
            # two
            format_float,
        )

        result = base36_encode("10"), format_float(0.125, 2)
        """,
    ),
    "a backslash": (
        """
        from sky.utils.common_utils import base36_encode, \\
            removeprefix, \\
            format_float

        result = base36_encode("10"), format_float(0.125, 2), removeprefix("ab", "a")
        """,
        """
        from sky.utils.common_utils import removeprefix
        from skywasm import base36_encode, format_float

        result = base36_encode("10"), format_float(0.125, 2), removeprefix("ab", "a")
        """,
    ),
    "statements on one line": (
        """
        import os; from sky.utils import common_utils; x = common_utils.format_float(1.0)
        result = x, os.sep
        """,
        """
        import skywasm
        import os; from sky.utils import common_utils; x = skywasm.format_float(1.0)
        result = x, os.sep
        """,
    ),
    "within a function": (
        '''
        def f():
            """A function."""
            from sky.utils import common_utils
            return common_utils.format_float(0.75)


        result = f()
        ''',
        '''
        def f():
            """A function."""
            import skywasm
            return skywasm.format_float(0.75)


        result = f()
        ''',
    ),
    "within a function that needs more of it": (
        """
        def f():
            if True:
                from sky.utils import common_utils  # late
                return common_utils.format_float(0.75), common_utils.removeprefix("ab", "a")


        result = f()
        """,
        """
        def f():
            if True:
                from sky.utils import common_utils  # late
                import skywasm
                return skywasm.format_float(0.75), common_utils.removeprefix("ab", "a")


        result = f()
        """,
    ),
    "within a function and at the top": (
        """
        from sky.utils import common_utils


        def f():
            from sky.utils import subprocess_utils

            return common_utils.format_float(0.75), subprocess_utils.get_parallel_threads()


        result = f()
        """,
        """
        import skywasm


        def f():
            return skywasm.format_float(0.75), skywasm.get_parallel_threads()


        result = f()
        """,
    ),
    "on the line of its block": (
        """
        def f(): from sky.utils import common_utils; return common_utils.format_float(0.75)


        result = f()
        """,
        """
        def f(): import skywasm; return skywasm.format_float(0.75)


        result = f()
        """,
    ),
    "under a condition": (
        """
        import typing

        if typing.TYPE_CHECKING:
            from sky.utils import common_utils
        else:
            from sky.utils import common_utils
        result = common_utils.format_float(1.5)
        """,
        """
        import typing

        if typing.TYPE_CHECKING:
            import skywasm
        else:
            import skywasm
        result = skywasm.format_float(1.5)
        """,
    ),
    "where its failure is caught": (
        """
        try:
            from sky.utils import common_utils
        except ImportError:
            raise SystemExit("SkyPilot is needed")
        result = common_utils.format_float(1.5)
        """,
        """
        try:
            from sky.utils import common_utils
            import skywasm
        except ImportError:
            raise SystemExit("SkyPilot is needed")
        result = skywasm.format_float(1.5)
        """,
    ),
    "a function whose failure is caught": (
        """
        try:
            from sky.utils.common_utils import format_float
        except ImportError:
            format_float = str
        result = format_float(1.0)
        """,
        """
        try:
            from skywasm import format_float
        except ImportError:
            format_float = str
        result = format_float(1.0)
        """,
    ),
    "in f-strings, defaults, decorators and comprehensions": (
        """
        import functools

        from sky.utils import common_utils


        @functools.partial(lambda encode, f: f, common_utils.base36_encode)
        def f(x=common_utils.format_float(1.0)):
            return f"{x}, {common_utils.format_float(2.5):>5} {[common_utils.format_float(i) for i in (1, 2.0)]!r}"


        class A:
            x = common_utils.base36_encode("1f")


        result = f(), A.x, (lambda: common_utils.format_float(7))()
        """,
        """
        import functools

        import skywasm


        @functools.partial(lambda encode, f: f, skywasm.base36_encode)
        def f(x=skywasm.format_float(1.0)):
            return f"{x}, {skywasm.format_float(2.5):>5} {[skywasm.format_float(i) for i in (1, 2.0)]!r}"


        class A:
            x = skywasm.base36_encode("1f")


        result = f(), A.x, (lambda: skywasm.format_float(7))()
        """,
    ),
    "the name skywasm is taken": (
        """
        from sky.utils import common_utils

        skywasm = 3
        result = skywasm, common_utils.format_float(1.5)
        """,
        """
        import skywasm as _skywasm

        skywasm = 3
        result = skywasm, _skywasm.format_float(1.5)
        """,
    ),
    "the name skywasm is taken in one function": (
        """
        from sky.utils import common_utils


        def f(skywasm, _skywasm=1):
            return skywasm + common_utils.format_float(1.5)


        result = f("a")
        """,
        """
        import skywasm as _skywasm1


        def f(skywasm, _skywasm=1):
            return skywasm + _skywasm1.format_float(1.5)


        result = f("a")
        """,
    ),
    "skywasm is imported already": (
        """
        import skywasm as sw
        from sky.utils import common_utils

        result = sw.format_float(1.5), common_utils.format_float(1.5)
        """,
        """
        import skywasm as sw

        result = sw.format_float(1.5), sw.format_float(1.5)
        """,
    ),
    "skywasm is imported in one function": (
        """
        from sky.utils import common_utils


        def f():
            x = common_utils.format_float(1.5)
            import skywasm

            return x, skywasm.format_float(1.5)


        result = f()
        """,
        """
        import skywasm as _skywasm


        def f():
            x = _skywasm.format_float(1.5)
            import skywasm

            return x, skywasm.format_float(1.5)


        result = f()
        """,
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shape(shape: str, tmp_path: pathlib.Path) -> None:
    """The text that comes out is the expected one, a second run leaves it, and it computes what it computed."""
    before, after = SHAPES[shape]
    assert moved(before, tmp_path) == text_of(after)
    assert result_of(text_of(before)) == result_of(text_of(after))


@pytest.mark.parametrize(
    ("module", "function"), [(module, name) for module, names in _names.FUNCTIONS.items() for name in sorted(names)]
)
def test_every_function_that_skypilot_has(module: str, function: str, tmp_path: pathlib.Path) -> None:
    """Each function moves from its own module, and from that one only."""
    short = module.rpartition(".")[2]
    other = next(name for name in _names.SHORT if name != short)
    text = f"from sky.utils import {short}, {other}\nprint({short}.{function}, {other}.{function})\n"
    assert moved(text, tmp_path) == (
        f"import skywasm\nfrom sky.utils import {other}\nprint(skywasm.{function}, {other}.{function})\n"
    )


def test_the_functions_are_skypilots() -> None:
    """What moves is exactly what both SkyPilot's modules and skywasm have, with the same parameters."""
    import inspect

    import skywasm
    from skywasm.functions import ROWS

    moving = [name for names in _names.FUNCTIONS.values() for name in names]
    assert sorted(moving) == sorted(row.name for row in ROWS if row.replaces is not None)
    for path, names in _names.FUNCTIONS.items():
        module = pytest.importorskip(path)
        assert names == {row.name for row in ROWS if hasattr(module, row.name)}
        for name in names:
            parameters = inspect.signature(getattr(module, name)).parameters
            assert list(parameters) == list(inspect.signature(getattr(skywasm, name)).parameters)


RELATIVE = {
    "sky/utils/other.py": "from . import common_utils\nfrom .common_utils import hash_file\nfrom .. import utils\n",
    "sky/serve/other.py": "from ..utils import common_utils\nfrom ..utils.common_utils import hash_file\n",
    "sky/utils/__init__.py": "from . import common_utils\nfrom .common_utils import hash_file\n",
}


@pytest.mark.parametrize("name", RELATIVE)
def test_relative_imports_within_skypilot(name: str, tmp_path: pathlib.Path) -> None:
    """Dots lead to the modules from where the file lies in the package."""
    for folder in ("sky", "sky/utils", "sky/serve"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "__init__.py").touch()
    text = moved(RELATIVE[name] + "\n\ndef f():\n    return common_utils.get_cpu_count()\n", tmp_path, name)
    assert "return skywasm.get_cpu_count()" in text
    assert "from skywasm import hash_file\n" in text
    assert "import skywasm\n" in text


@pytest.mark.parametrize("name", ["utils/other.py", "mine/utils/other.py"])
def test_relative_imports_elsewhere(name: str, tmp_path: pathlib.Path) -> None:
    """A package of the user's with a module of the same name is not SkyPilot's."""
    for folder in ("mine", "mine/utils"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    text = "from . import common_utils\nfrom .common_utils import hash_file\nx = common_utils.hash_file\n"
    assert moved(text, tmp_path, name) == text


def test_definitions_stay(tmp_path: pathlib.Path) -> None:
    """Definitions, and uses in the module that defines them, are left alone."""
    for folder in ("sky", "sky/utils"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    text = "def base36_encode(x):\n    return x\n\n\ndef f(common_utils=None):\n    return base36_encode('1')\n"
    assert moved(text, tmp_path, "sky/utils/common_utils.py") == text
