"""A store's operations and answers as JSON values. Bodies are text: bytes that are no UTF-8 become lone surrogates."""

from __future__ import annotations

from typing import Any

from deployer.store.base import Delete, Get, List, Op, Put, Stored

Answer = Stored | str | tuple[str, ...] | None


def op_to_json(op: Op) -> dict[str, Any]:
    """`{get: KEY}`, `{put: KEY, body, if_absent | if_match}`, `{list: PREFIX}` or `{delete: KEY, if_match}`."""
    if isinstance(op, Get):
        return {"get": op.key}
    if isinstance(op, List):
        return {"list": op.prefix}
    if isinstance(op, Delete):
        return {"delete": op.key, "if_match": op.if_match}
    return {"put": op.key, "body": text_of(op.body), "if_absent": op.if_absent, "if_match": op.if_match}


def op_from_json(value: dict[str, Any]) -> Op:
    """The operation of a JSON value; ValueError where it is none."""
    if "get" in value:
        return Get(value["get"])
    if "list" in value:
        return List(value["list"])
    if "delete" in value:
        return Delete(value["delete"], value.get("if_match"))
    if "put" in value:
        return Put(value["put"], read_text(value["body"]), value.get("if_absent", False), value.get("if_match"))
    raise ValueError(f"no operation of a store: {sorted(value)}")


def answer_to_json(answer: Answer) -> Any:
    """`{body, etag}`, `{etag}`, `{keys}` or null."""
    if isinstance(answer, Stored):
        return {"body": text_of(answer.body), "etag": answer.etag}
    if isinstance(answer, str):
        return {"etag": answer}
    return None if answer is None else {"keys": list(answer)}


def answer_from_json(value: Any) -> Answer:
    """The answer of a JSON value."""
    if value is None:
        return None
    if "keys" in value:
        return tuple(value["keys"])
    return Stored(read_text(value["body"]), value["etag"]) if "body" in value else str(value["etag"])


def text_of(body: bytes) -> str:
    """A body as it travels."""
    return body.decode("utf-8", "surrogateescape")


def read_text(text: str) -> bytes:
    """The body that travelled as this text."""
    return text.encode("utf-8", "surrogateescape")
