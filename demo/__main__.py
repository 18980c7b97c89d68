"""`make demo`, `demo-down`, `demo-cloud`, `demo-aws`: types what the README says into a terminal, keeps what it saw."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from demo import admin, site
from demo.transcript import Typed, placed, render, stable
from deployer.spaces import pointers
from deployer.spaces.sandbox import record

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache" / "demo"
APP = "my-portfolio-app"
SPACE = "sandbox"
FOLDER = CACHE / APP
GREETING = "home/templates/home/welcome_page.html"
USER, PASSWORD = "admin", "only-for-the-demo"

LOOK = "curl -s URL | grep '<h1>'"
SUPERUSER = (
    f"deployer run -e DJANGO_SUPERUSER_PASSWORD={PASSWORD} "
    f"python manage.py createsuperuser --noinput --username {USER} --email {USER}@example.com"
)
SESSION = (
    f"deployer spaces:create {SPACE}",
    f"deployer create {APP}",
    "deployer addons:create heroku-postgresql:hobby-dev",
    "git push deployer main",
    LOOK,
    f"sed -i 's/Welcome to your new Wagtail site!/Hello from a machine of my own!/' {GREETING}",
    "git commit -q -a -m 'Say hello' && git push deployer main",
    LOOK,
    "deployer rollback",
    LOOK,
    "deployer ps",
    "deployer releases",
    SUPERUSER,
)


def main(words: list[str]) -> int:
    parts = {"up": up, "down": down, "cloud": cloud, "aws": aws}
    if len(words) != 1 or words[0] not in parts:
        print(f"usage: python -m demo {'|'.join(parts)}", file=sys.stderr)
        return 2
    return parts[words[0]]()


def cloud() -> int:
    """A space in AWS, in an AWS that is played here: it needs what the tests need, and nothing of the sandbox."""
    from demo.cloud import main

    return main()


def aws() -> int:
    """The site on a space in AWS, in an AWS that is played here with real hosts: needs root."""
    from demo.aws import main

    return main()


def up() -> int:
    """The site, the session, its picture in the README, and a login to the admin as the proof."""
    if FOLDER.exists() and down():
        return 1
    if SPACE in pointers.names():
        say(f"There is a space `{SPACE}` that the demo did not make: `deployer spaces:destroy {SPACE}` first,")
        say("or give the demo folders of its own: DEPLOYER_HOME=/tmp/home DEPLOYER_DATA=/var/tmp/data make demo")
        return 1
    say(f"Making the site in {FOLDER.relative_to(ROOT)} from Wagtail's own template")
    site.make(FOLDER)
    session, status = type_all(SESSION)
    (CACHE / "transcript.txt").write_text(render(session))
    if status:
        say(f"Stopped: {session[-1].command!r} ended with status {status}. `make demo-down` cleans up.")
        return 1
    return show(session)


def show(session: tuple[Typed, ...]) -> int:
    """What a person does next: looks at the site, logs in to its admin, goes on by hand."""
    url = site_url(session)
    title = admin.log_in(url, USER, PASSWORD)
    readme = ROOT / "README.md"
    readme.write_text(placed(readme.read_text(), stable(render(session))))
    say(f"The site: {url}\n       Its admin: {url}admin/ ({title}), user {USER}, password {PASSWORD}")
    say(f'Go on by hand:\n       export PATH="{ROOT}/.venv/bin:$PATH"; cd {FOLDER}; deployer')
    return 0


def site_url(session: Sequence[Typed]) -> str:
    """What `create` said: the front has another port than 8080 where that one is taken. Empty before that."""
    found = re.search(rf"http://{APP}\.localhost(:\d+)?/", render(session))
    return found[0] if found else ""


def down() -> int:
    """The sandbox, its apps and their data, the site: gone. 0 when nothing is left of them."""
    if FOLDER.exists() and SPACE in pointers.names():
        names = names_of_the_sandbox()
        _, status = type_all((f"deployer spaces:destroy {SPACE} --confirm {SPACE}",))
        left = [line for line in leftovers() if any(name in line for name in names)]
        if status or left:
            say("Still there:\n       " + "\n       ".join(left))
            return 1
    shutil.rmtree(CACHE, ignore_errors=True)
    say("Nothing of the demo is left: no processes, mounts, namespaces, bridges")
    return 0


def names_of_the_sandbox() -> tuple[str, str]:
    """What stands in the names of everything that the kernel knows of it: its bridge's name and its folder."""
    folder = Path(pointers.load(SPACE).folder or CACHE)
    return record.load(folder).bridge, f"{folder}/"


def type_all(commands: tuple[str, ...]) -> tuple[tuple[Typed, ...], int]:
    """What was typed, up to the first command that failed, and its status."""
    session: list[Typed] = []
    for command in commands:
        typed, status = type_one(command.replace("URL", site_url(session)))
        session.append(typed)
        if status:
            return tuple(session), status
    return tuple(session), 0


def type_one(command: str) -> tuple[Typed, int]:
    """Shows the command and its output as they come, like the terminal that it plays."""
    print(f"$ {command}", flush=True)
    lines = []
    with subprocess.Popen(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=FOLDER if FOLDER.exists() else ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    return Typed(command, tuple(lines)), process.returncode


def environment() -> dict[str, str]:
    """The user's, with our commands on the path and without what a git hook or a colourful terminal would add."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "PATH": f"{ROOT / '.venv/bin'}:{kept['PATH']}", "NO_COLOR": "1", "COLUMNS": "100"}


def leftovers() -> list[str]:
    answer = subprocess.run([ROOT / "scripts/leftovers"], check=True, capture_output=True, text=True)
    return answer.stdout.splitlines()


def say(text: str) -> None:
    print(f"-----> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
