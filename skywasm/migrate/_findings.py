"""What a survey comes to: the uses that can be moved, the imports that can, and what the user has to look at."""

from __future__ import annotations

import re
from typing import NamedTuple

import libcst as cst

from skywasm.migrate import _names, _whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from libcst.metadata import Scope

    from skywasm.migrate._source import Source
    from skywasm.migrate._survey import Alias, Chain, Meaning, Site, Survey

_TARGET = re.compile(r"(?:\w+\.)+(\w+)")
# A name whose first part is computed: `{}.hash_file`, `module.__name__ + ".hash_file"`.
_COMPUTED = re.compile(r"(?:[\w.]*[%{}$][\w.%{}$]*)?\.(\w+)")
# They only read what they are given the name of.
_READERS = {"getattr", "hasattr"}
_UNSEEN = "uses that moved to skywasm do not see what is put there"
_REPLACERS = {"delattr", "object", "patch", "setattr", "setitem"}
_NOT_TARGETS = {"getLogger", "debug", "info", "warning", "error"}


class File(NamedTuple):
    """A file's place: its dotted name as far as packages reach, its own name, whether it is an ``__init__.py``."""

    module: str
    stem: str
    is_package: bool


class Note(NamedTuple):
    """Something that is left for the user, who finds it in this line."""

    line: int
    kind: str
    text: str


class Use(NamedTuple):
    """A use of a function through its module: what stands in ``span`` becomes skywasm's name."""

    node: cst.Attribute
    base: cst.Name
    dotted: str
    function: tuple[str, str]
    scope: Scope
    sites: tuple[Site, ...]
    span: tuple[int, int]


