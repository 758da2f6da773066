"""find_free_port on real sockets: which ports count as taken, how far it looks, and what it leaves behind."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
import time

import pytest
from children import MODES, run

import skywasm
from host_shims import facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Tests that take ports in a row run one after the other.
pytestmark = pytest.mark.xdist_group("ports")

# More than the ports that one call into the artifact tries, so that the search goes on over several.
MANY = 1200
# Below the range from which the kernel gives out ports by itself, and one range a worker of the test run.
START = 12_000 + 1_500 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:] or 0)


def take(port: int, address: str = "", family: socket.AddressFamily = socket.AF_INET) -> socket.socket | None:
    """A socket on this port, None where another program has it for good."""
    # A search for a free port in another process holds each port that it tries for an instant: such a port is
    # asked for again, or it would be free when the test counts on its being taken.
    for attempt in range(20):
        taken = socket.socket(family, socket.SOCK_STREAM)
        if family == socket.AF_INET6:
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            taken.bind((address, port))
        except OSError as error:
            taken.close()
            if error.errno != errno.EADDRINUSE:
                break
            time.sleep(0.001 * attempt)
        else:
            return taken
    return None


def eventually(answer: Callable[[], int], wanted: int) -> int | str:
    """The answer, asked for again while another process may hold the wanted port for an instant."""
    found: int | str = ""
    for attempt in range(20):
        try:
            found = answer()
        except OSError as error:
            found = str(error)
        if found == wanted:
            break
        time.sleep(0.001 * attempt)
    return found


@contextlib.contextmanager
def descriptors(number: int) -> Iterator[None]:
    """Room for so many open files."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (-1, resource.RLIM_INFINITY) and hard < number:
        pytest.skip(f"the limit of open files is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, number), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def block() -> Iterator[range]:
    """Many ports in a row, none of them free."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(descriptors(MANY + 200))
        ports = range(START, START + MANY)
        for port in ports:
            taken = take(port)
            if taken is not None:
                stack.enter_context(taken)
        yield ports


def may_be_bound(port: int) -> bool:
    with contextlib.closing(take(port) or socket.socket()) as probe:
        return bool(probe.getsockname()[1] == port) if probe.fileno() >= 0 else False


def test_the_first_free_port_after_many(backend: str, block: range) -> None:
    """A search from any place in a long row of taken ports ends behind it, however many calls that takes."""
    for start in (block.start, block.start + 1, block.stop - 513, block.stop - 512, block.stop - 1):
        port = skywasm.find_free_port(start)
        assert block.stop <= port < 65535
        assert may_be_bound(port)


def test_a_gap_is_found(backend: str) -> None:
    """One free port between taken ones is the answer."""
    held: dict[int, socket.socket] = {}
    for port in range(START, START + 40):
        taken = take(port)
        if taken is not None:
            held[port] = taken
    try:
        gap = sorted(held)[len(held) // 2]
        held.pop(gap).close()
        assert eventually(lambda: skywasm.find_free_port(START), gap) == gap
    finally:
        for taken in held.values():
            taken.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::"])
@pytest.mark.parametrize("listening", [False, True])
def test_any_holder_counts(backend: str, address: str, listening: bool) -> None:
    """A port is taken when it is bound on one address only, on IPv6's for both, listening or not."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    if family == socket.AF_INET6 and not socket.has_ipv6:
        pytest.skip("no IPv6")
    for port in range(START, START + 200):
        try:
            taken = take(port, address, family)
        except OSError:
            pytest.skip("no such address here")
        if taken is not None:
            break
    else:
        pytest.skip("no port to take")
    with taken:
        if listening:
            taken.listen(1)
        assert skywasm.find_free_port(port) > port


def test_port_zero_is_answered_as_it_is(backend: str) -> None:
    """Port 0 can always be bound, so it is its own answer, as in SkyPilot."""
    assert skywasm.find_free_port(0) == 0


def test_the_last_port_is_never_tried(backend: str) -> None:
    """When 65534 is taken none is free, though 65535 may be."""
    taken = take(65534)
    try:
        with pytest.raises(OSError, match=r"^No free ports available\.$") as caught:
            skywasm.find_free_port(65534)
        assert caught.value.errno is None
    finally:
        if taken is not None:
            taken.close()
    if taken is not None:
        assert eventually(lambda: skywasm.find_free_port(65534), 65534) == 65534


def test_no_descriptor_stays_open(backend: str, block: range) -> None:
    """Neither a long search nor one that fails leaves a socket behind."""
    skywasm.find_free_port(block.start)
    before = sorted(os.listdir("/proc/self/fd")) if sys.platform == "linux" else []
    for _ in range(3):
        skywasm.find_free_port(block.start)
        with pytest.raises(OSError, match="No free ports"):
            skywasm.find_free_port(65535)
    after = sorted(os.listdir("/proc/self/fd")) if sys.platform == "linux" else []
    assert after == before


def test_no_socket_can_be_had() -> None:
    """Without a free descriptor the error of the socket comes out in every backend, and the next call is right."""
    found = run(
        """
        import os, resource, skywasm
        errors = {}
        for mode in MODES:
            with skywasm.use_backend(mode):
                skywasm.find_free_port(20000)
                soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
                resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, hard))
                try:
                    skywasm.find_free_port(20000)
                except OSError as error:
                    errors[mode] = error.errno
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
                assert skywasm.find_free_port(20000) >= 20000
        report(errors=errors)
        """
    )
    assert found["errors"] == dict.fromkeys(MODES, errno.EMFILE)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to give its rights up")
def test_ports_that_need_rights() -> None:
    """Ports that this user may not bind count as taken: the search goes on behind them."""
    found = run(
        """
        import os, skywasm
        answers = {}
        for mode in MODES:
            with skywasm.use_backend(mode):
                skywasm.find_free_port(20000)
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as file:
            first = int(file.read())
        os.setuid(65534)
        for mode in MODES:
            with skywasm.use_backend(mode):
                answers[mode] = skywasm.find_free_port(1)
        report(answers=answers, first=first)
        """
    )
    assert min(found["answers"].values()) >= max(found["first"], 1)


def test_one_socket_tries_many_ports(block: range) -> None:
    """A socket whose bind failed is used again: error numbers for taken ports, 0 for the one that it gets."""
    with contextlib.closing(facts.port_socket()) as probe:
        assert probe.family == socket.AF_INET
        assert [facts.port_bind(probe, port) for port in block[:5]] == [errno.EADDRINUSE] * 5
        free = skywasm.find_free_port(block.start)
        assert facts.port_bind(probe, free) == 0
        assert probe.getsockname() == ("0.0.0.0", free)
