"""The JSON Schema of a verdict, derived from the dataclasses so that the two cannot differ.

``python -m grokscope.schemas.verdicts.json_schema`` prints it; the committed copy is ``verdict.schema.json``
one folder up.
"""

import json
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from enum import StrEnum
from importlib import resources
from typing import Any, Union, get_args, get_origin, get_type_hints

from grokscope.schemas.verdicts.check import Check
from grokscope.schemas.verdicts.verdict import Verdict

_PLAIN: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}


def verdict_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one verdict.

    >>> verdict_json_schema()["required"]
    ['run', 'pattern']
    """
    definitions: dict[str, Any] = {}
    root = _object(Verdict, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "grokscope verdict",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def committed_schema() -> dict[str, Any]:
    """Return the schema as it is shipped with the package.

    >>> committed_schema() == verdict_json_schema()
    True
    """
    return json.loads(resources.files("grokscope.schemas").joinpath("verdict.schema.json").read_text("utf-8"))


def _object(record: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(record)
    # A transition inside a verdict does not repeat the run's id.
    shown = [f for f in fields(record) if f.name != "run_id"]
    return {
        "type": "object",
        "properties": {f.name: _type(hints[f.name], definitions) for f in shown},
        "required": [f.name for f in shown if _is_required(f)],
        "additionalProperties": False,
    }


def _is_required(f: "Field[Any]") -> bool:
    return f.default is MISSING and f.default_factory is MISSING


def _type(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {
            "anyOf": [_type(a, definitions) for a in arguments if a is not type(None)] + [{"type": "null"}]
        }
    if origin is Sequence and arguments[0] is Check:
        # Written as name -> "outcome: text", see verdict_json.
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if origin is Sequence:
        return {"type": "array", "items": _type(arguments[0], definitions)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _type(arguments[1], definitions)}
    return _class(hint, definitions)


def _class(hint: type[object], definitions: dict[str, Any]) -> dict[str, Any]:
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if issubclass(hint, StrEnum):
        return {"type": "string", "enum": [member.value for member in hint]}
    if hint.__name__ not in definitions:
        definitions[hint.__name__] = _object(hint, definitions)
    return {"$ref": f"#/$defs/{hint.__name__}"}


if __name__ == "__main__":
    json.dump(verdict_json_schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
