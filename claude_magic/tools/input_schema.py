"""Converts the schema of a tool's arguments to the form that the API accepts: one object of JSON Schema 2020-12.

At the top level, the API refuses `anyOf`, `oneOf`, `allOf` and names of arguments beyond `[a-zA-Z0-9_.-]{1,64}`; it
also refuses invalid JSON Schema. Top-level branches are merged into one object, and a description gives the exact rule;
names are replaced; older drafts are translated; what stays invalid is left out and noted.
Source: https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from ..errors import CellError
from . import drafts
from .drafts import Schema

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_ARGUMENT = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_.-]+")
_LONGEST = 64
_LONGEST_RULE = 4_000  # characters
_DEEPEST = 20  # branches within branches
_MERGED_KEYS = {"type", "properties", "required", "additionalProperties", "title", "description"}
_UNIONS = {"anyOf": "any", "oneOf": "exactly one", "allOf": "all"}


@dataclass(frozen=True, kw_only=True)
class InputSchema:
    """A schema as the API accepts it.

    Attributes:
        description: Rules that the schema cannot express, for the tool's description; `""` if none.
        own_names: The tool's own names of renamed arguments, by the names that the API has.
        notes: What was left out, a sentence each.
    """

    value: Schema
    description: str = ""
    own_names: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def from_json(schema: Any) -> InputSchema:
    """Converts a schema, whose parts may be changed.

    Raises:
        CellError: It does not describe an object.
    """
    if schema is None or schema is True:
        schema = {}
    if not isinstance(schema, dict):
        raise CellError(f"its input schema is {json.dumps(schema)[:80]}. It must be an object with its arguments.")
    notes: list[str] = []
    root = drafts.current(schema, notes)
    definitions = root.pop("$defs", {})
    rules: list[tuple[str, list[Schema]]] = []
    merged = _merge(root, definitions, rules, _DEEPEST)
    names = _legal_names(list(merged.get("properties", {})))
    description = "\n\n".join(_rule(kind, branches, names) for kind, branches in rules)
    merged, own_names = with_legal_names(merged)
    if definitions:
        merged["$defs"] = definitions
    return InputSchema(value=merged, description=description, own_names=own_names, notes=tuple(dict.fromkeys(notes)))


def with_legal_names(schema: Schema) -> tuple[Schema, dict[str, str]]:
    """`schema` with argument names that the API accepts, and the tool's own names of those that were renamed."""
    names = _legal_names(list(schema.get("properties", {})))
    return _with_names(schema, names), {new: own for own, new in names.items() if new != own}


def _merge(root: Schema, definitions: Schema, rules: list[tuple[str, list[Schema]]], deep: int) -> Schema:
    """`root` as one object without unions; rules that are lost are added to `rules`."""
    root = _inline(root, definitions)
    root["type"] = _object_type(root)
    for kind in _UNIONS:
        if kind not in root:
            continue
        branches = [each for each in root.pop(kind) if isinstance(each, dict) and _may_be_object(each, definitions)]
        if not branches or not deep:
            raise CellError(f"its input schema has an {kind} of no objects. A tool takes one object.")
        objects = [_merge(dict(each), definitions, rules, deep - 1) for each in branches]
        if _says_more(objects, kind):
            rules.append((kind, [_inline(dict(each), definitions) for each in branches]))
        root = _unite(root, objects, kind)
    return root


def _inline(schema: Schema, definitions: Schema) -> Schema:
    """`schema` with its reference replaced by the target; keys beside the reference take precedence."""
    for _ in range(_DEEPEST):
        name = unquote(str(schema.get("$ref", "")).removeprefix(drafts.DEFINITIONS))
        if "$ref" not in schema or not isinstance(definitions.get(name), dict):
            break
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = json.loads(json.dumps({**definitions[name], **beside}))
    return schema


