"""The database of a space in AWS: where it is, who opens it, and the certificates that it is verified by."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from deployer.errors.rds import BundleUnreached
from deployer.spaces.aws import rds
from deployer.spaces.aws.account import Account
from deployer.spaces.aws.record import Record
from infra.spec import Spec
from tests.infra.moto_here import ACCOUNT, REGION, moto
from tests.spaces.archives_here import Server, serving

pytestmark = pytest.mark.edge
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB+a/w==\n-----END CERTIFICATE-----\n"
PLACE = f"/truststore.pki.rds.amazonaws.com/{REGION}/{REGION}-bundle.pem"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def test_certificates_come_from_the_address_of_the_region_over_tls() -> None:
    address = "https://truststore.pki.rds.amazonaws.com/eu-central-1/eu-central-1-bundle.pem"
    assert rds.url_of_bundle(Account("eu-central-1")) == address


def test_all_certificates_of_a_region_are_taken(server: Server) -> None:
    server.has[PLACE] = (CERTIFICATE * 3).encode()
    assert rds.download_bundle(Account(REGION, server.url)) == CERTIFICATE * 3


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (None, "404"),
        (b"<html>Please sign in to the Wi-Fi</html>", "no list of certificates"),
        (b"", "no list of certificates"),
        (CERTIFICATE.encode() + b"<html>", "no list of certificates"),
    ],
)
def test_what_is_no_list_of_certificates_is_not_trusted(content: bytes | None, seen: str, server: Server) -> None:
    if content is not None:
        server.has[PLACE] = content
    with pytest.raises(BundleUnreached, match=seen):
        rds.download_bundle(Account(REGION, server.url))


def test_nobody_at_the_address_is_said(server: Server) -> None:
    with pytest.raises(BundleUnreached, match="refused"):
        rds.download_bundle(Account(REGION, "http://127.0.0.1:9"))


def test_the_master_has_the_password_of_now() -> None:
    with moto() as endpoint:
        account = Account(REGION, endpoint)
        secrets = account.client("secretsmanager")
        arn = secrets.create_secret(Name="rds!db-1", SecretString=json.dumps({"username": "m", "password": "1"}))["ARN"]
        known = Record("production", Spec(REGION), ACCOUNT, "1", outputs={"database": "a.example:5432", "master": arn})
        assert rds.is_there(known)
        secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({"username": "m", "password": "/2'"}))
        assert rds.master(account, known) == rds.Master("a.example", 5432, "m", "/2'")
        assert "/2'" not in repr(rds.master(account, known))


def test_a_space_whose_making_was_cut_off_has_none() -> None:
    assert not rds.is_there(Record("production", Spec(REGION), ACCOUNT, "1"))
