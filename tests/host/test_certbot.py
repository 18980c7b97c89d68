"""What certbot is told, and what it says; where names lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.host import certbot, leads_here
from deployer.host.paths import Paths
from deployer.model.certificate import Account, Issuer

CHALLENGE = """\
Saving debug log to /srv/deployer/certbot/logs/letsencrypt.log
Requesting a certificate for shop.test

Certbot failed to authenticate some domains. The Certificate Authority reported these problems:
  Domain: shop.test
  Type:   connection
  Detail: 203.0.113.7: Fetching http://shop.test/.well-known/acme-challenge/x: Timeout during connect

Hint: The Certificate Authority failed to download the challenge files.

Some challenges have failed.
Ask for help or search for solutions at https://community.letsencrypt.org.
"""
LIMIT = """\
Saving debug log to /srv/deployer/certbot/logs/letsencrypt.log
An unexpected error occurred:
Error creating new order :: too many certificates already issued, retry after 2026-12-03 08:30:00 UTC: see the limits
Ask for help or search for solutions at https://community.letsencrypt.org.
"""
AWAY = """\
An unexpected error occurred:
requests.exceptions.ConnectionError: HTTPSConnectionPool(host='acme.test', port=443): Max retries exceeded
Ask for help or search for solutions at https://community.letsencrypt.org.
"""


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (CHALLENGE, "connection: 203.0.113.7: Fetching http://shop.test/.well-known/acme-challenge/x: Timeout"),
        (LIMIT, "Error creating new order :: too many certificates already issued, retry after 2026-12-03 08:30:00"),
        (AWAY, "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='acme.test', port=443)"),
        ("no answer within 240 s", "no answer within 240 s"),
        ("", "certbot said nothing"),
    ],
    ids=["challenge", "limit", "away", "silence", "nothing"],
)
def test_the_issuers_own_words_are_the_reason(said: str, reason: str) -> None:
    assert certbot.reason_in(said).startswith(reason)
    assert len(certbot.reason_in(said)) <= certbot.MOST_WORDS


def test_what_certbot_is_told(tmp_path: Path) -> None:
    paths = Paths(tmp_path, tmp_path)
    words = certbot.command(paths, tmp_path / "order", Issuer("https://acme.test/dir"))
    assert words[:5] == ["certbot", "certonly", "--non-interactive", "--agree-tos", "--register-unsafely-without-email"]
    assert "https://acme.test/dir" in words and "127.0.0.1" in words
    told = certbot.command(paths, tmp_path, Issuer(email="me@example.com"))
    assert "me@example.com" in told and "https://acme-v02.api.letsencrypt.org/directory" in told
    assert certbot.folder(paths).stat().st_mode & 0o777 == 0o700


def test_another_host_becomes_the_same_customer(tmp_path: Path) -> None:
    one, other = Paths(tmp_path / "one", tmp_path), Paths(tmp_path / "other", tmp_path)
    file = certbot.folder(one) / "config/accounts/acme.test/directory/1/private_key.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    known = certbot.account(one)
    assert known.files == {"acme.test/directory/1/private_key.json": "{}"}
    certbot.become(other, Account({**known.files, "../outside": "x", "/etc/outside": "x"}))
    assert certbot.account(other) == known and not (certbot.folder(other) / "config/outside").exists()
    certbot.become(other, Account({"else.json": "{}"}))
    assert certbot.account(other) == known, "who is one already stays so"


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (["203.0.113.7"], ""),
        ([], "DNS does not lead here: shop.test has no address, and should lead to 203.0.113.7"),
        (["1.2.3.4"], "DNS does not lead here: shop.test leads to 1.2.3.4, and should lead to 203.0.113.7 alone"),
        (["203.0.113.7", "2001:db8::1"], "DNS does not lead here: shop.test leads to 2001:db8::1"),
    ],
)
def test_where_a_name_leads(found: list[str], problem: str) -> None:
    said = leads_here.problem("shop.test", ["203.0.113.7"], lambda name: found)
    assert said == problem if not problem else said.startswith(problem)
