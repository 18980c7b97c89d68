"""`git-remote-deployer REMOTE URL`: what git runs for a remote `deployer::SPACE/APP`.

Speaks git's protocol for remote helpers (gitremote-helpers(7)) on standard input and output; everything for people
goes to standard error, or through the hook behind `remote: `.
"""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.cli.deploy import ON_HOST
from deployer.cli.interrupts import undoing_once
from deployer.cli.main import explain, explanation, notes, prefixed
from deployer.cli.narrate import Narrator
from deployer.cli.shell import Shell, this_shell
from deployer.errors.base import Failure
from deployer.errors.push import BadPushOption, BadRemoteUrl, FetchNotSupported
from deployer.operations.checkout import parse_url

if TYPE_CHECKING:
    from deployer.operations.change import Change
    from deployer.operations.push import Hook, Pushed
    from deployer.operations.session import OpenSpace

WAIT = 600.0  # seconds that a push waits for another command on the same app
INTERRUPTED = 130
SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)


def run(argv: Sequence[str] | None = None) -> int:
    """Answer git until it has what it wanted; the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    shell = this_shell()
    try:
        with undoing_once():
            return _converse(shell, words)
    except Failure as failure:
        return explain(failure, shell)
    except KeyboardInterrupt as interrupt:
        _say_interrupted(interrupt)
        return INTERRUPTED


def _converse(shell: Shell, words: list[str]) -> int:
    text = words[-1] if words else ""
    target = parse_url(text if text.startswith("deployer::") else f"deployer::{text}")
    if target is None:
        raise BadRemoteUrl(text)
    for line in iter(sys.stdin.readline, ""):
        if line == "capabilities\n":
            print("connect\n", flush=True)
        elif line == "connect git-receive-pack\n":
            return _push(shell, *target)
        elif line.startswith("connect "):
            raise FetchNotSupported(*target)
    return 0


def _push(shell: Shell, space_name: str, app: str) -> int:
    from deployer.operations import domain_wait, own_databases

    with shell.opening(shell.pointers.load(space_name)) as space:
        own_databases.meet(space, app, shell.tell)
        domain_wait.meet(space, app, shell.tell)
        return _receive(shell, space, app)


def _receive(shell: Shell, space: OpenSpace, app: str) -> int:
    from deployer.operations import push, push_repository
    from deployer.operations.change import changing

    with (
        changing(space, app, "git push", shell.tell, WAIT) as change,
        push.listening() as (address, listener),
    ):
        release = change.state.release
        raw = release.commit_object if release else None
        bare = push_repository.prepare(space.space.name, app, raw, push.hook_text(address))
        print(flush=True)  # an empty line says: connected; from here git speaks its pack protocol
        on_host = bool(shell.env.get(ON_HOST))
        return push.receive(bare, listener, lambda pushed, hook: _deploy(change, pushed, hook, on_host=on_host))


def _deploy(change: Change, pushed: Pushed, hook: Hook, *, on_host: bool) -> int:
    """Build and release the commit; 1, with its words in the pusher's terminal, where that fails."""
    from deployer.build.source import from_git
    from deployer.operations.deploy import Order, deploy_held
    from deployer.operations.serving import named_at_the_end

    change.tell = Narrator(hook.say)
    words = ["git", "cat-file", "commit", pushed.commit]
    raw = subprocess.run(words, env=pushed.env, check=True, stdout=subprocess.PIPE).stdout
    try:
        watch = watch_of(pushed.env)
        source = from_git(Path(pushed.env["GIT_DIR"]), pushed.commit, pushed.env)
        described = f"Deploy {pushed.commit[:8]}"
        order = Order(source, described, base64.b64encode(raw).decode(), again=True, watch=watch, on_host=on_host)
        with named_at_the_end(change.space, change.app.name):
            deploy_held(change, order)
    except Failure as failure:
        hook.say(explanation(failure))
        return 1
    except KeyboardInterrupt as interrupt:
        _say_interrupted(interrupt)
        return 1
    return 0


def watch_of(env: Mapping[str, str]) -> float | None:
    """The seconds of `git push -o watch=SECONDS`, by what git tells its hooks (githooks(5)); BadPushOption for any
    other option: whoever gives one means something by it."""
    count = int(env.get("GIT_PUSH_OPTION_COUNT", "0"))
    seconds = None
    for option in (env[f"GIT_PUSH_OPTION_{number}"] for number in range(count)):
        name, _, value = option.partition("=")
        if name != "watch" or not SECONDS.fullmatch(value):
            raise BadPushOption(option)
        seconds = float(value)
    return seconds


def _say_interrupted(interrupt: KeyboardInterrupt) -> None:
    """Straight to the terminal: git, which shows what the hook says, has got the same Ctrl-C and is gone."""
    sys.stderr.write("\n" + prefixed("\n".join(["Interrupted.", *notes(interrupt)])))
    sys.stderr.flush()
