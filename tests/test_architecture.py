"""The shape of the package: which part may import which, where outside libraries live, how modules begin.

Each check is one loop over the files and names every offender.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import claude_magic

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "claude_magic"

# A package imports only from the floors above its own in this list. "" is `claude_magic/__init__.py`, the face.
FLOORS = (
    ("errors", "hosts", "browser"),
    ("concurrency",),
    ("grammar",),
    ("wire", "settings"),
    ("prompt", "tools", "api", "cost", "journal", "display", "export", "local"),
    ("session",),
    ("batch",),
    ("magics",),
    ("",),
)
# What packages of one floor may import from each other, and why.
BESIDE = {
    ("tools", "prompt"): "a tool's result passes the same checks as an attachment",
    ("export", "api"): "a program calls the SDK's method of an endpoint, by the dated data of endpoints",
    ("prompt", "export"): "the option table reads the registry of export languages, which imports no writer",
    ("display", "export"): "the Code tab reads the same registry",
}
# The one import upwards, inside a method, and why.
UPWARDS = {("wire", "export"): "claude.last.code('curl'): the value that users hold writes its request as a program"}
# What no module of a package imports, although its floor is below.
NEVER = {"session": "display"}
LIBRARIES = {
    "botocore": {"api"},
    "requests": {"api"},
    "urllib3": {"api"},
    "platformdirs": {"api", "prompt", "session", "magics"},
    "dotenv": {"api"},
    "traitlets": {"settings"},
    "ipywidgets": {"display"},
    "markdown": {"display"},
    "markdown_it": {"grammar", "display"},
    "mdit_py_plugins": {"grammar"},
    "pygments": {"display"},
    "rich": {"display"},
    "PIL": {"prompt"},
    "IPython": {"magics", "display"},
    "xllamacpp": {"local"},
    "sqlite3": {"journal"},
    "pandas": {"display", "batch"},
    "tqdm": {"display"},
    "mcp": {"tools"},
    "mcp_types": {"tools"},
    "anyio": {"tools"},
    "docstring_parser": {"tools", "wire"},
    "pydantic": {"tools", "wire"},
}
AT_START = {"errors", "settings", "prompt", "export", "wire", "magics", ""}  # what %load_ext imports
HEAVY = {*LIBRARIES} - {"IPython", "traitlets"}
THREADS = ("threading", "_thread", "queue", "concurrent.futures", "multiprocessing", "sched")
STARTS_THREADS = {
    *("concurrency/threads.py", "concurrency/coroutines.py"),
    "local/server.py",  # a process of its own, which imports nothing of the package
    "tools/mcp/watchdog.py",  # likewise
}
WAITS = {"time.sleep"}  # a web page would stand still
EVENT_LOOPS = {"asyncio.run", "asyncio.new_event_loop", "asyncio.Runner", "asyncio.to_thread", "anyio.run"}
STARTS_EVENT_LOOPS = {
    "tools/mcp/session.py"
}  # the official client runs in anyio's loop, for servers that are processes
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "misc", "manager"}
BORROWED = {"magics_manager", "proxy_manager_for", "manager"}  # names of IPython and urllib3


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def package_of(path: Path) -> str:
    """The package of a module: the folder or file right under `claude_magic`; `""` for the face."""
    first = path.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def lazy_nodes(tree: ast.AST) -> set[int]:
    """The nodes that run only when a function is called, or only for type checkers."""
    found, waiting = set(), [(tree, False)]
    while waiting:
        node, lazy = waiting.pop()
        lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        lazy = lazy or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        if lazy:
            found.add(id(node))
        waiting += [(child, lazy) for child in ast.iter_child_nodes(node)]
    return found


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(parsed(path)))


@functools.cache
def imports(path: Path) -> tuple[tuple[str, bool], ...]:
    """Full names of the modules that `path` imports, lazily too, and whether it does so when it is itself imported."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[str, bool]]:
    tree = parsed(path)
    lazy = lazy_nodes(tree)
    parents = dotted(path).split(".")[: None if path.name == "__init__.py" else -1]
    for node in nodes(path):
        at_start = id(node) not in lazy
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, at_start
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else []
            name = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                inner = ROOT / f"{name}.{alias.name}".replace(".", "/")
                is_module = inner.with_suffix(".py").exists() or inner.is_dir()
                yield (f"{name}.{alias.name}" if is_module else name), at_start


def floor(package: str) -> int:
    return next(number for number, packages in enumerate(FLOORS) if package in packages)


