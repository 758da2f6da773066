"""Which backend is in force: the environment, ``set_backend``, ``use_backend``, and who beats whom."""

from __future__ import annotations

import pytest
from children import run

import skywasm

MODES = ("auto", "wasm", "python")
REPORT = 'import skywasm\nreport(mode=skywasm.get_backend_info()["mode"], reason=skywasm.get_backend_info()["reason"])'


@pytest.mark.parametrize(
    ("rust", "wanted", "mode"),
    [
        ("", "", "auto"),
        ("", "wasm", "wasm"),
        ("", "python", "python"),
        ("", "auto", "auto"),
        ("", " WASM ", "wasm"),
        ("", "Python", "python"),
        ("0", "wasm", "python"),
        ("false", "wasm", "python"),
        ("no", "auto", "python"),
        ("FALSE", "wasm", "python"),
        (" No ", "wasm", "python"),
        ("0", "", "python"),
        ("1", "wasm", "wasm"),
        ("true", "", "auto"),
        ("yes", "python", "python"),
        ("00", "wasm", "wasm"),
    ],
)
def test_environment(rust: str, wanted: str, mode: str) -> None:
    """SKYPILOT_USE_RUST=0, false or no means python and beats SKYWASM_BACKEND; any other value means nothing."""
    facts = run(REPORT, env={"SKYPILOT_USE_RUST": rust, "SKYWASM_BACKEND": wanted})
    assert facts["mode"] == mode
    assert ("SKYPILOT_USE_RUST" in facts["reason"]) is (rust.strip().lower() in ("0", "false", "no"))


def test_switched_off_beats_nonsense() -> None:
    """With SKYPILOT_USE_RUST=0 an unknown SKYWASM_BACKEND is not even looked at."""
    assert run(REPORT, env={"SKYPILOT_USE_RUST": "0", "SKYWASM_BACKEND": "nonsense"})["mode"] == "python"


@pytest.mark.parametrize(
    "use",
    ["skywasm.base36_encode('ff')", "skywasm.format_float(1.5)", "skywasm.get_backend_info()", "skywasm.warm_up()"],
)
def test_an_unknown_mode_is_an_error_at_first_use(use: str) -> None:
    """The import succeeds; the first use raises ValueError naming the value and the choices, and so does the next."""
    facts = run(
        f"""
        import skywasm
        messages = []
        for _ in range(2):
            try:
                {use}
            except ValueError as error:
                messages.append(str(error))
        report(messages=messages)
        """,
        env={"SKYWASM_BACKEND": "Nonsense"},
    )
    assert len(facts["messages"]) == 2
    for message in facts["messages"]:
        assert "SKYWASM_BACKEND" in message
        assert "'nonsense'" in message
        assert all(mode in message for mode in MODES)


def test_set_backend_rescues_from_an_unknown_mode() -> None:
    """``set_backend`` beats the environment even where that holds nonsense."""
    facts = run(
        'import skywasm\nskywasm.set_backend("python")\nreport(text=skywasm.base36_encode("ff"))',
        env={"SKYWASM_BACKEND": "nonsense"},
    )
    assert facts["text"] == "73"


@pytest.mark.parametrize("mode", MODES)
def test_set_backend_beats_the_environment(mode: str) -> None:
    """``set_backend`` beats SKYPILOT_USE_RUST and SKYWASM_BACKEND alike."""
    code = f'import skywasm\nskywasm.set_backend("{mode}")\n' + REPORT
    for env in ({"SKYPILOT_USE_RUST": "0"}, {"SKYWASM_BACKEND": "python"}, {"SKYWASM_BACKEND": "wasm"}):
        assert run(code, env=env)["mode"] == mode


def test_the_environment_is_read_at_the_first_call_only() -> None:
    """What is set after the import and before the first call counts; later changes do not."""
    facts = run(
        """
        import os, skywasm
        os.environ["SKYWASM_BACKEND"] = "python"
        skywasm.base36_encode("ff")
        first = skywasm.get_backend_info()["mode"]
        os.environ["SKYWASM_BACKEND"] = "wasm"
        skywasm.base36_encode("ff")
        report(first=first, second=skywasm.get_backend_info()["mode"])
        """
    )
    assert (facts["first"], facts["second"]) == ("python", "python")


@pytest.mark.parametrize("bad", ["", "WASM", "rust", "Auto", None, 0, b"wasm", ["wasm"]])
def test_unknown_backends_are_refused(bad: object) -> None:
    """An unknown mode is a ValueError that names the choices, and the backend stays as it was."""
    with skywasm.use_backend("python"):
        for chooser in (skywasm.set_backend, lambda mode: skywasm.use_backend(mode).__enter__()):
            with pytest.raises(ValueError, match=r"'auto', 'wasm', 'python'"):
                chooser(bad)  # type: ignore[arg-type]
            assert skywasm.get_backend_info()["mode"] == "python"
            assert skywasm.base36_encode("ff") == "73"


def test_use_backend_nests_and_restores() -> None:
    """The choice before comes back at the end of each block, an exception in it or not."""
    before = skywasm.get_backend_info()["mode"]
    with skywasm.use_backend("python"):
        with skywasm.use_backend("auto"):
            with skywasm.use_backend("python"):
                assert skywasm.get_backend_info()["mode"] == "python"
            assert skywasm.get_backend_info()["mode"] == "auto"
        with pytest.raises(KeyError), skywasm.use_backend("auto"):
            raise KeyError
        assert skywasm.get_backend_info()["mode"] == "python"
    assert skywasm.get_backend_info()["mode"] == before


def test_use_backend_gives_the_environment_back() -> None:
    """Where nobody has called ``set_backend``, the environment decides again after the block."""
    code = 'import skywasm\nwith skywasm.use_backend("python"):\n    skywasm.base36_encode("ff")\n' + REPORT
    assert run(code, env={"SKYWASM_BACKEND": "wasm"})["mode"] == "wasm"
    assert run(code)["mode"] == "auto"


def test_use_backend_restores_what_set_backend_chose() -> None:
    """A block inside a chosen backend gives that one back, not the environment's."""
    with skywasm.use_backend("auto"):
        skywasm.set_backend("python")
        with skywasm.use_backend("auto"):
            pass
        assert skywasm.get_backend_info()["mode"] == "python"


@pytest.mark.parametrize("mode", MODES)
def test_all_functions_follow_the_mode(mode: str) -> None:
    """A change of mode reaches functions that were imported by name before it."""
    pytest.importorskip("wasmtime")
    from skywasm import format_float, truncate_long_string

    with skywasm.use_backend(mode):
        assert format_float(0.25) == "0.2"
        assert truncate_long_string("0123456789", 7, truncate_middle=True) == "01...89"
