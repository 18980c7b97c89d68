"""The command line of `scripts/aws-smoke`."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

from deployer.errors.base import Failure
from deployer.errors.cloud import EngineMissing
from deployer.operations import prices
from deployer.spaces.aws.account import asking
from infra.regions import DEFAULT, REGIONS
from infra.resources import resources
from infra.spec import Spec
from smoke import clean, costs
from smoke.costs import Cost, TooDear
from smoke.ends import End
from smoke.place import Place, bare, real
from smoke.record import Record
from smoke.run import INTERRUPTED, Run, play
from smoke.rungs import NAMES, PREFIX, Rung, chosen, specs

ROOT = Path(__file__).parent.parent
RECORDS = ROOT / ".cache/smoke"
REFUSED = 2


def main(words: list[str]) -> int:
    """The exit status: 0 done and nothing left, 1 something is not as it should be, 2 not begun, 130 interrupted."""
    options = parser().parse_args(words)
    try:
        with tempfile.TemporaryDirectory(prefix="deployer-smoke-") as folder, _place(options, Path(folder)) as place:
            work = Path(folder) / "work"
            work.mkdir()
            ask = None if options.emulated else _ask
            if options.do == "clean":
                return clean.clean(place, work, write, ask)
            return run(place, options, work, ask)
    except TooDear as refused:
        write(f" !     {refused}\n")
        return REFUSED
    except Failure as failure:
        write("".join(f" !     {line}".rstrip() + "\n" for line in str(failure).splitlines()))
        return failure.exit_status
    except KeyboardInterrupt:
        write("\nInterrupted. `scripts/aws-smoke clean` shows what is left in AWS, and takes it away.\n")
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Of the command line."""
    found = argparse.ArgumentParser(prog="scripts/aws-smoke", description=sys.modules["smoke"].__doc__)
    found.add_argument("--emulated", action="store_true", help="in the emulator of the tests: no account, no question")
    does = found.add_subparsers(dest="do", required=True)
    run = does.add_parser("run", help="make a space, look at it, take it down")
    run.add_argument("--rung", action="append", choices=NAMES, default=[], help="this one alone; several times")
    run.add_argument("--cap", type=_dollars, default=costs.CAP, metavar="DOLLARS", help=f"{costs.CAP} by default")
    hours = range(1, costs.LONGEST + 1)
    run.add_argument("--hours", type=int, choices=hours, default=costs.DURATION, metavar="N", help="until AWS ends it")
    run.add_argument("--domain", help="whose zone is in Route 53 of the account")
    run.add_argument("--record", type=Path, help="a folder for what was seen")
    cleaning = does.add_parser("clean", help="take away what runs have left")
    for one in (run, cleaning):
        one.add_argument("--region", choices=REGIONS, default=DEFAULT, metavar="REGION", help=DEFAULT)
    return found


def run(place: Place, options: argparse.Namespace, folder: Path, ask: clean.Ask | None) -> int:
    """Reckon, show, ask, play."""
    with asking():
        number = place.account.number()
    space, first = f"{PREFIX}{secrets.token_hex(3)}", Spec(place.account.region, account=number)
    rungs = chosen(options.rung)
    planned = list(specs(rungs, first, place.domain))
    cost = costs.checked([spec for _, spec in planned], prices.load(), options.hours, options.cap)
    end = End(space, (datetime.now(UTC) + timedelta(hours=options.hours)).replace(second=0, microsecond=0))
    for line in shown(space, number, planned, cost, end, options.cap):
        write(f"{line}\n")
    if ask and ask(f"Do this in the account {number}? (yes/no) ").strip().lower() != "yes":
        write("Nothing was made.\n")
        return 1
    record = Record(options.record or RECORDS / space, space, write)
    return play(Run(place, end, folder, record, write), rungs, first)


def shown(
    space: str, account: str, planned: list[tuple[Rung, Spec]], cost: Cost, end: End, cap: Decimal
) -> Iterator[str]:
    """What is said before the question."""
    yield f"=== {space} in the account {account}, {planned[0][1].region}"
    for (rung, spec), hourly in zip(planned, cost.hourly, strict=True):
        yield f"{rung.name + ':':<10} ${hourly:.3f} an hour for {spec.shape}: {', '.join(spec.sizes)}"
        yield f"{'':<10} {rung.about}"
    most = max((spec for _, spec in planned), key=lambda spec: len(resources(space, spec)))
    yield f"At most {len(resources(space, most))} resources. One host more is reckoned, for while one is replaced."
    yield f"${cost.most} at most until {end.at:%Y-%m-%d %H:%M} UTC; the cap is ${cap}."
    yield "The run ends by taking all of it down. Should this machine fail meanwhile, AWS itself ends the hosts and"
    yield f"stops the database at that time. What stays then costs ${cost.after:.3f} an hour at most, until somebody"
    yield "types `scripts/aws-smoke clean`, on any machine with credentials."


@contextmanager
def _place(options: argparse.Namespace, folder: Path) -> Iterator[Place]:
    domain = getattr(options, "domain", None)
    if not options.emulated:
        yield _in_aws(options, folder / "names", domain)
        return
    from smoke.emulated import emulator

    with emulator(folder, options.region, domain) as place:
        yield place


def _in_aws(options: argparse.Namespace, home: Path, domain: str | None) -> Place:
    try:
        return real(options.region, home, domain)
    except EngineMissing as missing:
        if options.do != "clean":
            raise
        write(f" !     {missing.headline.format_map(missing.facts())} Things are deleted one by one instead.\n")
        return bare(options.region)


def _dollars(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"{text} are no dollars") from error


def _ask(question: str) -> str:
    if not sys.stdin.isatty():
        write(" !     Nobody is here to be asked.\n")
        return ""
    return input(question)


def write(text: str) -> None:
    """On the screen, at once."""
    print(text, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
