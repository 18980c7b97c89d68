"""Every word that a user reads about stores that lie elsewhere, and what an address may be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deployer.errors import store as words
from deployer.errors.base import Failure
from deployer.model.space import StoreAddress
from deployer.operations.stores import address
from deployer.store.s3_address import parse

STORE = "s3://ledgers/shop at https://s3.example.org"
FAILURES: dict[str, Failure] = {
    "address-bad": words.StoreAddressBad("s4://ledgers", "it is not like s3://BUCKET/PREFIX"),
    "credentials-missing": words.StoreCredentialsMissing(STORE, "Unable to locate credentials"),
    "credentials-expired": words.StoreCredentialsExpired(STORE, "The provided token has expired."),
    "credentials-refused": words.StoreCredentialsRefused(STORE, "InvalidAccessKeyId", "The key does not exist."),
    "denied": words.StoreDenied(STORE, "PutObject", "Access Denied"),
    "missing": words.StoreMissing(STORE, "ledgers"),
    "clock-skewed": words.StoreClockSkewed(STORE, "62 minutes ahead"),
    "unreachable": words.StoreUnreachable(STORE, 'Connect timeout on endpoint URL: "https://s3.example.org/ledgers"'),
    "refused": words.StoreRefused(STORE, "PutObject", 500, "InternalError", "We encountered an internal error."),
    "conditions-ignored": words.StoreConditionsIgnored(
        STORE, "If-Match", "whose condition does not hold is done all the same"
    ),
    "taken": words.StoreTaken(STORE, "shop"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_a_failure_says(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"errors/store/{name}.txt", f"{FAILURES[name]}\n")


def test_an_address_is_a_bucket_a_prefix_and_where_they_are() -> None:
    assert parse("s3://ledgers/a/b/") == StoreAddress("ledgers", "a/b")
    assert parse("s3://ledgers", "https://s3.example.org:9000/", "eu") == StoreAddress(
        "ledgers", "", "https://s3.example.org:9000", "eu"
    )


def test_a_bucket_alone_gets_the_name_of_the_space_as_prefix() -> None:
    assert address("shop", "s3://ledgers", None, None) == StoreAddress("ledgers", "shop")
    assert address("shop", None, None, None) is None


@pytest.mark.parametrize(
    ("text", "endpoint", "reason"),
    [
        (None, "https://s3.example.org", "not like s3://BUCKET/PREFIX"),
        ("s3://", None, "not like s3://BUCKET/PREFIX"),
        ("ledgers", None, "not like s3://BUCKET/PREFIX"),
        ("s3://Ledgers", None, "not like s3://BUCKET/PREFIX"),
        ("s3://ledgers/a b", None, "not like s3://BUCKET/PREFIX"),
        ("s3://ledgers/../other", None, "a part of its prefix"),
        ("s3://ledgers", "s3.example.org", "is not like https://HOST"),
        ("s3://ledgers", "https://s3.example.org/path", "is not like https://HOST"),
        ("s3://ledgers", "http://s3.example.org", "unencrypted"),
        ("s3://ledgers", "https://me:secret@s3.example.org", "a user or a password"),
    ],
)
def test_what_cannot_be_an_address_is_said(text: str | None, endpoint: str | None, reason: str) -> None:
    with pytest.raises(words.StoreAddressBad, match=reason):
        address("shop", text, endpoint, None)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", "http://10.1.2.3:9000", "http://localhost:9000"])
def test_nearby_endpoints_need_no_encryption(endpoint: str) -> None:
    assert parse("s3://ledgers", endpoint).endpoint == endpoint
