"""What is changed in a file, and what is left and told to the user."""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

import libcst as cst
from libcst.metadata import ClassScope

from skywasm.migrate import _findings, _names
from skywasm.migrate._place import Imports
from skywasm.migrate._source import Edit
from skywasm.migrate._statements import Statement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from libcst.metadata import Scope

    from skywasm.migrate._findings import Findings, Use
    from skywasm.migrate._source import Source
    from skywasm.migrate._survey import Alias, Site, Survey

_LOOKS_UP_NAMES = {"eval", "exec", "globals", "locals", "vars"}


class Counts(NamedTuple):
    """How much of a file changes: uses of functions, names that are imported from skywasm, imports that go."""

    uses: int
    imported: int
    removed: int


class Plan:
    """The edits of one file.

    ``reached`` are the modules of the run that others take one of the two modules from, ``keep`` leaves all imports.
    """

    def __init__(
        self, source: Source, survey: Survey, file: _findings.File, reached: Collection[_names.Reached], keep: bool
    ) -> None:
        self._source = source
        self._survey = survey
        self._file = file
        self._reached = reached
        self._keep = keep
        self.findings: Findings = _findings.find(source, survey)
        self._uses = self.findings.uses
        self._name = self._free_name()
        self._drop_conflicts()
        origins = {id(site): site for use in self._uses for site in use.sites}
        self._origins = sorted(origins.values(), key=lambda site: site.top)
        moved = self.findings.moved
        removed = self._removed()
        self.counts = Counts(len(self._uses), sum(map(len, moved.values())), sum(map(len, removed.values())))
        self.edits = self._edits(moved, removed)

    def _free_name(self) -> str:
        """The name for skywasm in this file: one that is bound to it already, or one that nothing else is called."""
        bound = [alias.bound for site in self._survey.sites if site.in_module for alias in _product(site)]
        for name in itertools.chain(
            bound, [_names.PRODUCT], (f"_{_names.PRODUCT}{n or ''}" for n in itertools.count())
        ):
            if self._is_free(name):
                return name
        raise AssertionError

    def _is_free(self, name: str) -> bool:
        if name in self._survey.unsure:
            return False
        for scope in self._survey.scopes:
            for assignment in scope.assignments[name]:
                if not any(
                    site.node is getattr(assignment, "node", None)
                    and any(alias.bound == name for alias in _product(site))
                    for site in self._survey.sites
                ):
                    return False
        # A scope of its own between a use and its import hides ours.
        return not any(
            scope.assignments[name] for use in self._uses for scope in _between(use.scope, use.sites[0].scope)
        )

    def _top(self) -> int | None:
        """The index of the module's statement from which on our name is bound in the whole module, if there is one."""
        ours = [
            site.top
            for site in self._survey.sites
            if site.in_module and any(alias.bound == self._name for alias in _product(site))
        ]
        tops = [site.top for use in self._uses for site in use.sites if site.in_module]
        return min([*ours, *tops], default=None)

    def _covered(self, site: Site) -> bool:
        """Whether our name is bound for the uses of an import by a statement at the top of the module."""
        top = self._top()
        if top is None or site.top < top:
            return False
        return not any(scope.assignments[self._name] for scope in _outward(site.scope) if scope is not scope.globals)

    def _local(self) -> list[Site]:
        """The imports that skywasm is imported beside."""
        origins = {id(site): site for use in self._uses for site in use.sites if not site.in_module}
        return [site for site in origins.values() if not self._covered(site)]

    def _drop_conflicts(self) -> None:
        """Leaves uses whose import of skywasm would hide another one from what uses that in the same function."""
        there = [
            (scope, assignment.scope)
            for _, scope in self._survey.names.get(self._name, ())
            if scope is not None
            for assignment in scope[self._name]
        ]
        while True:
            local = {id(site.scope) for site in self._local()}
            reaching = [*there, *((use.scope, _home(use, local)) for use in self._uses)]
            hiding = {id(scope) for inner, outer in reaching for scope in _between(inner, outer)} & local
            if not hiding:
                return
            for use in [use for use in self._uses if id(use.sites[0].scope) in hiding]:
                self._uses.remove(use)
                text = f"`{use.dotted}` stays: skywasm imported here would hide an import of it further out"
                self.findings.add(use.node, "unclear", text)

    def _removed(self) -> dict[int, list[Alias]]:
        """The names of modules, by import statement, that nothing needs any more."""
        found: dict[int, list[Alias]] = {}
        lines_left: dict[int, int] = {}
        for site in self._origins:
            for alias in site.aliases:
                if alias.wanted not in _names.MODULES:
                    continue
                reason = "--keep-imports" if self._keep else self._needed(site, alias)
                if reason == "":
                    found.setdefault(id(site), []).append(alias)
                elif reason not in ("used", "--keep-imports"):
                    self.findings.add(site.node, "kept", f"the import of `{alias.bound}` stays though unused: {reason}")
            if len(found.get(id(site), [])) < len(site.aliases) or any(site is other for other in self._local()):
                continue
            # The whole statement goes, and nothing takes its place.
            left = lines_left.setdefault(id(site.block), site.siblings)
            if site.alone and left > 1:
                lines_left[id(site.block)] -= 1
            else:
                del found[id(site)]
                self.findings.add(site.node, "kept", "the import stays though unused: its line or block would be empty")
        return found

    def _needed(self, site: Site, alias: Alias) -> str:
        """Why an import stays; "used" for the plainest reason, nothing when it may go."""
        if self._is_used(site, alias.bound):
            return "used"
        statement = Statement(self._source, self._survey, site)
        reasons = {
            "an __init__.py may offer it to others": self._file.is_package,
            "`import x as x` offers it to others": _is_offer(site, alias),
            "it is an attribute of its class": isinstance(site.scope, ClassScope),
            "its failure may be caught": site.in_try,
            "its comment may say why": statement.has_comment or bool(statement.comments(alias)),
            "the file looks names up at run time": not _LOOKS_UP_NAMES.isdisjoint(self._survey.names),
            "a string or type comment has its name": self._is_in_text(alias.bound),
            "another file takes it from here": site.scope is site.scope.globals
            and (self._file.stem, alias.bound) in self._reached,
        }
        return next((reason for reason, holds in reasons.items() if holds), "")

    def _is_used(self, site: Site, name: str) -> bool:
        rewritten = {id(use.base) for use in self._uses}
        for node, scope in self._survey.names.get(name, ()):
            if id(node) in rewritten:
                continue
            # Without a scope it stands where the analysis does not look.
            if scope is None or any(getattr(assignment, "node", None) is site.node for assignment in scope[name]):
                return True
        return name in self._survey.unsure

    def _is_in_text(self, name: str) -> bool:
        word = re.compile(rf"\b{re.escape(name)}\b")
        if any(word.search(value) for _, value in self._survey.strings):
            return True
        return re.search(rf"#\s*type:[^\r\n]*\b{re.escape(name)}\b", self._source.text) is not None

    def _edits(self, moved: dict[int, list[Alias]], removed: dict[int, list[Alias]]) -> list[Edit]:
        product = f"import {_names.PRODUCT}" + ("" if self._name == _names.PRODUCT else f" as {self._name}")
        edits = [Edit(*use.span, self._name) for use in self._uses]
        local = {id(site) for site in self._local()}
        for site in self._survey.sites:
            gone, coming = removed.get(id(site), []), moved.get(id(site), [])
            extra = product if id(site) in local else None
            if gone or coming or extra:
                edits += Statement(self._source, self._survey, site).edits(gone, coming, extra)
        tops = [site for site in self._origins if site.in_module]
        if tops and not self._is_imported(tops[0]):
            edits.append(Imports(self._source, self._survey, tops[0].top, self._file.module).insertion(product))
        return edits

    def _is_imported(self, origin: Site) -> bool:
        """Whether the module imports skywasm at its top in time for all that ``origin`` served."""
        imports = Imports(self._source, self._survey, origin.top, self._file.module)
        return any(
            site.in_module and site.top <= imports.last and any(alias.bound == self._name for alias in _product(site))
            for site in self._survey.sites
        )


def _product(site: Site) -> list[Alias]:
    """The names by which a statement binds skywasm itself."""
    return [alias for alias in site.aliases if alias.target == _names.PRODUCT and isinstance(site.node, cst.Import)]


def _is_offer(site: Site, alias: Alias) -> bool:
    """Whether a name is imported "as" itself, by which type checkers know what a module offers."""
    written = alias.wanted.rpartition(".")[2]
    return isinstance(site.node, cst.ImportFrom) and bool(alias.node.asname) and alias.bound == written


def _outward(scope: Scope) -> Iterable[Scope]:
    while scope is not scope.globals:
        yield scope
        scope = scope.parent
    yield scope


def _between(inner: Scope, outer: Scope) -> list[Scope]:
    """The scopes from ``inner`` on that lie within ``outer``."""
    return list(itertools.takewhile(lambda scope: scope is not outer, _outward(inner)))


def _home(use: Use, local: Collection[int]) -> Scope:
    """The scope in which skywasm is bound for a use."""
    scope = use.sites[0].scope
    return scope if id(scope) in local else scope.globals
