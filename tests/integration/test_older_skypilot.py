"""An older SkyPilot: what has the expected signature is replaced, the rest is left alone with the reason.

``make older`` makes an environment with SkyPilot 0.10.0 and runs this; SKYWASM_TEST_OLDER_SKYPILOT names its Python.
"""

from __future__ import annotations

import os

import pytest

from integration.places import FIRST_PORT, MODES, PORTS_A_MODE, answers
from integration.sky_calls import CASES
from integration.sky_watch import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PYTHON = os.environ.get("SKYWASM_TEST_OLDER_SKYPILOT", "")
pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="SKYWASM_TEST_OLDER_SKYPILOT names no Python; `make older` does"),
    pytest.mark.xdist_group("older"),
]
BACKENDS = MODES[1:]
# SkyPilot 0.10.0 has no read_last_n_lines.
MISSING = {"read_last_n_lines"}
# Its get_mem_size_gb does not know SKYPILOT_POD_MEMORY_BYTES_LIMIT, and so is left alone.
LEFT_ALONE = {"get_mem_size_gb"}
# Code that 0.10.0 does not have, or has with other parameters.
NOT_YET = {
    "instance_types_of_slurm",
    "resources_in_tables",
    "resources_of_a_cloud_with_instance_types",
    "sizes_of_controllers",
    "tables_of_storages_and_volumes",
    "tail_of_service_logs",
    "workers_at_provisioning",
}


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What came out in all modes."""
    return answers(tmp_path_factory.mktemp("older"), FIRST_PORT + 10 * PORTS_A_MODE, PYTHON)


def test_what_the_older_one_has(answered: dict[str, dict[str, Any]]) -> None:
    """Most cases work there too, and use all functions that it has."""
    cases = answered["off"]["cases"]
    assert {name for name, found in cases.items() if "error" in found} == NOT_YET
    assert {function for found in cases.values() for function, _, _ in found["seen"]} == set(NAMES) - MISSING


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", sorted(set(CASES) - NOT_YET))
def test_the_same_with_the_drop_in(answered: dict[str, dict[str, Any]], name: str, backend: str) -> None:
    """Answers are the same, and skywasm's functions give them wherever they replace SkyPilot's."""
    alone, found = answered["off"]["cases"][name], answered[backend]["cases"][name]
    assert found["gave"] == alone["gave"]
    assert {whose for function, whose, _ in found["seen"] if function not in LEFT_ALONE} <= {"skywasm"}
    assert {whose for function, whose, _ in found["seen"] if function in LEFT_ALONE} <= {"sky"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_left_alone(answered: dict[str, dict[str, Any]], backend: str) -> None:
    """The status names what that SkyPilot lacks and what it answers in another way; all else is replaced."""
    functions = answered[backend]["status"]["functions"]
    assert {name for name in NAMES if functions[name]["state"] != "replaced"} == MISSING | LEFT_ALONE
    assert "SKYPILOT_POD_MEMORY_BYTES_LIMIT" in functions["get_mem_size_gb"]["reason"]
    for name in MISSING:
        assert functions[name]["reason"] == f"this SkyPilot has no sky.utils.common_utils.{name}"
