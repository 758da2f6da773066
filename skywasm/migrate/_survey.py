"""What stands in a file: imports, uses of names, strings, and what each name may stand for."""

from __future__ import annotations

from typing import NamedTuple

import libcst as cst
from libcst.metadata import (
    ExpressionContext,
    ExpressionContextProvider,
    ImportAssignment,
    MetadataWrapper,
    PositionProvider,
    ScopeProvider,
)

from skywasm.migrate import _names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from libcst.metadata import Scope

    ImportNode = cst.Import | cst.ImportFrom

# contextlib.suppress catches too.
_GUARDS = (cst.Try, cst.TryStar, cst.With)


class Alias(NamedTuple):
    """One name of an import statement: the name it binds, what that is, and the module or object it asks for."""

    node: cst.ImportAlias
    bound: str
    target: str
    wanted: str


class Site:
    """One import statement and where it stands.

    ``top`` is the index of the module's statement that holds it, ``in_module`` whether it is that statement itself,
    ``in_try`` whether its failure may be caught, ``alone`` whether it has its line for itself, ``siblings`` how many
    lines its ``block`` has.
    """

    def __init__(self, node: ImportNode, ancestors: list[cst.CSTNode], scope: Scope, top: int) -> None:
        self.node = node
        self.scope = scope
        self.top = top
        self.line = ancestors[-1]
        self.in_module = ancestors[:-1] == ancestors[:1]
        self.alone = isinstance(self.line, cst.SimpleStatementLine) and len(self.line.body) == 1
        self.block = ancestors[-2]
        self.siblings = len(self.block.body) if isinstance(self.block, (cst.Module, cst.IndentedBlock)) else 0
        self.in_try = False
        for ancestor in ancestors:
            if isinstance(ancestor, (cst.FunctionDef, cst.ClassDef)):
                self.in_try = False
            elif isinstance(ancestor, _GUARDS):
                self.in_try = True
        self.module: str | None = None
        self.aliases: list[Alias] = []


class Chain(NamedTuple):
    """A name with attributes, ``sky.utils.common_utils.hash_file``, as far as it goes.

    ``stored`` is whether something is put there, ``shown`` whether a string has its very text, as by ``f"{x=}"``.
    """

    node: cst.Attribute
    base: cst.Name
    dotted: str
    scope: Scope | None
    stored: bool
    shown: bool


class Meaning(NamedTuple):
    """What a name may stand for: the things imported under it, by which statements, and whether others too."""

    targets: frozenset[str]
    sites: tuple[Site, ...]
    others: bool


