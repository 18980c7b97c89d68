"""How domains are spelled, which record of DNS leads one to a space, and which app a space gives a name to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.host.router_settings import DOMAIN
from deployer.model.app import App
from deployer.model.certificate import ACM, ACME, FAILING, ISSUED, PENDING, Certificate
from deployer.model.domains import NotADomain, Pointing, is_apex, parse, pointing
from deployer.model.space import Space
from deployer.model.tls import Standing, has_https, standing
from deployer.store import keys
from deployer.store.base import KEY


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("www.example.com", "www.example.com"),
        (" WWW.Example.COM. ", "www.example.com"),
        ("*.example.com", "*.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.BÜCHER.example", "*.xn--bcher-kva.example"),
        ("xn--strae-oqa.de", "xn--strae-oqa.de"),
        ("1.2.3.example", "1.2.3.example"),
    ],
)
def test_a_domain_is_spelled_in_one_way(typed: str, spelled: str) -> None:
    assert parse(typed) == spelled


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("https://www.example.com", "URL"),
        ("www.example.com/shop", "URL"),
        ("www.example.com:8080", "port"),
        ("192.0.2.1", "address"),
        ("*.192.0.2.1", "address"),
        ("2001:db8::1", "address"),
        ("[2001:db8::1]", "address"),
        ("localhost", "dot"),
        ("*.com", "dot"),
        ("", "dot"),
        ("www.*.com", "asterisk"),
        ("w*.example.com", "asterisk"),
        ("*.*.example.com", "asterisk"),
        ("-a.example.com", "dash"),
        ("a_b.example.com", "dashes"),
        ("a b.example.com", "dashes"),
        ("www..example.com", "dots"),
        (".example.com", "dots"),
        ("example.123", "number"),
        ("straße.de", "xn--"),
        (f"{'a' * 64}.com", "64 characters"),
        (f"{'a.' * 130}com", "at most 251"),
        ("ü" * 64 + ".com", "ASCII"),
    ],
)
def test_what_is_no_domain_is_said_why(typed: str, why: str) -> None:
    with pytest.raises(NotADomain, match=why.replace("*", r"\*")):
        parse(typed)


@given(st.text(max_size=300))
def test_what_is_taken_is_safe_everywhere(text: str) -> None:
    try:
        name = parse(text)
    except NotADomain:
        return
    assert parse(name) == name
    assert DOMAIN.fullmatch(name)
    assert KEY.fullmatch(keys.domain(name))
    assert KEY.fullmatch(keys.certificate(name))


def test_the_bought_name_is_told_from_those_below_it() -> None:
    assert [is_apex(name) for name in ("example.com", "example.co.uk", "example.com.au")] == [True] * 3
    assert [is_apex(name) for name in ("www.example.com", "a.example.uk", "*.example.com")] == [False] * 3


@pytest.mark.parametrize(
    ("name", "host", "kind", "wanted"),
    [
        ("www.example.com", "shop.localhost", "sandbox", Pointing("A", "127.0.0.1")),
        ("www.example.com", "shop.192-0-2-1.sslip.io", "aws", Pointing("A", "192.0.2.1")),
        ("example.com", "shop.2001-db8--1.sslip.io", "ssh", Pointing("AAAA", "2001:db8::1")),
        ("www.example.com", "shop.apps.test", "ssh", Pointing("CNAME", "shop.apps.test")),
        ("*.example.com", "shop.apps.test", "ssh", Pointing("CNAME", "shop.apps.test")),
        ("example.com", "lb-1.elb.amazonaws.com", "aws", Pointing("ALIAS or ANAME", "lb-1.elb.amazonaws.com")),
    ],
)
def test_what_leads_a_domain_to_its_space(name: str, host: str, kind: str, wanted: Pointing) -> None:
    assert pointing(name, host, kind) == wanted


def space(url: str, kind: str = "aws", **more: bool) -> Space:
    return Space("p", kind, "debian-13-amd64", url, "2026", "0.1.0", **more)


def test_a_space_knows_to_whom_it_gives_a_name() -> None:
    at = space("http://{app}.example.com:8080/").app_at
    assert [at("shop.example.com"), at("a.b.example.com"), at("example.com"), at("shop.example.org")] == [
        "shop",
        None,
        None,
        None,
    ]
    assert space("http://lb.amazonaws.com/").app_at("lb.amazonaws.com") is None
    app = App("shop", 1, "2026", domains=("a.test", "b.test"))
    assert space("http://{app}.example.com/").domains(app) == ("shop.example.com", "a.test", "b.test")


ROUTER, BALANCED = space("http://{app}.192-0-2-1.sslip.io/"), space("https://{app}.example.com/", balanced=True)
CHAIN = Certificate("a.test", ACME, ISSUED, chain="c", key="k", starts="2026-01-01", ends="2026-04-01")


@pytest.mark.parametrize(
    ("where", "name", "known", "word"),
    [
        (space("http://{app}.localhost/", "sandbox"), "a.test", None, "HTTP only"),
        (ROUTER, "a.test", None, "In Progress"),
        (ROUTER, "a.test", Certificate("a.test", ACME, PENDING, reason="DNS leads elsewhere"), "In Progress"),
        (ROUTER, "a.test", Certificate("a.test", ACME, PENDING, asked="2026-01-01"), "DNS Verified"),
        (ROUTER, "a.test", Certificate("a.test", ACME, FAILING, asked="2026-01-01", reason="no"), "Failing"),
        (ROUTER, "a.test", CHAIN, "OK"),
        (ROUTER, "*.a.test", None, "HTTP only"),
        (ROUTER, "*.a.test", Certificate("*.a.test", ACME, FAILING, reason="no"), "HTTP only"),
        (BALANCED, "shop.example.com", None, "OK"),
        (BALANCED, "example.com", None, "OK"),
        (BALANCED, "*.example.com", None, "OK"),
        (BALANCED, "a.shop.example.com", None, "HTTP only"),
        (BALANCED, "a.test", None, "HTTP only"),
        (BALANCED, "a.test", Certificate("a.test", ACM, PENDING), "In Progress"),
        (BALANCED, "a.test", Certificate("a.test", ACM, ISSUED, arn="arn"), "OK"),
    ],
)
def test_how_far_a_certificate_is(where: Space, name: str, known: Certificate | None, word: str) -> None:
    assert standing(where, name, known).word == word


def test_a_certificate_that_could_not_be_renewed_is_in_force_with_a_reason() -> None:
    failing = Certificate("a.test", ACME, FAILING, "c", "k", reason="no answer", starts="2026-01-01")
    assert standing(ROUTER, "a.test", failing) == Standing("OK", "no answer", "2026-01-01")


def test_https_is_what_browsers_get_now() -> None:
    assert has_https(ROUTER, "a.test", CHAIN, "2026-03-31")
    assert not has_https(ROUTER, "a.test", CHAIN, "2026-04-02")
    assert not has_https(ROUTER, "a.test", None, "2026-01-01")
    assert has_https(BALANCED, "shop.example.com", None, "2026-01-01")
    assert not has_https(space("http://{app}.localhost/", "sandbox"), "a.test", CHAIN, "2026-03-31")
