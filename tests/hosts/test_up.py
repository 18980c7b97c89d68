"""`deployer up` makes everything true that a folder declares, and `deployer down` undoes it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.build.folders import cache_folder
from deployer.spaces.sandbox import sandbox
from tests.hosts.person import Person

pytestmark = pytest.mark.hosts

SERVER = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        keys = ("COLOUR", "SECRET_KEY", "DATABASE_URL")
        body = " ".join(os.environ.get(key, "-") for key in keys).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
DECLARED = {
    "env": {"COLOUR": {"description": "of the shop's awning"}, "SECRET_KEY": {"generator": "secret"}},
    "addons": ["heroku-postgresql:hobby-dev"],
    "formation": {"web": {"quantity": 2}},
    "scripts": {"postdeploy": "echo postdeploy saw $COLOUR"},
}


@pytest.fixture
def ada(home: Path, tmp_path: Path) -> Iterator[Person]:
    """Somebody who has no space yet, with a folder that is not in git."""
    own = tmp_path / "home"
    person = Person(tmp_path / "my-shop", "my-shop", 0, {"DEPLOYER_HOME": str(own)})
    files = {"app.py": SERVER, "Procfile": "web: python app.py\n", "requirements.txt": ""}
    for name, text in {**files, "app.json": json.dumps(DECLARED)}.items():
        (person.folder / name).parent.mkdir(exist_ok=True)
        (person.folder / name).write_text(text)
    yield person
    person.types("deployer", "down", "sandbox", "--confirm", "sandbox", status=None)


def test_up_from_nothing_ends_at_a_url_and_down_leaves_nothing(ada: Person) -> None:
    refused = ada.types("deployer", "up", status=1)
    assert "COLOUR: of the shop's awning" in refused.stderr
    assert "deployer up --set COLOUR=VALUE" in refused.stderr

    first = ada.types("deployer", "up", "--set", "COLOUR=red")
    assert "postdeploy saw red" in first.stderr
    ada.port = int(first.stdout.strip().rpartition(":")[2].strip("/"))
    assert first.stdout == f"http://my-shop.localhost:{ada.port}/\n"
    colour, secret, database = ada.asks()[1].split()
    assert (colour, len(secret)) == ("red", 64)
    assert database.startswith("postgresql://")
    dynos = json.loads(ada.types("deployer", "ps", "--json", "-a", "sandbox/my-shop").stdout)
    assert [dyno["name"] for dyno in dynos] == ["web.1", "web.2"]

    again = ada.types("deployer", "up")
    assert "Nothing changed" in again.stderr
    assert "postdeploy" not in again.stderr
    assert ada.asks()[1].split() == [colour, secret, database]

    unconfirmed = ada.types("deployer", "down", "sandbox", status=2)
    assert "my-shop" in unconfirmed.stderr
    assert ada.asks()[0] == 200
    built = cache_folder() / "builds/sandbox/my-shop"
    assert built.exists()
    ada.types("deployer", "down", "sandbox", "--confirm", "sandbox")
    assert not built.exists()
    assert not sandbox.folder_of("sandbox").exists()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", ada.port).connect()