class Findings:
    """The result of ``find``. ``moved`` has the names of functions by the identity of their import statement."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self.uses: list[Use] = []
        self.moved: dict[int, list[Alias]] = {}
        self.notes: list[Note] = []

    def add(self, node: cst.CSTNode, kind: str, text: str) -> None:
        """Notes something about a node."""
        self.notes.append(Note(self._survey.line(node), kind, text))


def find(source: Source, survey: Survey) -> Findings:
    """Looks through a survey."""
    findings = Findings(survey)
    finder = _Finder(survey, findings)
    for chain in survey.chains:
        finder.look_at_chain(chain)
    for call in survey.calls:
        finder.look_at_call(call)
    for node, value in survey.strings:
        finder.look_at_string(node, value)
    finder.settle()
    for site in survey.sites:
        moved = finder.moved(site)
        if moved:
            findings.moved[id(site)] = moved
    findings.uses = list(finder.uses(source))
    return findings


class _Finder:
    """Judges the parts of a survey one by one."""

    def __init__(self, survey: Survey, findings: Findings) -> None:
        self._survey = survey
        self._findings = findings
        # Functions that the file puts something else in place of: its uses must go on seeing that.
        self._held: set[tuple[str, str]] = set()
        # Functions with attributes that skywasm's need not have.
        self._with_attributes: set[tuple[str, str]] = set()
        self._not_targets: set[int] = set()
        self._wholes = _whole.Wholes()
        self._parts: list[tuple[cst.CSTNode, str, str]] = []
        self._reads: list[tuple[Chain, tuple[str, str], Meaning]] = []

    def look_at_chain(self, chain: Chain) -> None:
        """Keeps a chain that certainly names a function through its module, and only reads it; notes others."""
        rest = chain.dotted.partition(".")[2]
        meaning = self._survey.meaning(chain.base.value, chain.scope)
        names = {f"{target}.{rest}" for target in meaning.targets}
        if not any(map(_names.module_of, names)):
            self._look_at_detour(chain)
        elif meaning.others or len(names) > 1:
            if any(map(_names.function_of, names)):
                text = f"`{chain.base.value}` may be something else here: {chain.dotted} stays"
                self._note(chain.node, "unclear", text)
        else:
            self._look_at_own(chain, names.pop(), meaning)

    def _look_at_own(self, chain: Chain, name: str, meaning: Meaning) -> None:
        """A chain that is one of the modules, or leads into it."""
        found = _names.function_of(name)
        if found is None:
            module = _names.module_of(name)
            part = name[len(module) + 1 :].partition(".")[0]
            if not part or part in _whole.INSIDES:
                self._wholes.add(chain.node, module, part)
            elif chain.stored:
                self._hold_all(chain.node, module, chain.dotted)
            return
        module, function, attribute = found
        if attribute:
            self._with_attributes.add((module, function))
            text = f"`{function}` stays: skywasm's need not have the attribute `{attribute}`"
            self._note(chain.node, "attribute", text)
        elif chain.stored:
            self._hold(chain.node, module, {function})
        elif chain.shown:
            self._note(chain.node, "unclear", f"{chain.dotted} stays: the string shows this text")
        else:
            self._reads.append((chain, (module, function), meaning))

    def _look_at_detour(self, chain: Chain) -> None:
        """A function of SkyPilot's that is got at through a module that merely imports its module."""
        through, _, function = chain.dotted.rpartition(".")
        through, _, short = through.rpartition(".")
        module = _names.SHORT.get(short, "")
        place = (self._survey.dotted(chain.node) or "").rpartition(".")[0]
        if not through or not place or function not in _names.FUNCTIONS.get(module, ()):
            return
        if any(alias.wanted == place for site in self._survey.sites for alias in site.aliases):
            # It is a module of that name by itself.
            return
        if chain.stored:
            self._hold(chain.node, module, {function})
        else:
            self._note(chain.node, "unclear", f"{chain.dotted} stays: it goes through `{through}`")

    def look_at_call(self, call: cst.Call) -> None:
        """Notes calls that are given a module and the name of a function in it."""
        callee = call.func.attr.value if isinstance(call.func, cst.Attribute) else getattr(call.func, "value", "")
        texts = {text for text in (_text(arg.value) for arg in call.args) if text}
        keywords = {arg.keyword.value for arg in call.args if arg.keyword}
        if callee in _NOT_TARGETS:
            self._not_targets.update(id(arg.value) for arg in call.args)
        self._wholes.look_at_call(callee, call)
        places = {self._place(arg.value) for arg in call.args} | {text for text in texts if _path(text)}
        for short in {_last(place) for place in places if place} & set(_names.SHORT):
            module = _names.SHORT[short]
            functions = {name for name in _names.FUNCTIONS[module] if name in texts or name in keywords}
            if functions:
                self._wholes.settle_call(call)
            if functions and callee in _READERS:
                self._note(call, "by-name", f"{_names.list_of(functions)} is looked up by name: that stays SkyPilot's")
            elif functions:
                self._hold(call, module, functions)
            elif callee in _REPLACERS:
                for name in texts - {short}:
                    self._hold_all(call, module, name)
        if callee in _REPLACERS:
            for short in texts & set(_names.SHORT):
                self._note(call, "patch", f"replaces `{short}`: uses that moved to skywasm do not see that")

    def look_at_string(self, node: cst.CSTNode, value: str) -> None:
        """Notes strings that are the dotted name of a function or of a module that holds some."""
        if id(node) in self._not_targets:
            return
        computed = _COMPUTED.fullmatch(value)
        holding = (
            {(module, computed.group(1)) for module in _names.modules_with(computed.group(1))} if computed else set()
        )
        if holding:
            self._held |= holding
            self._note(node, "string", f"'{value}': {_UNSEEN}; in this file they stay")
            return
        module = _names.module_of(value[:-1]) if value.endswith(".") else ""
        if module:
            # The rest is computed.
            self._held.update((module, name) for name in _names.FUNCTIONS[module])
        path = _path(value.strip("."))
        if not path:
            return
        module = _names.SHORT.get(path[-2], "")
        if path[-1] in _names.FUNCTIONS.get(module, ()):
            self._held.add((module, path[-1]))
            self._note(node, "string", f"'{value}': {_UNSEEN}; in this file they stay")
        elif path[-1] in _names.SHORT:
            self._note(node, "string", f"'{value}': {_UNSEEN}")
        elif _names.module_of(value):
            self._hold_all(node, _names.module_of(value), value)

    def _place(self, node: cst.BaseExpression) -> str | None:
        """The dotted name of what is given to a call; ``vars(x)`` is taken for ``x``."""
        return self._survey.dotted(_whole.argument_of_vars(node) or node)

    def moved(self, site: Site) -> list[Alias]:
        """The names of an import statement that can be had from skywasm instead."""
        if site.module not in _names.MODULES:
            return []
        if isinstance(site.node.names, cst.ImportStar):
            self._note(site.node, "star", f"`from {site.module} import *` hides which names are used: it stays")
        stay = self._held | self._with_attributes
        found = [(alias, _names.function_of(alias.wanted)) for alias in site.aliases]
        return [alias for alias, function in found if function and function[:2] not in stay]

    def uses(self, source: Source) -> Iterator[Use]:
        """The chains that move, unless something speaks against it."""
        for chain, function, meaning in self._reads:
            if function in self._held or chain.scope is None:
                continue
            where = self._survey.position(chain.node.value)
            span = source.offset(where.start), source.offset(where.end)
            if source.text[slice(*span)] == chain.dotted.rpartition(".")[0]:
                sites = tuple({id(site): site for site in meaning.sites}.values())
                yield Use(chain.node, chain.base, chain.dotted, function, chain.scope, sites, span)
            else:
                text = f"{chain.dotted} stays: its module is in parentheses or on two lines"
                self._note(chain.node, "unclear", text)

    def _hold(self, node: cst.CSTNode, module: str, functions: Collection[str]) -> None:
        self._held.update((module, name) for name in functions)
        text = (
            f"replaces {_names.list_of(functions)}: uses that moved to skywasm do not see that; in this file they stay"
        )
        self._note(node, "patch", text)

    def _hold_all(self, node: cst.CSTNode, module: str, what: str) -> None:
        """Holds all functions of a module of which another part is replaced: they may be what is tested with it."""
        self._parts.append((node, module, what))

    def settle(self) -> None:
        """Once all has been looked at: what replaced parts of modules mean, where functions of them are used."""
        for node, module, is_replaced in self._wholes.left(self._survey):
            if is_replaced:
                self._held.update((module, name) for name in _names.FUNCTIONS[module])
            self._note(node, *_whole.told(module, is_replaced))
        imported = {alias.wanted for site in self._survey.sites for alias in site.aliases}
        for node, module, what in self._parts:
            used = any(read[1][0] == module for read in self._reads)
            if used or any(f"{module}.{name}" in imported for name in _names.FUNCTIONS[module]):
                self._held.update((module, name) for name in _names.FUNCTIONS[module])
                text = f"replaces {what}: in this file the functions of `{module}` stay, for they may be what is tested"
                self._note(node, "patch", text)

    def _note(self, node: cst.CSTNode, kind: str, text: str) -> None:
        self._findings.add(node, kind, text)


def _last(place: str) -> str:
    """The last part of a dotted name, but for ``__dict__``."""
    before, _, last = place.rpartition(".")
    return before.rpartition(".")[2] if last == "__dict__" else last


def _text(node: cst.BaseExpression) -> str | None:
    """The value of a string."""
    value = node.evaluated_value if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)) else None
    return value if isinstance(value, str) else None


def _path(text: str | None) -> list[str]:
    """The parts of a dotted name of two parts at least; nothing for other texts."""
    return text.split(".") if text and _TARGET.fullmatch(text) else []
