"""How values stand in the vector files: the Python reader and writer of the forms that README.md describes.

JSON has no bytes, no exact floats, no integers beyond 2**53 that every reader keeps, and no lone surrogates that
every reader takes. Those values are objects with one telling key.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = Path(__file__).resolve().parent
SAFE_INTEGER = 2**53
RAMP_PERIOD = 251


def encode(value: Any) -> Any:
    """A Python value in its JSON form."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER else {"int": hex(value)}
    if isinstance(value, float):
        return {"f64": struct.pack(">d", value).hex(), "repr": repr(value)}
    if isinstance(value, str):
        return value if _crosses(value) else {"utf8": value.encode("utf-8", "surrogatepass").hex()}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    raise TypeError(f"no form for {type(value).__name__}")


def _crosses(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def decode(form: Any) -> Any:
    """The Python value of a JSON form."""
    if isinstance(form, list):
        return [decode(item) for item in form]
    if not isinstance(form, dict):
        return form
    if "int" in form:
        # Hexadecimal, because Python limits how long a decimal number may be.
        return int(form["int"], 16)
    if "f64" in form:
        return struct.unpack(">d", bytes.fromhex(form["f64"]))[0]
    if "utf8" in form:
        return bytes.fromhex(form["utf8"]).decode("utf-8", "surrogatepass")
    return bytes.fromhex(form["bytes"])


def content(recipe: Any) -> bytes:
    """The bytes that a recipe makes."""
    if isinstance(recipe, list):
        return b"".join(content(part) for part in recipe)
    if "hex" in recipe:
        return bytes.fromhex(recipe["hex"])
    if "repeat" in recipe:
        return bytes.fromhex(recipe["repeat"]) * int(recipe["times"])
    length = int(recipe["ramp"])
    return (bytes(range(RAMP_PERIOD)) * (length // RAMP_PERIOD + 1))[:length]


def fact_bytes(form: Any) -> bytes:
    """The content of a file among the facts."""
    value = decode(form)
    return value if isinstance(value, bytes) else value.encode()


def outcome(call: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """What a call comes to, as a case records it: ``expect`` or ``raises``."""
    try:
        result = call(*args, **kwargs)
    except Exception as error:
        return {"raises": {"type": type(error).__name__, "message": encode(str(error))}}
    return {"expect": encode(result)}


def read(name: str) -> dict[str, Any]:
    """A vector file by its function's name."""
    return json.loads((FOLDER / f"{name}.json").read_text("ascii"))  # type: ignore[no-any-return]


def dump(head: dict[str, Any], lists: dict[str, list[Any]]) -> str:
    """The text of a vector file: short heads as they are, lists with one case a line."""
    parts = [f" {json.dumps(key)}: {_head(value)}" for key, value in head.items()]
    for key, cases in lists.items():
        lines = ",\n".join("  " + json.dumps(case, separators=(",", ":")) for case in cases)
        parts.append(f" {json.dumps(key)}: [\n{lines}\n ]")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _head(value: Any) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join("  " + json.dumps(line) for line in value) + "\n ]"
    return json.dumps(value)
