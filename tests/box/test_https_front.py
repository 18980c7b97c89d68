"""HTTPS that a load balancer ends, in the box: whether HTTP leads there each app says, and its routers do it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator

import pytest

from tests.box.box import Box
from tests.box.person import Person, at_work
from tests.infra.moto_here import REGION, issue_certificates

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]
SOON = 30.0  # seconds until hosts have looked


@pytest.fixture
def ada(here: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    with at_work(here, tmp_path_factory.mktemp("ada"), "shop", "python_flask_worker") as ada:
        ada.describes(1, 'load-balancer = true\ndomain = "example.com"')
        yield ada


def plain(ada: Person) -> tuple[int, str]:
    """What plain HTTP says: the status, and where it leads."""
    connection = http.client.HTTPConnection(ada.here.front_address(), 80, timeout=20)
    connection.request("GET", "/a?b", headers={"Host": "shop.example.com"})
    answer = connection.getresponse()
    connection.close()
    return answer.status, answer.getheader("Location", "")


def test_http_leads_to_https_as_the_app_says(here: Box, ada: Person) -> None:
    assert ada.brings_up() == "http://shop.example.com/"
    assert plain(ada)[0] == 404, "the app's own answer"
    issue_certificates(REGION)
    assert ada.brings_up() == "https://shop.example.com/", ada.err
    assert ada.asks(secure=True)[0] == 200
    here.wait(lambda: plain(ada) == (301, "https://shop.example.com/a?b"), SOON)
    s3 = here.cloud.client("s3")
    bucket = next(one["Name"] for one in s3.list_buckets()["Buckets"] if "store" in one["Name"])
    app = json.loads(s3.get_object(Bucket=bucket, Key="apps/shop/app")["Body"].read())
    s3.put_object(Bucket=bucket, Key="apps/shop/app", Body=json.dumps({**app, "redirect": False}).encode())
    s3.put_object(Bucket=bucket, Key="issuing/changed", Body=json.dumps({"at": str(time.time())}).encode())
    here.wait(lambda: plain(ada)[0] == 404, SOON)
    assert ada.asks(secure=True)[0] == 200
