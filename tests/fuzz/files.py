"""The functions that read files and folders."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import shutil

from property.strategies import Text

import skywasm
from fuzz.outcomes import outcome, raised
from fuzz.target import Target, common_utils
from skywasm.functions import hashing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from fuzz.dice import Dice
    from fuzz.outcomes import Outcome
    from fuzz.target import Case

# Bytes of `CONTENTS_A_BLOCK` files serve a block of cases.
CONTENTS_A_BLOCK = 24
KINDS = ("str",) * 24 + ("bytes", "path", "text", "descriptor", "folder", "missing", "nul", "long", "none", "list")
LINE_ENDS = (b"\n", b"\n", b"\n", b"\r\n", b"\r", b"\n\n", b"\n\r", b"\r\r\n", b"", b"\0\n")
PIECES = [
    text.encode() for text in ("", "plain text", "\u65e5\u672c\u8a9e", "\U0001f680", "\x85", "\u2028", "\f\v\x1c")
]
PIECES += [
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x9a",
    b"\xef\xbb\xbf",
    b"\xc0\x80",
    b"\0",
    "\ufeffx".encode("utf-16"),
]
ENCODINGS = ("utf-8",) * 12 + ("UTF_8", "u8", "ascii", "latin-1", "utf-16", "utf-16-be", "utf-32", "utf-8-sig", "utf-7")
ENCODINGS += ("cp1252", "cp037", "shift_jis", "gb18030", "iso2022_jp", "idna", "hex", "nope", "", "utf-8\0")
HANDLERS = ("replace",) * 6 + ("ignore", "strict", "surrogateescape", "backslashreplace", "surrogatepass", "nope")
FOLDER_KINDS = ("str",) * 9 + ("bytes", "path", "text", "descriptor", "file", "missing", "nul", "slash", "dots", "junk")
SPELLINGS = (str.upper, str.title, str.lower, lambda name: name.replace("_", "-"), lambda name: name + " ")
NAMES = ("", "nope", "md5 ", "SHA-256", "sha2-512/224", "blake2b512", "md5\0", "\ud800", "MD5-SHA1", "blake3", "BLAKE3")


class _Files(Target):
    """Cases that name a file by its content; a file of that content is there when the call is made."""

    def open(self, folder: str) -> None:
        self._folder = folder
        self._paths: dict[bytes, str] = {}
        self._contents: list[bytes] = []
        os.makedirs(os.path.join(folder, "folder"))

    def begin(self, dice: Dice) -> None:
        self._paths = {}
        self._contents = [self.content(dice) for _ in range(CONTENTS_A_BLOCK)]

    def content(self, dice: Dice) -> bytes:
        raise NotImplementedError

    def _path(self, content: bytes) -> str:
        path = self._paths.get(content)
        if path is None:
            path = self._paths[content] = os.path.join(self._folder, str(len(self._paths)))
            with open(path, "wb", 0) as file:
                file.write(content)
        return path

    def _called(self, call: Any, case: Case) -> Outcome:
        if case[-1] != "descriptor":
            return outcome(call, *self.arguments(case))
        arguments = self.arguments(case)
        try:
            return outcome(call, *arguments)
        finally:
            # The call closes it, unless it found out earlier that it need not read.
            with contextlib.suppress(OSError):
                os.close(arguments[0])

    def theirs(self, case: Case) -> Outcome:
        return self._called(getattr(common_utils, self.name), case)

    def ours(self, case: Case) -> Outcome:
        return self._called(getattr(skywasm, self.name), case)

    def placed(self, content: bytes, kind: str) -> Any:
        """The file as an argument. A descriptor is closed by the call."""
        if kind == "str":
            return self._path(content)
        path = self._path(content)
        made = {
            "bytes": lambda: os.fsencode(path),
            "path": lambda: pathlib.Path(path),
            "text": lambda: Text(path),
            "descriptor": lambda: os.open(path, os.O_RDONLY),
            "folder": lambda: os.path.join(self._folder, "folder"),
            "missing": lambda: path + ".missing",
            "nul": lambda: path + "\0",
            "long": lambda: path + "x" * 5000,
            "none": lambda: None,
            "list": lambda: [path],
        }
        return made[kind]()


class HashFile(_Files):
    """Contents around the sizes of blocks and buffers, all algorithms in all spellings, all kinds of paths."""

    name = "hash_file"
    oracle = "SkyPilot 0.14.1; for BLAKE3, which it lacks, the blake3 package"
    varies = "content, algorithm, kind of path"

    def open(self, folder: str) -> None:
        super().open(folder)
        self._algorithms = tuple(sorted(hashlib.algorithms_available)) + ("md5", "sha256", "blake3") * 9

    def content(self, dice: Dice) -> bytes:
        if dice.chance(400):
            return dice.data(9) * dice.pick((65_536, 131_073, 30_000))
        edge = dice.pick((0, 55, 63, 64, 111, 127, 128, 135, 136, 143, 144, 1024, 4096, 32_768))
        most = max(edge + dice.below(4) - 1, 0) if dice.chance(2) else dice.below(3000)
        return dice.bits(8 * most).to_bytes(most, "little") if most else b""

    def case(self, dice: Dice) -> Case:
        name: Any = dice.pick(self._algorithms)
        if dice.chance(5):
            name = dice.pick(SPELLINGS)(name)
        elif dice.chance(20):
            name = dice.pick(NAMES) if dice.chance(2) else dice.junk()
        return (dice.pick(self._contents), name, dice.pick(KINDS))

    def arguments(self, case: Case) -> Case:
        content, name, kind = case
        return (self.placed(content, kind), name)

    def theirs(self, case: Case) -> Outcome:
        content, name, kind = case
        want = super().theirs(case)
        if isinstance(name, str) and name.lower() == "blake3" and want[1] == "ValueError" and kind != "nul":
            import blake3

            return ("hash", "blake3", 32, 64, blake3.blake3(content).hexdigest())
        return want

    def same(self, case: Case, want: Outcome, got: Outcome, backend: str) -> bool:
        name = case[1]
        if not isinstance(name, str) or not raised(got) or got[1] != "ValueError" or raised(want):
            return False
        if name.lower() == "blake3":
            return backend == "python" and "blake3" in got[2].lower()
        # What hashlib alone knows is refused where the artifact must answer.
        return backend == "wasm" and hashing.find(name) is None and "is hashlib's, not the artifact's" in got[2]


class Tail(_Files):
    """Contents of every kind of line, decoded in every way, read in chunks of every size."""

    name = "read_last_n_lines"
    varies = "content, lines, chunk size, encoding, error handler, kind of path"

    def content(self, dice: Dice) -> bytes:
        kind = dice.below(8)
        if kind == 0:
            return dice.data(200)
        if kind == 1:
            return (dice.pick(PIECES) + dice.pick(LINE_ENDS)) * dice.below(1500) + dice.pick(PIECES)
        rows = [dice.pick(PIECES) + dice.pick(PIECES) + dice.pick(LINE_ENDS) for _ in range(dice.below(14))]
        content = b"".join(rows)
        if kind == 2:
            return content.decode("utf-8", "ignore").encode(dice.pick(("utf-16", "utf-32", "utf-16-be", "utf-7")))
        return dice.changed(content, b"\n\r\0\xff\xc3\x80a ") if kind < 5 else content

    def case(self, dice: Dice) -> Case:
        content, kind = dice.pick(self._contents), dice.pick(KINDS)
        n: Any = dice.below(12) if dice.random() < 0.8 else dice.below(1600)
        if dice.chance(4):
            return (content, n, kind)
        chunk: Any = dice.pick((1, 2, 3, 7, 64, 8192, 8192, 8192, 2**31, True)) if len(content) < 400 else 8192
        encoding, errors = dice.pick(ENCODINGS), dice.pick(HANDLERS)
        if dice.chance(40):
            n = dice.number() if dice.chance(2) else dice.junk()
        if dice.chance(60):
            chunk, encoding = (dice.junk(), encoding) if dice.chance(2) else (chunk, dice.junk())
        return (content, n, chunk, encoding, errors, kind)

    def arguments(self, case: Case) -> Case:
        return (self.placed(case[0], case[-1]), *case[1:-1])


class Estimate(Target):
    """Folders with entries of every kind, by every kind of path, and what is no folder."""

    name = "estimate_fd_for_directory"
    oracle = "five times the length of os.listdir"
    varies = "entries of the folder, kind of path"

    def open(self, folder: str) -> None:
        self._folder = os.path.join(folder, "folder")
        self._file = os.path.join(folder, "file")
        os.makedirs(self._folder)
        with open(self._file, "wb"):
            pass

    def begin(self, dice: Dice) -> None:
        shutil.rmtree(self._folder)
        os.makedirs(self._folder)
        self._entries, self._there = [], set()

    def case(self, dice: Dice) -> Case:
        if self._entries and dice.chance(3):
            self._entries.remove(dice.pick(self._entries))
        else:
            self._add(f"{dice.text(9, 90)}{dice.below(1000)}".replace("/", "")[:60])
        return (dice.pick(FOLDER_KINDS), dice.junk(), tuple(self._entries))

    def _add(self, name: str) -> None:
        try:
            fits = b"\0" not in os.fsencode(name) and len(os.fsencode(name)) < 250
        except UnicodeEncodeError:
            return
        if fits and name not in self._entries:
            self._entries.append(name)

    def apply(self, case: Case) -> None:
        wanted = set(case[2])
        if wanted == self._there:
            return
        for name in wanted - self._there:
            os.close(os.open(os.path.join(self._folder, name), os.O_CREAT | os.O_WRONLY))
        for name in self._there - wanted:
            os.unlink(os.path.join(self._folder, name))
        self._there = wanted

    def arguments(self, case: Case) -> Case:
        kind, junk, _ = case
        if kind == "str":
            return (self._folder,)
        made: dict[str, Any] = {
            "bytes": lambda: os.fsencode(self._folder),
            "path": lambda: pathlib.Path(self._folder),
            "text": lambda: Text(self._folder),
            "file": lambda: self._file,
            "missing": lambda: self._folder + "/missing",
            "nul": lambda: self._folder + "\0",
            "slash": lambda: self._folder + "//",
            "dots": lambda: self._folder + "/../" + os.path.basename(self._folder),
            "junk": lambda: junk,
        }
        return (made[kind](),)

    def _called(self, call: Any, case: Case) -> Outcome:
        if case[0] != "descriptor":
            return outcome(call, *self.arguments(case))
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            return outcome(call, descriptor)
        finally:
            os.close(descriptor)

    def theirs(self, case: Case) -> Outcome:
        return self._called(lambda path: 5 * len(os.listdir(path)), case)

    def same(self, case: Case, want: Outcome, got: Outcome, backend: str) -> bool:
        # These mean the current folder to os.listdir, and nothing to SkyPilot's os.path.isdir.
        return case[0] == "junk" and case[1] in (None, -1) and raised(got) and got[1] in ("TypeError", "OSError")

    def ours(self, case: Case) -> Outcome:
        return self._called(skywasm.estimate_fd_for_directory, case)
