"""An object of S3 whose size nobody knows beforehand, sent part by part with the host's own role.

Facts, in `Amazon S3 multipart upload limits`: 10,000 parts at most, of 5 MiB to 5 GiB each but the last, and an object
of 5 TiB (of 48.8 TiB since 2025). In `Enforce conditional writes on Amazon S3 buckets`: the condition that there is no
such object yet stands in the last request; the ones before it are no creation, and carry none.
"""

from __future__ import annotations

import urllib.parse
from xml.etree.ElementTree import Element

from deployer.host.aws import PLAIN, Aws, Bucket, Refused, parsed

SMALLEST = 16 << 20  # bytes of a part, which is in the memory as a whole
STEP, LARGEST = 2000, 256 << 20  # twice as large every so many parts: 1 TB in all
PLAINLY = {"Content-Type": "application/octet-stream"}  # else it would be a form
ABSENT, CONDITION = 404, 412


class Upload(Bucket):
    """One object in the making; `sent` are the bytes so far."""

    def __init__(self, aws: Aws, bucket: str, key: str) -> None:
        super().__init__(aws, bucket)
        self._key = key
        self._parts: list[str] = []
        self._buffer = bytearray()
        self.sent = 0
        self._id = self._request("POST", {"uploads": ""}).findtext("UploadId", "")

    def write(self, data: bytes) -> None:
        """The next bytes."""
        self._buffer += data
        self.sent += len(data)
        size = min(SMALLEST << len(self._parts) // STEP, LARGEST)
        while len(self._buffer) >= size:
            self._send(bytes(self._buffer[:size]))
            del self._buffer[:size]

    def finish(self) -> None:
        """Have the object; Refused with 412 where there is one already."""
        self._send(bytes(self._buffer))
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            for number, etag in enumerate(self._parts, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        try:
            answer = self._request("POST", {"uploadId": self._id}, body, {"If-None-Match": "*"})
        except Refused as refused:
            # Asked again after an answer that was lost: it is there.
            if refused.status not in (ABSENT, CONDITION) or (self._key, self.sent) not in self.list(self._key)[0]:
                raise
            return
        if answer.tag == "Error":  # S3 answers 200 first, and works afterwards
            raise Refused(500, answer.findtext("Code", ""), answer.findtext("Message", ""))

    def abort(self) -> None:
        """Have nothing of it: parts cost as much as objects."""
        self._request("DELETE", {"uploadId": self._id})

    def _send(self, part: bytes) -> None:
        query = {"partNumber": str(len(self._parts) + 1), "uploadId": self._id}
        with self._aws.opened("PUT", "s3", self._url_of(query), part, PLAINLY) as response:
            self._parts.append(response.headers["ETag"])
            response.read()

    def _request(
        self, method: str, query: dict[str, str], body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Element:
        about = {**PLAINLY, **(headers or {})}
        with self._aws.opened(method, "s3", self._url_of(query), body, about) as response:
            answer = response.read()
        return parsed(answer) if answer else Element("Nothing")

    def _url_of(self, query: dict[str, str]) -> str:
        return f"{self._at(self._key)}?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote, safe=PLAIN)}"
