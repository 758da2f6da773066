"""Each platform module offers exactly the contract, and all can be imported anywhere."""

from __future__ import annotations

import importlib
import inspect
import sys

import pytest

import host_shims
from host_shims import contract

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types

MODULES = [importlib.import_module(f"host_shims.{name}") for name in ("_linux", "_macos", "_unsupported", "_windows")]
CONTRACT = {
    name: method for name, method in vars(contract.Platform).items() if inspect.isfunction(method) and name[0] != "_"
}


def shape(function: object, *, method: bool = False) -> tuple[list[tuple[str, object, object, object]], object]:
    """Parameters (name, kind, default, annotation) and result of a function."""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    parameters = list(signature.parameters.values())[1 if method else 0 :]
    return [(p.name, p.kind, p.default, p.annotation) for p in parameters], signature.return_annotation


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_platform_offers_the_contract(module: types.ModuleType) -> None:
    """A platform module's ``__all__`` is the contract's names, and each has the contract's signature."""
    assert module.__all__ == sorted(CONTRACT)
    for name, method in CONTRACT.items():
        assert shape(getattr(module, name)) == shape(method, method=True), name


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_platform_offers_nothing_else(module: types.ModuleType) -> None:
    """No other public function of host_shims can be reached through a platform module, but the shared helpers."""
    own = {
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__.startswith("host_shims") and not name.startswith("_")
    }
    helpers = {name for name in own if name.startswith(("psutil_", "no_"))} | {"let_out", "read_small"}
    assert own - set(CONTRACT) - helpers == set()


def test_contract_says_what_each_fact_is() -> None:
    """Every method of the contract has a docstring."""
    assert CONTRACT
    for name, method in CONTRACT.items():
        assert method.__doc__, name


def test_facts_are_this_platforms() -> None:
    """``host_shims.facts`` is the module of the system that the tests run on."""
    names = {"linux": "_linux", "darwin": "_macos", "win32": "_windows"}
    assert host_shims.facts.__name__ == f"host_shims.{names.get(sys.platform, '_unsupported')}"


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("linux", "_linux"),
        ("android", "_linux"),
        ("darwin", "_macos"),
        ("win32", "_windows"),
        ("freebsd14", "_unsupported"),
    ],
)
def test_the_platform_decides(monkeypatch: pytest.MonkeyPatch, platform: str, name: str) -> None:
    """The module is chosen by ``sys.platform`` when the package is imported."""
    for module in [module for module in sys.modules if module.split(".")[0] == "host_shims"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "platform", platform)
    assert importlib.import_module("host_shims").facts.__name__ == f"host_shims.{name}"
