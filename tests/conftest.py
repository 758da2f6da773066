"""What all tests share: the backends, a clean environment, a seeded source of randomness, Hypothesis profiles."""

from __future__ import annotations

import importlib.util
import inspect
import os
import random
import re
import subprocess
import sys

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

BACKENDS = ("auto", "wasm", "python")
PREFIXES = ("SKYWASM_", "SKYPILOT_")
# These steer the tests, not the code under test, and xdist's workers inherit them.
TEST_PREFIX = "SKYWASM_TEST_"
THOROUGH_TIMEOUT_S = 3600
PROFILE = os.environ.get("SKYWASM_TEST_PROFILE", "quick")
SEED = os.environ.get("SKYWASM_TEST_SEED")
# What a test on Windows can do nothing without, where its source names it; most say so by markers of their own.
ONLY_POSIX = re.compile(
    r"os\.(?:fork|killpg|mkfifo|geteuid|WNOHANG)\b|setitimer|SIGKILL|SIGALRM|/dev/null|/proc/"
    r"|import (?:fcntl|pty|resource)\b"
)
IS_POSIX = hasattr(os, "fork")

try:
    import hypothesis
except ImportError:
    # The oldest Pythons run the other tests without it.
    hypothesis = None  # type: ignore[assignment]
else:
    # The backend is the same for every example, so a fixture made once a test is what we want.
    quiet = (hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow)
    for name, examples in (("quick", 150), ("thorough", 20_000)):
        hypothesis.settings.register_profile(
            name, max_examples=examples, deadline=None, suppress_health_check=quiet, print_blob=True
        )
    hypothesis.settings.load_profile(PROFILE)


def pytest_configure(config: pytest.Config) -> None:
    """Removes the variables that steer the code under test before any test module is imported."""
    for variable in list(os.environ):
        if variable.startswith(PREFIXES) and not variable.startswith(TEST_PREFIX):
            del os.environ[variable]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives each test the time that many examples take; leaves out those that say what this system has not."""
    for item in items:
        if PROFILE != "quick":
            item.add_marker(pytest.mark.timeout(THOROUGH_TIMEOUT_S))
        function = getattr(item, "function", None)
        if not IS_POSIX and function is not None and ONLY_POSIX.search(inspect.getsource(function)):
            item.add_marker(pytest.mark.skip(reason="names what only POSIX systems have"))


@pytest.fixture(autouse=True, scope="session")
def _cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKYWASM_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        # Compiled once, so that no test depends on which one is first.
        subprocess.run([sys.executable, "-c", "import skywasm; skywasm.warm_up()"], check=False)
        yield


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each backend in turn, in force for the test, with its engine loaded."""
    import skywasm

    mode: str = request.param
    if mode == "wasm" and importlib.util.find_spec("wasmtime") is None:
        pytest.skip("wasmtime is not installed")
    with skywasm.use_backend(mode):
        # Now, because a test may replace what loading needs; in the mode python this loads nothing.
        skywasm.warm_up()
        yield mode


class SeededRandom(random.Random):
    """A source of randomness whose representation, which pytest shows on failure, tells the seed."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __repr__(self) -> str:
        return f"SeededRandom({self.number})"


@pytest.fixture
def rng() -> SeededRandom:
    """Randomness that differs from run to run; ``SKYWASM_TEST_SEED`` repeats a run."""
    number = int(SEED) if SEED else random.SystemRandom().randrange(2**32)
    # Captured, and shown only when the test fails.
    print(f"SKYWASM_TEST_SEED={number} repeats this test's randomness")
    return SeededRandom(number)
