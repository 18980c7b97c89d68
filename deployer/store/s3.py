"""A store in a bucket of S3, or of anything that speaks like it.

A put is one PutObject with If-None-Match or If-Match. Deletes have no condition everywhere, so one with a condition
writes an empty object, and an empty object is absent. boto3 sends again what had no answer: a put that was done the
first time is then refused, and whoever reads its own body back has won (`record.put`).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from deployer.errors.store import StoreRefused, StoreUnreachable
from deployer.model.space import StoreAddress
from deployer.store.base import KEY, Answers, Delete, Get, List, Lost, Op, Put, Stored, check
from deployer.store.s3_client import client_of, failure_of, is_refusal

AT_ONCE = 16  # requests of one batch under way at the same time
PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # seconds before a put that met another one is sent again
BLIP, AGAIN = 6.0, 0.5  # seconds that a store may be away, and between two turns: boto3's own end within one second
BROKEN = (500, 502, 503, 504)
CHUNK = 1 << 20
PAGE = 1000  # objects that one request can list or delete
Answer = Stored | str | tuple[str, ...] | None


class Refused(Exception):
    """S3 says that the condition does not hold."""


class S3Store:
    """The objects at an address. Several threads may use it. What gets no answer, or breaks, is asked again for
    `patience` seconds."""

    def __init__(
        self,
        address: StoreAddress,
        *,
        attempts: int = 5,
        timeout: float = 10.0,
        page: int = PAGE,
        patience: float = BLIP,
    ) -> None:
        self.address = address
        self._patience = patience
        self._root = f"{address.prefix}/" if address.prefix else ""
        self._page = page
        self._client = client_of(address, attempts, timeout)

    def batch(self, ops: Sequence[Op]) -> Answers:
        """Run `ops`: reads that follow each other at the same time, writes one by one; Lost at the first condition
        that does not hold, a failure of errors.store where S3 does not do as asked."""
        for op in ops:
            check(op)
        times: list[float] = []
        answers: list[Answer] = []
        for reads, some in groupby(ops, lambda op: isinstance(op, (Get, List))):
            run = list(some)
            answers += self._read(run, times) if reads else [self._write(op, times) for op in run]
        return Answers(min(times, default=time.time()), tuple(answers))

    def clear(self, prefixes: Iterable[str]) -> None:
        """Delete every object whose key begins so, with all its versions: old config vars are secrets too."""
        found = [one for prefix in prefixes for one in self._versions(prefix)]
        for start in range(0, len(found), self._page):
            objects = found[start : start + self._page]
            answer = self._ask("delete_objects", Delete={"Objects": objects, "Quiet": True})
            for error in answer.get("Errors", []):
                raise StoreRefused(str(self.address), "DeleteObjects", 200, error["Code"], error["Message"])

    def ages(self, prefix: str) -> dict[str, float]:
        """How many seconds ago each object below a prefix was written, by the store's own clock."""
        pages = self._patiently("list_objects_v2", lambda: list(self._pages("list_objects_v2", prefix)))
        return {
            one["Key"].removeprefix(self._root): self._clock(page) - one["LastModified"].timestamp()
            for page in pages
            for one in page.get("Contents", [])
            if one["Size"]
        }

    def upload(self, key: str, file: Path) -> None:
        """Write a large object out of a file, several parts at a time where it is one of many megabytes."""
        where = (self.address.bucket, self._root + key)
        self._patiently("put_object", lambda: self._client.upload_file(str(file), *where))

    def upload_url(self, key: str, seconds: int) -> str:
        """A URL by which whoever knows it may PUT this object, for so many seconds."""
        target = {"Bucket": self.address.bucket, "Key": self._root + key}
        return str(self._client.generate_presigned_url("put_object", Params=target, ExpiresIn=seconds))

    def download_url(self, key: str, seconds: int) -> str:
        """A URL by which whoever knows it may GET this object, for so many seconds."""
        target = {"Bucket": self.address.bucket, "Key": self._root + key}
        return str(self._client.generate_presigned_url("get_object", Params=target, ExpiresIn=seconds))

    def pieces(self, key: str, offset: int = 0) -> Iterator[bytes]:
        """A large object as it comes, from there on."""
        where = {"Bucket": self.address.bucket, "Key": self._root + key, "Range": f"bytes={offset}-"}
        answer = self._patiently("get_object", lambda: self._client.get_object(**where))
        chunks, end = answer["Body"].iter_chunks(CHUNK), b""
        while piece := self._translated("get_object", lambda: next(chunks, end)):
            yield piece

    def _read(self, ops: list[Op], times: list[float]) -> list[Answer]:
        if len(ops) == 1:
            return [self._one_read(ops[0], times)]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(lambda op: self._one_read(op, times), ops))

    def _one_read(self, op: Op, times: list[float]) -> Answer:
        return self._list(op.prefix, times) if isinstance(op, List) else self._get(op.key, times)

    def _write(self, op: Op, times: list[float]) -> Answer:
        if isinstance(op, Put):
            return self._put(op, times)
        assert isinstance(op, Delete)
        if op.if_match is None:
            times.append(self._clock(self._ask("delete_object", Key=self._root + op.key)))
        else:
            self._empty(op.key, op.if_match, times)
        return None

    def _get(self, key: str, times: list[float]) -> Stored | None:
        try:
            answer = self._ask("get_object", Key=self._root + key)
        except Refused:
            return None
        times.append(self._clock(answer))
        body = answer["Body"]
        return Stored(body, answer["ETag"]) if body else None

    def _put(self, op: Put, times: list[float]) -> str:
        condition = {"IfNoneMatch": "*"} if op.if_absent else {"IfMatch": op.if_match} if op.if_match else {}
        try:
            return self._send(op.key, op.body, condition, times)
        except Refused as refused:
            emptied = self._emptied(op.key) if op.if_absent else None
            if emptied is None:
                raise Lost(op.key) from refused
        try:
            return self._send(op.key, op.body, {"IfMatch": emptied}, times)
        except Refused as refused:
            raise Lost(op.key) from refused

    def _empty(self, key: str, etag: str, times: list[float]) -> None:
        try:
            self._send(key, b"", {"IfMatch": etag}, times)
        except Refused as refused:
            if self._get(key, times) is not None:
                raise Lost(key) from refused

    def _emptied(self, key: str) -> str | None:
        """The etag of an empty object, which stands for one that was deleted."""
        try:
            answer = self._ask("head_object", Key=self._root + key)
        except Refused:
            return None
        return str(answer["ETag"]) if answer["ContentLength"] == 0 else None

    def _send(self, key: str, body: bytes, condition: Mapping[str, str], times: list[float]) -> str:
        """Put it; Refused where the condition does not hold. Another put of the same key at the same moment is a 409:
        which of them wins is open, so this one is sent again."""
        for pause in (*PAUSES, None):
            try:
                answer = self._ask("put_object", Key=self._root + key, Body=body, **condition)
            except StoreRefused as conflict:
                if conflict.status != 409 or pause is None:
                    raise
                time.sleep(pause * random.uniform(0.5, 1.0))
                continue
            times.append(self._clock(answer))
            return str(answer["ETag"])
        raise AssertionError("the last turn returns or raises")

    def _list(self, prefix: str, times: list[float]) -> tuple[str, ...]:
        found: list[str] = []
        for page in self._patiently("list_objects_v2", lambda: list(self._pages("list_objects_v2", prefix))):
            times.append(self._clock(page))
            found += [one["Key"].removeprefix(self._root) for one in page.get("Contents", []) if one["Size"]]
        return tuple(sorted(key for key in found if KEY.fullmatch(key)))

    def _versions(self, prefix: str) -> Iterator[dict[str, str]]:
        try:
            for page in self._pages("list_object_versions", prefix):
                for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                    yield {"Key": one["Key"], "VersionId": one["VersionId"]}
        except StoreRefused as refused:
            if refused.status != 501:  # not every endpoint has versions
                raise
            for page in self._pages("list_objects_v2", prefix):
                yield from ({"Key": one["Key"]} for one in page.get("Contents", []))

    def _pages(self, operation: str, prefix: str) -> Iterator[Any]:
        facts = {"Bucket": self.address.bucket, "Prefix": self._root + prefix}
        pages = self._client.get_paginator(operation).paginate(**facts, PaginationConfig={"PageSize": self._page})
        found = iter(pages)
        end: Any = object()
        while (page := self._translated(operation, lambda: next(found, end))) is not end:
            yield page

    def _ask(self, operation: str, **facts: Any) -> Any:
        """One request, its body read to the end; Refused, or a failure."""

        def ask() -> Any:
            answer = getattr(self._client, operation)(Bucket=self.address.bucket, **facts)
            return {**answer, "Body": answer["Body"].read()} if "Body" in answer else answer

        return self._patiently(operation, ask)

    def _patiently(self, operation: str, ask: Callable[[], Any]) -> Any:
        """Ask again, as long as the store may only be away for seconds."""
        end = time.monotonic() + self._patience
        while True:
            try:
                return self._translated(operation, ask)
            except (StoreUnreachable, StoreRefused) as failure:
                is_passing = isinstance(failure, StoreUnreachable) or failure.status in BROKEN
                if not is_passing or time.monotonic() + AGAIN > end:
                    raise
            time.sleep(AGAIN)

    def _clock(self, answer: Any) -> float:
        """When the answer was given, by the store's clock, in whole seconds since 1970."""
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if date is None:
            reason = "its answers say no date, and leases are judged by the store's clock"
            raise StoreRefused(str(self.address), "telling the time", 200, "NoDate", reason)
        return parsedate_to_datetime(date).timestamp()

    def _translated(self, operation: str, ask: Callable[[], Any]) -> Any:
        from boto3.exceptions import S3UploadFailedError
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

        try:
            return ask()
        except S3UploadFailedError as error:
            cause = error.__context__  # what the service said
            raise failure_of(cause if isinstance(cause, Exception) else error, self.address, operation) from error
        except ClientError as error:
            if is_refusal(error):
                raise Refused from error
            raise failure_of(error, self.address, operation) from error
        except (BotoCoreError, HTTPClientError, OSError) as error:
            raise failure_of(error, self.address, operation) from error
