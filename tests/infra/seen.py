"""Keeps what is asked of AWS while something runs: boto3's calls, and what Pulumi's back end sends to S3 by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# `GET /bucket/key`: what the back end does, in the words of boto3.
OF_OBJECTS = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
PATH = re.compile(r"/([^/]+)(?:/(.*))?")


@dataclass(frozen=True)
class Seen:
    """One call in the words of boto3: service, operation, parameters. `by` is who made it: boto3, or the engine."""

    by: str
    service: str
    operation: str
    params: Mapping[str, Any]


@contextmanager
def watching() -> Iterator[list[Seen]]:
    """The calls that this process makes, and those that its moto gets from others."""
    from botocore.client import BaseClient
    from moto.server import DomainDispatcherApplication

    found: list[Seen] = []
    call, answer = BaseClient._make_api_call, DomainDispatcherApplication.__call__

    def calling(client: Any, operation: str, params: Mapping[str, Any]) -> Any:
        found.append(Seen("boto3", client.meta.service_model.service_name, operation, params))
        return call(client, operation, params)

    def answering(application: Any, environ: Mapping[str, Any], start: Any) -> Any:
        if "boto" not in environ.get("HTTP_USER_AGENT", "").lower():
            found.extend(_of_engine(environ))
        return answer(application, environ, start)

    BaseClient._make_api_call, DomainDispatcherApplication.__call__ = calling, answering
    try:
        yield found
    finally:
        BaseClient._make_api_call, DomainDispatcherApplication.__call__ = call, answer


def _of_engine(environ: Mapping[str, Any]) -> Iterator[Seen]:
    method, match = environ["REQUEST_METHOD"], PATH.fullmatch(environ["PATH_INFO"])
    if match is None or match[1] == "moto-api":
        return
    bucket, key = match[1], match[2]
    if environ.get("HTTP_X_AMZ_COPY_SOURCE"):
        source = environ["HTTP_X_AMZ_COPY_SOURCE"].strip("/").partition("/")
        yield Seen("engine", "s3", "GetObject", {"Bucket": source[0], "Key": source[2]})
    if key:
        yield Seen("engine", "s3", OF_OBJECTS[method], {"Bucket": bucket, "Key": key})
    else:
        assert (method, "list-type=2" in environ["QUERY_STRING"]) == ("GET", True), environ["QUERY_STRING"]
        yield Seen("engine", "s3", "ListObjectsV2", {"Bucket": bucket})