def _may_be_object(schema: Schema, definitions: Schema) -> bool:
    kind = _inline(dict(schema), definitions).get("type", "object")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _object_type(schema: Schema) -> str:
    if not _may_be_object(schema, {}):
        raise CellError(f"its input schema is of type {json.dumps(schema['type'])[:80]}. A tool takes an object.")
    if "$ref" in schema:
        raise CellError("its input schema refers to itself. Write it out.")
    return "object"


def _unite(root: Schema, branches: Sequence[Schema], kind: str) -> Schema:
    """`root` with the arguments of its branches merged into it."""
    properties: Schema = dict(root.get("properties", {}))
    for name in dict.fromkeys(name for each in branches for name in each.get("properties", {})):
        own = [each["properties"][name] for each in (root, *branches) if name in each.get("properties", {})]
        different = [each for at, each in enumerate(own) if each not in own[:at]]
        properties[name] = different[0] if len(different) == 1 else {_inner(kind): different}
    several = [set(each.get("required", ())) for each in branches]
    needed = set.union(*several) if kind == "allOf" else set.intersection(*several)
    required = dict.fromkeys([*root.get("required", ()), *(name for name in properties if name in needed)])
    schema = {
        **(branches[0] if len(branches) == 1 else {}),
        **root,
        "properties": properties,
        "required": list(required),
    }
    schema.pop("additionalProperties", None)  # valid for one branch, it would forbid arguments of another
    if kind != "allOf" and all(each.get("additionalProperties") is False for each in branches):
        schema["additionalProperties"] = False
    return schema


def _says_more(branches: Sequence[Schema], kind: str) -> bool:
    """Whether the branches say more than one object with all of their arguments does."""
    if len(branches) == 1:
        return False
    return kind != "allOf" or any(each.keys() - _MERGED_KEYS for each in branches)


def _inner(kind: str) -> str:
    return "allOf" if kind == "allOf" else "anyOf"


def _rule(kind: str, branches: Sequence[Schema], names: Mapping[str, str]) -> str:
    forms = json.dumps([_with_names(each, names) for each in branches], ensure_ascii=False)
    if len(forms) > _LONGEST_RULE:
        forms = json.dumps([{"required": _with_names(each, names).get("required", [])} for each in branches])
    return f"The arguments must match {_UNIONS[kind]} of these forms (JSON Schema): {forms[:_LONGEST_RULE]}"


def _legal_names(names: Sequence[str]) -> dict[str, str]:
    """A name that the API accepts for each argument; valid names stay."""
    legal = {name: name for name in names if _ARGUMENT.fullmatch(name)}
    used = set(legal)
    for name in names:
        if name not in legal:
            legal[name] = _free(name, used)
            used.add(legal[name])
    return legal


def _free(name: str, used: set[str]) -> str:
    plain = _ILLEGAL.sub("_", name).strip("_") or "argument"
    if len(plain) > _LONGEST:
        plain = f"{plain[: _LONGEST - 9]}_{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
    count, free = 2, plain
    while free in used:
        free = f"{plain[: _LONGEST - len(str(count)) - 1]}_{count}"
        count += 1
    return free


def _with_names(schema: Schema, names: Mapping[str, str]) -> Schema:
    """`schema` with its arguments renamed, and their own names in their descriptions."""
    changed = dict(schema)
    if isinstance(properties := schema.get("properties"), dict):
        changed["properties"] = {
            names.get(name, name): value if names.get(name, name) == name else _with_own_name(value, name)
            for name, value in properties.items()
        }
    if isinstance(required := schema.get("required"), list):
        changed["required"] = [names.get(name, name) for name in required]
    for key in ("dependentRequired", "dependentSchemas"):
        if isinstance(several := schema.get(key), dict):
            changed[key] = {names.get(name, name): _dependents(value, names) for name, value in several.items()}
    return changed


def _dependents(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [names.get(name, name) for name in value]
    return _with_names(value, names) if isinstance(value, dict) else value


def _with_own_name(schema: Any, name: str) -> Any:
    if not isinstance(schema, dict):
        return schema
    description = "\n".join(filter(None, [schema.get("description"), f"(the tool's own name of it: {name})"]))
    return {**schema, "description": description}
