"""`make demo` and `make demo-down`: types what the README says into a terminal, and writes down what it saw."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from demo import admin, site
from demo.transcript import Typed, placed, render, stable

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache" / "demo"
APP = "my-portfolio-app"
SPACE = "sandbox"
# What the names of a sandbox's processes, mounts, links and namespaces contain.
OURS = ("deployer", "dpl", SPACE)
FOLDER = CACHE / APP
URL = f"http://{APP}.localhost:8080/"
GREETING = "home/templates/home/welcome_page.html"
USER, PASSWORD = "admin", "only-for-the-demo"

LOOK = f"curl -s {URL} | grep '<h1>'"
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
    if words not in (["up"], ["down"]):
        print("usage: python -m demo up|down", file=sys.stderr)
        return 2
    return up() if words == ["up"] else down()


def up() -> int:
    """The site, the session, its picture in the README, and a login to the admin as the proof."""
    if FOLDER.exists() and down():
        return 1
    say(f"Making the site in {FOLDER.relative_to(ROOT)} from Wagtail's own template")
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "before").write_text(leftovers())
    site.make(FOLDER)
    session, status = type_all(SESSION)
    (CACHE / "transcript.txt").write_text(render(session))
    if status:
        say(f"Stopped: {session[-1].command!r} ended with status {status}. `make demo-down` cleans up.")
        return 1
    title = admin.log_in(URL, USER, PASSWORD)
    readme = ROOT / "README.md"
    readme.write_text(placed(readme.read_text(), stable(render(session))))
    say(f"The site: {URL}\n       Its admin: {URL}admin/ ({title}), user {USER}, password {PASSWORD}")
    say(f'Go on by hand:\n       export PATH="{ROOT}/.venv/bin:$PATH"; cd {FOLDER}; deployer')
    return 0


def down() -> int:
    """The sandbox, its apps and their data, the site: gone. 0 when nothing is left of them."""
    _, status = type_all((f"deployer spaces:destroy {SPACE} --confirm {SPACE}",))
    before = CACHE / "before"
    new = sorted(set(leftovers().splitlines()) - set(before.read_text().splitlines())) if before.exists() else []
    left = [line for line in new if any(name in line for name in OURS)]
    if left:
        say("Still there:\n       " + "\n       ".join(left))
    if status or left:
        return 1
    shutil.rmtree(CACHE, ignore_errors=True)
    say("Nothing of the demo is left: no processes, mounts, namespaces, bridges")
    return 0


def type_all(commands: tuple[str, ...]) -> tuple[tuple[Typed, ...], int]:
    """What was typed, up to the first command that failed, and its status."""
    session: list[Typed] = []
    for command in commands:
        typed, status = type_one(command)
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


def leftovers() -> str:
    return subprocess.run([ROOT / "scripts/leftovers"], check=True, capture_output=True, text=True).stdout


def say(text: str) -> None:
    print(f"-----> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
