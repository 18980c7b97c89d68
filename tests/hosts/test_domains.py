"""Domains on real hosts, while users ask: they answer by their Host header on every router, and belong to one app."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest

from deployer.model.space import Pointer
from deployer.spaces.sandbox.sandbox import Sandbox
from tests.hosts.afflicted import Afflicted, all_served
from tests.hosts.outside import Outside

pytestmark = pytest.mark.hosts


@pytest.fixture(scope="module")
def ann(space: Pointer, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Afflicted]:
    person = Afflicted(tmp_path_factory.mktemp("domains") / "sage", "sage", sandbox.record.port)
    person.opens(web=2, worker=0)
    yield person
    person.closes()


def test_a_domain_answers_everywhere_without_a_release_or_a_restart(ann: Afflicted, sandbox: Sandbox) -> None:
    before, newest = _dynos(ann), ann.newest
    with all_served(ann):
        said = ann.types("deployer", "domains:add", "WWW.Sage.test", *ann.here)
        assert f"http://www.sage.test:{ann.port}/" in said.stderr
        assert _statuses(ann, "www.sage.test") == [200, 200]
        users = Outside(ann.port, ann.app, host="www.sage.test")
        with users.asking():
            ann.types("deployer", "domains:add", "*.sage.example", *ann.here)
            ann.types("deployer", "deploy", *ann.words("deploy")[1:])
        users.lost_nothing(at_least=20)
        assert _statuses(ann, "any.sage.example", "deep.any.sage.example", "sage.example") == [200, 404, 404] * 2
        ann.types("deployer", "domains:remove", "www.sage.test", *ann.here)
        assert _statuses(ann, "www.sage.test", "other.sage.example") == [404, 200] * 2
    assert ann.newest == newest + 1, "a deploy makes a release, a domain none"
    assert before.keys() == _dynos(ann).keys()
    assert "*.sage.example" in ann.types("deployer", "domains", *ann.here).stdout
    ann.is_whole(10)


def test_dynos_are_not_restarted_for_a_domain(ann: Afflicted) -> None:
    before = _dynos(ann)
    ann.types("deployer", "domains:add", "a.sage.test", *ann.here)
    ann.types("deployer", "domains:clear", "--confirm", "sage", *ann.here)
    assert _dynos(ann) == before
    assert _statuses(ann, "a.sage.test", "any.sage.example", "sage.localhost") == [404, 404, 200] * 2


@pytest.mark.parametrize(
    "point", ["before:put-operation", "after:put-operation", "before:put-current", "before:switch"]
)
def test_a_command_that_was_killed_is_brought_to_an_end_by_the_next(ann: Afflicted, point: str) -> None:
    name = f"{point.replace(':', '-')}.sage.test"
    ann.types(*ann.meets(point, "SIGKILL", "domains:add", name, *ann.here), status=-9)
    with all_served(ann):
        ann.types("deployer", "maintenance:off", *ann.here)
        has = name in [one["hostname"] for one in json.loads(ann.types("deployer", "domains", "-j", *ann.here).stdout)]
        assert _statuses(ann, name) == [200 if has else 404] * 2
        assert has == (point in ("before:put-current", "before:switch"))
        ann.types("deployer", "domains:add", name, *ann.here)
        assert _statuses(ann, name) == [200, 200]
    ann.is_whole(10)


def test_a_domain_belongs_to_one_app_until_that_is_gone(ann: Afflicted, space: Pointer) -> None:
    ann.types("deployer", "create", "thyme", "--space", space.name, "--no-remote")
    other = ("-a", f"{space.name}/thyme")
    ann.types("deployer", "domains:add", "www.thyme.test", *other)
    refused = ann.types("deployer", "domains:add", "www.thyme.test", *ann.here, status=1)
    assert "www.thyme.test belongs to the app thyme" in refused.stderr
    assert _statuses(ann, "www.thyme.test") == [404, 404]
    ann.types(*ann.meets("before:put-operation", "SIGKILL", "domains:add", "free.test", *ann.here), status=-9)
    # The claim of a dead command is nobody's once its lease is: here, as its process is gone, at once.
    ann.types("deployer", "maintenance:off", *ann.here)
    ann.types("deployer", "domains:add", "free.test", *other)
    ann.types("deployer", "apps:destroy", "--confirm", "thyme", *other)
    for name in ("www.thyme.test", "free.test"):
        ann.types("deployer", "domains:add", name, *ann.here)
        assert _statuses(ann, name) == [200, 200]
    ann.is_whole(10)


def test_what_is_no_domain_is_refused_before_anything_is_asked(ann: Afflicted) -> None:
    said = ann.types("deployer", "domains:add", "http://www.sage.test/", *ann.here, status=2).stderr
    assert "That is a URL" in said
    said = ann.types("deployer", "domains:remove", "nobody.sage.test", *ann.here, status=1).stderr
    assert "sage has no domain nobody.sage.test." in said
    assert "SERVING" not in said


def _statuses(person: Afflicted, *hosts: str) -> list[int]:
    """What each router says for these names, one host after the other."""
    with person.space() as space:
        return [_asked(session.host.address, name) for session in space.sessions for name in hosts]


def _asked(address: str, host: str) -> int:
    connection = http.client.HTTPConnection(address, 80, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().status
    finally:
        connection.close()


def _dynos(person: Afflicted) -> dict[str, str]:
    """By name, since when each runs."""
    with person.space() as space:
        answers = [session.call("ps")["dynos"] for session in space.sessions]
    found = [one for answer in answers for one in answer if one["app"] == person.app]
    return {f"{one['type']}.{one['number']}": f"{one['instance']} {one['since']}" for one in found}
