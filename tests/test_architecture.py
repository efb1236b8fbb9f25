"""The shape of the house: who may import whom, where outside libraries live, which words are used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import claude_magic

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "claude_magic"

# errors, grammar <- wire <- the rooms <- magics <- the face; settings stands beside wire.
MAY_IMPORT = {
    "errors": set(),
    "concurrency": set(),
    "hosts": set(),
    "grammar": set(),
    "wire": {"errors", "grammar"},
    "settings": {"errors", "hosts"},
    "cell": {"errors", "hosts", "wire"},
    "conversation": {"concurrency", "errors", "wire"},
    "api": {"concurrency", "errors", "wire"},
    "display": {"errors", "wire", "grammar"},
    "journal": {"concurrency", "errors", "wire"},
    "export": {"errors", "wire"},
    "local": {"concurrency", "errors", "wire"},
    "mcp_servers": {"concurrency", "errors", "wire", "tools"},  # one room soon
    "tools": {"errors", "wire"},
    "snippets": {"errors"},
    "magics": {
        "concurrency",
        "errors",
        "hosts",
        "wire",
        "settings",
        "cell",
        "api",
        "conversation",
        "display",
        "journal",
        "export",
        "local",
        "mcp_servers",
        "tools",
        "snippets",
        "",
    },
    "": {"errors", "wire", "magics"},
}
HOME = {
    "requests": {"api"},
    "urllib3": {"api"},
    "platformdirs": {"api", "snippets", "magics"},
    "dotenv": {"api"},
    "traitlets": {"settings"},
    "ipywidgets": {"display"},
    "markdown": {"display"},
    "markdown_it": {"grammar"},
    "mdit_py_plugins": {"grammar"},
    "pygments": {"display"},
    "rich": {"display"},
    "PIL": {"cell"},
    "IPython": {"magics", "display"},
    "xllamacpp": {"local"},
    "sqlite3": {"journal"},
    "pandas": {"display", "magics"},
    "tqdm": {"display"},
    "mcp": {"mcp_servers"},
    "mcp_types": {"mcp_servers"},
    "anyio": {"mcp_servers"},
    "docstring_parser": {"tools"},
    "jsonschema": {"tools", "mcp_servers"},
    "pydantic": {"tools", "mcp_servers"},
}
AT_START = {"concurrency", "errors", "settings", "cell", "wire", "magics", ""}  # what %load_ext imports
NEVER = {"completion", "chat", "part", "payload", "util", "utils", "helper", "manager", "handler", "service"}
BORROWED = {"magics_manager"}  # IPython's own names


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """The room of a module: the folder or file right under the package; `""` for the face."""
    first = path.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Full names of the modules that `path` imports, and whether it does so when it is itself imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    package = ["claude_magic", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(tree):
        at_start = id(node) not in inside
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, at_start
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or "", at_start
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] + (node.module or "").split(".")
            name = ".".join(filter(None, base))
            for alias in node.names:
                inner = f"{name}.{alias.name}".replace(".", "/")
                known = (ROOT / f"{inner}.py").exists() or (ROOT / inner).is_dir()
                yield (f"{name}.{alias.name}" if known else name), at_start


def name(path: Path) -> str:
    """How a message names a module."""
    return str(path.relative_to(PACKAGE))


def test_a_room_imports_only_what_stands_below_it() -> None:
    found = []
    for path in modules():
        own = room(path)
        rooms = {[*target.split("."), ""][1] for target, _ in imports(path) if target.split(".")[0] == "claude_magic"}
        found += [(name(path), wrong) for wrong in sorted(rooms - {own} - MAY_IMPORT[own])]
    assert found == []


def test_each_outside_library_has_one_home() -> None:
    found = []
    for path in modules():
        used = {target.split(".")[0] for target, _ in imports(path)}
        found += [(name(path), library) for library in sorted(used & HOME.keys()) if room(path) not in HOME[library]]
    assert found == []


def test_no_module_imports_itself_in_a_circle() -> None:
    edges: dict[str, set[str]] = {}
    for path in modules():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        edges[module] = {target for target, at_start in imports(path) if at_start and target.startswith("claude_magic")}
    edges["claude_magic"] = set()  # the face imports lazily; its type-checking imports are no edges

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        for target in edges.get(start, ()):
            if target == goal or (target not in seen and (seen.add(target) or reaches(target, goal, seen))):
                return True
        return False

    assert [module for module in edges if reaches(module, module, set())] == []


def test_what_loads_at_the_start_imports_nothing_heavy() -> None:
    heavy = {
        "requests",
        "urllib3",
        "markdown",
        "markdown_it",
        "mdit_py_plugins",
        "pygments",
        "ipywidgets",
        "sqlite3",
        "platformdirs",
        "docstring_parser",
        "pydantic",
        "jsonschema",
        "mcp",
        "anyio",
    }
    found = [
        (name(path), target)
        for path in modules()
        if room(path) in AT_START
        for target, at_start in imports(path)
        if at_start and target.split(".")[0] in heavy
    ]
    assert found == []


def words(path: Path) -> set[str]:
    """The words of all names that a module defines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [path.stem]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.arg):
            names.append(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
    return {word.lower() for name in names if name not in BORROWED for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}


def test_no_name_uses_a_word_that_says_nothing() -> None:
    allowed = {"direct.py": {"manager"}}  # urllib3's hook `proxy_manager_for`
    found = {name(path): words(path) & NEVER - allowed.get(path.name, set()) for path in modules()}
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_every_module_opens_with_a_sentence() -> None:
    trees = {name(path): ast.parse(path.read_text(encoding="utf-8")) for path in modules()}
    assert [path for path, tree in trees.items() if not (ast.get_docstring(tree) or "").strip()] == []


def test_every_public_name_exists() -> None:
    assert [name for name in claude_magic.__all__ if not hasattr(claude_magic, name)] == []


def test_the_readme_draws_the_rooms_that_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^  (\w+)(?:/|\.py) ", readme, re.MULTILINE))
    assert drawn == {room(path) for path in modules()} - {""}
