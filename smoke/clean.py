"""`clean`: shows what runs have left in AWS, asks, and takes it away: by `deployer down` where the state is there, and
thing by thing where it is not, where that does not get to the end, or where Pulumi is not here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from deployer.spaces.aws import bootstrap
from deployer.spaces.aws.account import asking
from deployer.spaces.aws.proof import Left
from infra.spec import Spec
from smoke import ends, leftovers
from smoke.place import Place, Typed, type_one
from smoke.rungs import described
from smoke.sweep import sweep

Ask = Callable[[str], str]
# How deployer says that somebody else is at work.
BUSY = ("still works on", "may still work there", "is changing")


def clean(place: Place, folder: Path, write: Callable[[str], object], ask: Ask | None) -> int:
    """The exit status: 0 where nothing is left. `ask` is None where nobody is asked."""
    account = place.account
    with asking():
        number = account.number()
    write(f"Account {number}, {account.region}\n")
    found = leftovers.spaces(account)
    for space, left in found.items():
        write(f"=== {space}\n{listed(left)}\n")
    if not found:
        write(f"Nothing of a smoke run is left in {account.region}.\n")
        return 0
    if ask and ask(f"Delete all of it in the account {number}, with all data? (yes/no) ").strip().lower() != "yes":
        write("Nothing was deleted.\n")
        return 1
    still = [one for space in found for one in take_away(place, space, folder, write)]
    write("".join(f" !     Still there: {one}\n" for one in still) or "Nothing of a smoke run is left: $0.00.\n")
    return 1 if still else 0


def listed(found: list[Left]) -> str:
    """How many of each kind, and their names."""
    counts = Counter(one.kind for one in found)
    lines = [
        f"  {count} {kind}: {', '.join(one.name for one in found if one.kind == kind)}"
        for kind, count in counts.items()
    ]
    return "\n".join(lines)


def take_away(place: Place, space: str, folder: Path, write: Callable[[str], object]) -> list[Left]:
    """All of one space; what is still there. Nothing is deleted under the hands of somebody who still works on it."""
    if place.deployer and _has_state(place, space):
        typed = _down(place, space, folder, write)
        if _is_busy(typed):
            return leftovers.of(place.account, space)
        if typed.status == 0:
            with asking():
                ends.remove(place.account, space)
    if not leftovers.of(place.account, space):
        return []
    write(f"-----> Deleting what is left of {space}, thing by thing\n")
    return sweep(place, space, lambda text: write(f"{text}\n"))


def _has_state(place: Place, space: str) -> bool:
    with asking():
        state = bootstrap.find(place.account, space)
    return state is not None and state.step == len(bootstrap.STEPS)


def _down(place: Place, space: str, folder: Path, write: Callable[[str], object]) -> Typed:
    """`deployer down`, again and again while Pulumi of a run that was killed finishes what it does."""
    (folder / "deployer.toml").write_text(described(space, Spec(place.account.region)))
    words = ("down", "--space", space, "--delete-data", "--confirm", space)
    typed = [type_one(place, folder, words, write)]

    def is_over() -> bool:
        if _is_busy(typed[-1]):
            typed.append(type_one(place, folder, words, write))
        return not _is_busy(typed[-1])

    place.wait(is_over)
    return typed[-1]


def _is_busy(typed: Typed) -> bool:
    return typed.status != 0 and any(busy in line for line in typed.lines for busy in BUSY)