def is_allowed(package: str, other: str) -> bool:
    if NEVER.get(package) == other:
        return False
    return package == other or floor(other) < floor(package) or (package, other) in {*BESIDE, *UPWARDS}


def test_every_package_has_its_floor() -> None:
    assert {package_of(path) for path in modules()} == {package for packages in FLOORS for package in packages}


def test_a_package_imports_only_from_the_floors_below_it() -> None:
    found = [
        (name_of(path), name)
        for path in modules()
        for name, _ in imports(path)
        if name.split(".")[0] == "claude_magic" and not is_allowed(package_of(path), [*name.split("."), ""][1])
    ]
    assert found == []


def test_each_exception_of_the_import_law_is_used() -> None:
    used = {
        (package_of(path), [*name.split("."), ""][1])
        for path in modules()
        for name, _ in imports(path)
        if name.split(".")[0] == "claude_magic"
    }
    assert sorted({*BESIDE, *UPWARDS} - used) == []


def test_each_outside_library_has_one_home() -> None:
    found = [
        (name_of(path), name)
        for path in modules()
        for name, _ in imports(path)
        if (library := name.split(".")[0]) in LIBRARIES and package_of(path) not in LIBRARIES[library]
    ]
    assert found == []


def test_only_the_transport_of_sockets_knows_the_libraries_of_sockets() -> None:
    """In a web page there are none, and it is not imported there."""
    sockets = {"requests", "urllib3", "claude_magic.api.transports.http", "claude_magic.api.transports.connections"}
    found = {
        name_of(path)
        for path in modules()
        for name, _ in imports(path)
        if name in sockets or name.startswith(("requests.", "urllib3."))
    }
    assert found == {f"api/transports/{name}.py" for name in ("connections", "http", "network")}


def circles(edges: dict[str, set[str]]) -> list[str]:
    """The modules that import themselves through others."""

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        for target in edges.get(start, ()):
            if target == goal or (target not in seen and (seen.add(target) or reaches(target, goal, seen))):
                return True
        return False

    return [name for name in edges if reaches(name, name, set())]


def test_no_module_imports_itself_in_a_circle() -> None:
    edges = {dotted(path): {name for name, at_start in imports(path) if at_start} for path in modules()}
    assert circles(edges) == []


def test_no_two_packages_import_each_other_lazily() -> None:
    edges: dict[str, set[str]] = {}
    for path in modules():
        targets = {[*name.split("."), ""][1] for name, _ in imports(path) if name.split(".")[0] == "claude_magic"}
        edges.setdefault(package_of(path), set()).update(
            targets - {package_of(path)} - {b for a, b in UPWARDS if a == package_of(path)}
        )
    assert circles(edges) == []


def test_what_loads_at_the_start_imports_nothing_heavy() -> None:
    found = [
        (name_of(path), name)
        for path in modules()
        if package_of(path) in AT_START
        for name, at_start in imports(path)
        if at_start and name.split(".")[0] in HEAVY
    ]
    assert found == []


def test_threads_timers_locks_and_event_loops_start_in_one_module() -> None:
    """A kernel without threads puts something else into `concurrency`."""
    found = [
        (name_of(path), name)
        for path in modules()
        for name, _ in imports(path)
        if (name.startswith(THREADS) or name == "concurrent") and name_of(path) not in STARTS_THREADS
    ]
    found += [
        (name_of(path), ast.unparse(node))
        for path in modules()
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in EVENT_LOOPS | WAITS
        and name_of(path) not in STARTS_THREADS | STARTS_EVENT_LOOPS
    ]
    assert found == []


def words(path: Path) -> set[str]:
    """The words of all names that a module defines."""
    names = [path.stem]
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.arg):
            names.append(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
    return {word.lower() for name in names if name not in BORROWED for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def test_no_name_uses_a_word_that_says_nothing() -> None:
    assert [(name_of(path), word) for path in modules() for word in words(path) & SAYS_NOTHING] == []


def undocumented(paths: Iterable[Path]) -> list[str]:
    return [name_of(path) for path in paths if not (ast.get_docstring(parsed(path)) or "").strip()]


def test_every_module_opens_with_a_sentence() -> None:
    assert undocumented(modules()) == []


def test_every_public_name_exists() -> None:
    assert [name for name in claude_magic.__all__ if not hasattr(claude_magic, name)] == []


def test_contributing_draws_the_packages_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^  (\w+)(?:/|\.py) ", text, re.MULTILINE))
    assert drawn == {package_of(path) for path in modules()} - {""}
