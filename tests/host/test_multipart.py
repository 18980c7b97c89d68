"""Objects whose size nobody knows beforehand, in an emulator of S3."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deployer.host.aws import Aws, Credentials, Refused
from deployer.host.multipart import SMALLEST, Upload
from tests.host.aws_here import BUCKET, Region, region
from tests.infra.gate import CUT, Asked, Gate, Says
from tests.infra.moto_here import REGION

KEY = "backups/shop/b001.dump"


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate()


@pytest.fixture(scope="module")
def here(gate: Gate) -> Iterator[Region]:
    with region(1, gate) as found:
        yield found


@pytest.fixture
def upload(here: Region) -> Upload:
    aws = Aws(lambda: Credentials("of-tests", "of-tests"), REGION, here.endpoint)
    here.client("s3").delete_object(Bucket=BUCKET, Key=KEY)
    return Upload(aws, BUCKET, KEY)


@pytest.mark.parametrize("size", [0, 5, SMALLEST, SMALLEST + 1])
def test_it_is_what_was_written(here: Region, upload: Upload, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    for start in range(0, size, 1 << 20):
        upload.write(data[start : min(size, start + (1 << 20))])
    upload.finish()
    assert here.get(KEY) == data[:size]
    assert upload.sent == size


def test_it_takes_nobodys_place(here: Region, upload: Upload) -> None:
    here.put(KEY, b"the first one")
    upload.write(b"another")
    with pytest.raises(Refused) as refused:
        upload.finish()
    upload.abort()
    assert refused.value.status == 412
    assert here.get(KEY) == b"the first one"


def test_one_that_is_given_up_leaves_nothing(here: Region, upload: Upload) -> None:
    upload.write(b"x" * (SMALLEST + 1))
    upload.abort()
    assert not here.client("s3").list_multipart_uploads(Bucket=BUCKET).get("Uploads")
    assert here.keys(KEY) == []


def test_what_had_no_answer_is_asked_again(here: Region, upload: Upload, gate: Gate) -> None:
    left = [2]

    def answer(asked: Asked) -> Says | None:
        if asked.operation.startswith(("POST", "PUT")) and left[0]:
            left[0] -= 1
            return CUT if left[0] else Says(503, "SlowDown", "Please reduce your request rate.")
        return None

    gate.answer = answer
    try:
        upload.write(b"all of it")
        upload.finish()
    finally:
        gate.open()
    assert here.get(KEY) == b"all of it"
