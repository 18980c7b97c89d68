"""The space's store as a host of AWS reads it: the bucket, by requests that the standard library makes.

Like S3Store: an empty object is absent, since that is what a conditional delete leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from deployer.errors.base import HostFailure
from deployer.host.aws import Bucket, Refused, Response, Unanswered
from deployer.store.base import KEY, Answers, Delete, Get, List, Lost, Op, Put, Stored, check

ABSENT, SAME, CONDITION = 404, 304, 412


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn what AWS did not do into `aws-refused` and `aws-unanswered`; `what` was asked, in words."""
    try:
        yield
    except Refused as refused:
        details = {"asked": what, "status": refused.status, "reason": str(refused)}
        raise HostFailure("aws-refused", details) from refused
    except Unanswered as unanswered:
        raise HostFailure("aws-unanswered", {"asked": what, "reason": str(unanswered)}) from unanswered


class LedgerStore:
    """A Store over a bucket, for one thread. Hosts may not delete: they empty what is theirs."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._now = 0.0

    def batch(self, ops: Sequence[Op]) -> Answers:
        """Run `ops` one by one; Lost at the first condition that does not hold, `aws-refused` or `aws-unanswered`."""
        for op in ops:
            check(op)
        answers = tuple(self._answer(op) for op in ops)
        return Answers(self._now, answers)

    def etags(self, wanted: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
        """The etags of objects, those that are there: what has not changed since it was `known` is not read again."""
        found = ((key, self._etag(key, known.get(key))) for key in wanted)
        return {key: etag for key, etag in found if etag is not None}

    def _etag(self, key: str, known: str | None) -> str | None:
        with asking(f"reading {key}"):
            try:
                return self._bucket.get(key, unless=known).headers["etag"]
            except Refused as refused:
                if refused.status == SAME:
                    return known
                if refused.status == ABSENT:
                    return None
                raise

    @contextmanager
    def opened(self, key: str) -> Iterator[Response | None]:
        """A large object, to be read as it comes; None where there is none."""
        with asking(f"reading {key}"), ExitStack() as stack:
            try:
                response = stack.enter_context(self._bucket.opened(key))
            except Refused as refused:
                if refused.status != ABSENT:
                    raise
                yield None
            else:
                yield response

    def _answer(self, op: Op) -> Stored | str | tuple[str, ...] | None:
        if isinstance(op, Get):
            return self._get(op.key)
        if isinstance(op, Put):
            return self._put(op)
        if isinstance(op, List):
            return self._list(op.prefix)
        assert isinstance(op, Delete)
        return self._send(Put(op.key, b"", if_match=op.if_match))  # which is absent to all that read it

    def _get(self, key: str) -> Stored | None:
        stored = self._look(key)
        return stored if stored and stored.body else None

    def _look(self, key: str) -> Stored | None:
        """An object, also an empty one."""
        with asking(f"reading {key}"):
            try:
                answer = self._bucket.get(key)
            except Refused as refused:
                if refused.status == ABSENT:
                    return None
                raise
        self._now = answer.now
        return Stored(answer.body, answer.headers["etag"])

    def _put(self, op: Put) -> str:
        try:
            return self._send(op)
        except Lost:
            emptied = self._look(op.key) if op.if_absent else None
            if emptied is None or emptied.body:
                raise
        return self._send(Put(op.key, op.body, if_match=emptied.etag))

    def _send(self, op: Put) -> str:
        with asking(f"writing {op.key}"):
            try:
                answer = self._bucket.put(op.key, op.body, op.if_absent, op.if_match)
            except Refused as refused:
                # A conditional write of what is not there is a 404.
                if refused.status == CONDITION or (refused.status == ABSENT and op.if_match):
                    raise Lost(op.key) from refused
                raise
        self._now = answer.now
        return answer.headers["etag"]

    def _list(self, prefix: str) -> tuple[str, ...]:
        with asking(f"listing {prefix}"):
            found, self._now = self._bucket.list(prefix)
        return tuple(sorted(key for key, size in found if size and KEY.fullmatch(key)))