class Survey(cst.CSTVisitor):
    """One walk over a file."""

    def __init__(self, tree: cst.Module, importer: str, is_package: bool) -> None:
        super().__init__()
        # Parsing makes each node once, so the copy that the wrapper would make is not needed.
        self._wrapper = MetadataWrapper(tree, unsafe_skip_copy=True)
        self.tree = self._wrapper.module
        self._importer = importer
        self._is_package = is_package
        self._scope_of: Mapping[Any, Any] = self._wrapper.resolve(ScopeProvider)
        self._context_of: Mapping[Any, ExpressionContext | None] = self._wrapper.resolve(ExpressionContextProvider)
        self._ancestors: list[cst.CSTNode] = []
        self._tops = {id(statement): index for index, statement in enumerate(self.tree.body)}
        self._looks: dict[type, Callable[[Any], bool]] = {
            cst.Import: self._import,
            cst.ImportFrom: self._import_from,
            cst.Attribute: self._attribute,
            cst.Name: self._bare_name,
            cst.Arg: self._arg,
            cst.Call: self._call,
            cst.SimpleString: self._string,
            cst.ConcatenatedString: self._strings,
            cst.FormattedStringText: self._text,
            **dict.fromkeys((cst.NamedExpr, cst.MatchAs, cst.MatchStar, cst.MatchMapping), self._capture),
            **dict.fromkeys((cst.Global, cst.Nonlocal), self._declared),
        }
        self._sites: dict[int, Site] = {}
        self._positions: Mapping[Any, Any] = {}
        self.names: dict[str, list[tuple[cst.Name, Scope | None]]] = {}
        self.chains: list[Chain] = []
        # Names without attributes behind them.
        self.bare: list[cst.Name] = []
        self.calls: list[cst.Call] = []
        self.strings: list[tuple[cst.CSTNode, str]] = []
        # Bound where the scope analysis does not look: nothing is known about these.
        self.unsure: set[str] = set()
        self.tree.visit(self)
        self.scopes: set[Scope] = {scope for scope in self._scope_of.values() if scope is not None}

    @property
    def sites(self) -> list[Site]:
        """All import statements, in the order of the text."""
        return list(self._sites.values())

    def position(self, node: cst.CSTNode) -> Any:
        """The range of lines and columns of a node."""
        if not self._positions:
            self._positions = self._wrapper.resolve(PositionProvider)
        return self._positions[node]

    def line(self, node: cst.CSTNode) -> int:
        """The number of the line that a node begins in."""
        number: int = self.position(node).start.line
        return number

    def meaning(self, name: str, scope: Scope | None) -> Meaning:
        """What ``name`` may stand for in ``scope``, whichever of its assignments was run last."""
        if scope is None or name in self.unsure:
            return Meaning(frozenset(), (), True)
        targets: set[str] = set()
        sites: list[Site] = []
        others = False
        for assignment in scope[name]:
            site = self._sites.get(id(assignment.node)) if isinstance(assignment, ImportAssignment) else None
            if site is None or assignment.scope is not site.scope:
                others = True
                continue
            targets.update(alias.target for alias in site.aliases if alias.bound == name)
            sites.append(site)
        return Meaning(frozenset(targets), tuple(sites), others)

    def dotted(self, node: cst.BaseExpression) -> str | None:
        """The full name of a name or chain that was imported and can be nothing else."""
        path = _path(node)
        if path is None:
            return None
        base, rest = path
        meaning = self.meaning(base.value, self._scope_of.get(base))
        if meaning.others or len(meaning.targets) != 1:
            return None
        return ".".join([*meaning.targets, *rest])

    def on_visit(self, node: cst.CSTNode) -> bool:
        look = self._looks.get(type(node))
        goes_on = look is None or look(node)
        self._ancestors.append(node)
        return goes_on

    def on_leave(self, original_node: cst.CSTNode) -> None:  # noqa: ARG002 - libcst calls it so
        self._ancestors.pop()

    def _import(self, node: cst.Import) -> bool:
        site = self._site(node)
        for alias in node.names:
            wanted = _written(alias.name)
            bound = _bound(alias)
            top = wanted.partition(".")[0]
            site.aliases.append(Alias(alias, bound or top, wanted if bound else top, wanted))
        return False

    def _import_from(self, node: cst.ImportFrom) -> bool:
        site = self._site(node)
        written = _written(node.module) if node.module else ""
        site.module = _names.absolute(written, len(node.relative), self._importer, self._is_package)
        if not isinstance(node.names, cst.ImportStar):
            for alias in node.names:
                name = _written(alias.name)
                # A package that cannot be told is none of SkyPilot's: its first part is empty.
                wanted = f"{site.module or ''}.{name}"
                site.aliases.append(Alias(alias, _bound(alias) or name, wanted, wanted))
        return False

    def _site(self, node: ImportNode) -> Site:
        top = next(self._tops[id(ancestor)] for ancestor in self._ancestors if id(ancestor) in self._tops)
        site = Site(node, self._ancestors[:], self._scope_of[node], top)
        self._sites[id(node)] = site
        return site

    def _attribute(self, node: cst.Attribute) -> bool:
        path = _path(node)
        if path is None:
            return True
        base, rest = path
        stored = self._context_of.get(node) in (ExpressionContext.STORE, ExpressionContext.DEL)
        shown = any(map(_shows_text, self._ancestors))
        self.chains.append(Chain(node, base, ".".join([base.value, *rest]), self._scope_of.get(base), stored, shown))
        return self._name(base)

    def _bare_name(self, node: cst.Name) -> bool:
        self.bare.append(node)
        return self._name(node)

    def _name(self, node: cst.Name) -> bool:
        if self._context_of.get(node) is ExpressionContext.DEL:
            self.unsure.add(node.value)
        self.names.setdefault(node.value, []).append((node, self._scope_of.get(node)))
        return False

    def _arg(self, node: cst.Arg) -> bool:
        # The keyword of an argument is no use of a variable.
        node.value.visit(self)
        return False

    def _call(self, node: cst.Call) -> bool:
        self.calls.append(node)
        return True

    def _string(self, node: cst.SimpleString) -> bool:
        value = node.evaluated_value
        self.strings.append((node, value if isinstance(value, str) else node.value))
        return False

    def _strings(self, node: cst.ConcatenatedString) -> bool:
        value = node.evaluated_value
        if isinstance(value, str):
            self.strings.append((node, value))
        # Without a value it has parts that are computed.
        return not isinstance(value, str)

    def _text(self, node: cst.FormattedStringText) -> bool:
        self.strings.append((node, node.value))
        return False

    def _capture(self, node: cst.NamedExpr | cst.MatchAs | cst.MatchStar | cst.MatchMapping) -> bool:
        """What binds names that the scope analysis misses, or takes for local to a comprehension."""
        if isinstance(node, cst.NamedExpr):
            name: cst.BaseExpression | None = node.target
        else:
            name = node.rest if isinstance(node, cst.MatchMapping) else node.name
        if isinstance(name, cst.Name):
            self.unsure.add(name.value)
        return True

    def _declared(self, node: cst.Global | cst.Nonlocal) -> bool:
        self.unsure.update(item.name.value for item in node.names)
        return False


def _path(node: cst.CSTNode) -> tuple[cst.Name, list[str]] | None:
    """The name that a chain begins with and its attributes; None for a chain that begins with something else."""
    rest: list[str] = []
    while isinstance(node, cst.Attribute):
        rest.insert(0, node.attr.value)
        node = node.value
    return (node, rest) if isinstance(node, cst.Name) else None


def _shows_text(node: cst.CSTNode) -> bool:
    """Whether the text of what is in a node can be seen: by ``=`` in an f-string, and always in a template string."""
    kind = type(node).__name__
    return kind == "TemplatedStringExpression" or (
        kind == "FormattedStringExpression" and getattr(node, "equal", None) is not None
    )


def _written(node: cst.CSTNode) -> str:
    path = _path(node)
    return ".".join([path[0].value, *path[1]]) if path else ""


def _bound(alias: cst.ImportAlias) -> str | None:
    """The name after ``as``."""
    return alias.asname.name.value if alias.asname and isinstance(alias.asname.name, cst.Name) else None
