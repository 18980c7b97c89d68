"""Protobuf's structs to Python's values and back, as Pulumi's engine means them."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format, struct_pb2

Values = dict[str, Any]
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # stands, in a preview, for what is not known yet
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


def load(struct: struct_pb2.Struct) -> Values:
    """A struct's values: numbers that are whole are ints, secrets are what they hide."""
    return {name: _value(value) for name, value in struct.fields.items()}


def _value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind in (None, "null_value"):
        return None
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "list_value":
        return [_value(one) for one in value.list_value.values]
    if kind == "struct_value":
        found = load(value.struct_value)
        return found["value"] if found.get(SIGNATURE) == SECRET else found
    return getattr(value, kind)


def dump(values: Values) -> struct_pb2.Struct:
    """Values as a struct, without those that are None."""
    struct = struct_pb2.Struct()
    json_format.ParseDict({name: value for name, value in values.items() if value is not None}, struct)
    return struct


def is_known(value: Any) -> bool:
    """Whether nothing in it is unknown."""
    if isinstance(value, dict):
        return all(map(is_known, value.values()))
    if isinstance(value, list):
        return all(map(is_known, value))
    return bool(value != UNKNOWN)
