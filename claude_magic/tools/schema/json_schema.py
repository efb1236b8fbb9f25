"""Generates JSON Schemas with pydantic in the form that is sent.

Titles that repeat names are left out; texts in annotations are descriptions; a NamedTuple is an object; `anyOf`
replaces `oneOf` and `discriminator`; defaults are left out if JSON cannot hold them or if they may be secrets.
Source: https://docs.pydantic.dev/latest/concepts/json_schema/#customizing-the-json-schema-generation-process
"""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from . import classes

_SECRET = frozenset(["key", "apikey", "token", "secret", "password", "passwd", "credential", "credentials"])
_LONGEST = 2_000  # characters of a default
Schema = dict[str, Any]


class Generator(GenerateJsonSchema):
    """Writes schemas as described above."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as its base has it

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: Any) -> Schema:
        return _with_descriptions(super().model_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: Any) -> Schema:
        result = _with_descriptions(super().dataclass_schema(schema), schema["cls"])
        if "__pydantic_fields__" not in vars(
            schema["cls"]
        ):  # extra fields are forbidden by our configuration, not by its own
            result.setdefault("additionalProperties", False)
        for name in classes.fields_made_by_the_class(schema["cls"]):
            result.get("properties", {}).pop(name, None)
        return result

    def typed_dict_schema(self, schema: Any) -> Schema:
        result = super().typed_dict_schema(schema)
        result.setdefault("additionalProperties", False)
        return _with_descriptions(result, schema.get("cls"))

    def dict_schema(self, schema: Any) -> Schema:
        return {"additionalProperties": True, **super().dict_schema(schema)}

    def enum_schema(self, schema: Any) -> Schema:
        return _with_descriptions(super().enum_schema(schema), schema["cls"])

    def named_tuple_schema(self, schema: Any) -> Schema:
        """From pydantic 2.12 on; before, it is a call with arguments."""
        result = super().named_tuple_schema(schema)
        names = [field["name"] for field in schema["fields"]]
        return _with_descriptions(
            {
                "type": "object",
                "properties": dict(zip(names, result.get("prefixItems", []), strict=True)),
                "required": names[: result.get("minItems", 0)],
                "additionalProperties": False,
            },
            schema["cls"],
        )

    def call_schema(self, schema: Any) -> Schema:
        return _with_descriptions(super().call_schema(schema), schema["function"])

    def arguments_schema(self, schema: Any) -> Schema:
        return self.kw_arguments_schema(schema["arguments_schema"], None)

    def tagged_union_schema(self, schema: Any) -> Schema:
        result = super().tagged_union_schema(schema)
        result.pop("discriminator", None)
        return {"anyOf" if key == "oneOf" else key: value for key, value in result.items()}

    def bytes_schema(self, schema: Any) -> Schema:
        return self.handle_invalid_for_json_schema(schema, "bytes")

    def default_schema(self, schema: Any) -> Schema:
        result: Schema = self.generate_inner(schema["schema"])
        if "default" not in schema:
            return result
        try:
            default = schema["default"]
            default = self.encode_default(default._asdict() if hasattr(default, "_asdict") else default)
            if len(json.dumps(default, allow_nan=False)) > _LONGEST:
                return result
        except Exception:  # any exception of the user's class: the default is not JSON
            return result
        return {**result, "default": default}


def _with_descriptions(schema: Schema, cls: Any) -> Schema:
    """The schema of a class without its name as title, with the descriptions of the class and its fields."""
    if cls is None or schema.get("title") == cls.__name__:
        schema.pop("title", None)
    if cls is None:
        return schema
    if text := classes.documentation(cls):
        schema["description"] = text
    elif not classes.is_model(cls):
        schema.pop("description", None)
    properties = schema.get("properties", {})
    for name, text in classes.descriptions(cls).items():
        if name in properties and "description" not in properties[name]:
            properties[name]["description"] = text
    return schema


def for_request(schema: Schema) -> Schema:
    """Removes the titles of enumerations and the defaults that may be secrets from `schema`, and returns it."""
    for name, inner in schema.get("$defs", {}).items():
        if name.endswith(str(inner.get("title"))):
            del inner["title"]
    _without_secrets(schema)
    return schema


def _without_secrets(schema: Any) -> None:
    """Removes the defaults of properties whose names suggest a secret."""
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _without_secrets(inner)
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        if isinstance(inner, dict) and _SECRET & set(str(name).lower().split("_")):
            inner.pop("default", None)
