"""The build hook: no wheel and no sdist around an artifact that its sources and provenance do not vouch for.

A wheel also gets its bill of materials. An editable install is left alone: there the artifact is work in progress,
and the runtime compares its digest anyway.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import pathlib
import tempfile

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types
    from typing import Any

REMEDY = "run `make wasm` where Rust is, or take the files of one commit"


class ArtifactError(RuntimeError):
    """The artifact is not the one that the sources give."""


def _script(root: pathlib.Path, name: str) -> types.ModuleType:
    """A module of wasm-core, which is a crate and no package."""
    path = root / "wasm-core" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"_skywasm_{name}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ArtifactError(
            f"{path} is missing: without wasm-core it cannot be told what skywasm/core.wasm is made of; "
            "build from a whole checkout or sdist"
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refuse_a_foreign_artifact(root: pathlib.Path) -> None:
    """Raises ArtifactError when artifact, provenance and sources do not belong together."""
    build = _script(root, "build")
    for path in (build.ARTIFACT, build.PROVENANCE):
        if not path.is_file():
            raise ArtifactError(f"{path} is missing; {REMEDY}")
    content = build.ARTIFACT.read_bytes()
    found = {
        "artifact-sha256": hashlib.sha256(content).hexdigest(),
        "artifact-blake2b": hashlib.blake2b(content, digest_size=32).hexdigest(),
        "sources-sha256": build.sources_digest(),
    }
    recorded = build.read_provenance()
    for name, digest in found.items():
        if recorded.get(name) != digest:
            what = "the sources in wasm-core" if name.startswith("sources") else "skywasm/core.wasm"
            raise ArtifactError(
                f"{what} and skywasm/core.provenance do not belong together: {name} is {digest}, "
                f"recorded is {recorded.get(name, 'nothing')}; {REMEDY}"
            )


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """What hatchling calls."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = pathlib.Path(self.root)
        refuse_a_foreign_artifact(root)
        if self.target_name != "wheel":
            return
        sbom = _script(root, "sbom")
        core = self.metadata.core
        document = sbom.document(core.name, self.metadata.version, core.dependencies, core.optional_dependencies)
        # Goes when the hook goes, which is after the wheel is closed.
        self._folder = tempfile.TemporaryDirectory(prefix="skywasm-sbom-")
        path = pathlib.Path(self._folder.name) / sbom.NAME
        path.write_bytes((json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())
        # hatchling before 1.28, all that Python 3.8 and 3.9 have, does not know this and leaves it out.
        build_data.setdefault("sbom_files", []).append(str(path))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        folder = getattr(self, "_folder", None)
        if folder is not None:
            folder.cleanup()
