"""What spaces in AWS need of this machine: versions, Pulumi, credentials of the right account.

Each check answers within seconds, also without credentials and without a network, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from deployer.errors.base import Failure
from deployer.errors.cloud import AccountRefused, EndpointSet, EngineMissing
from deployer.operations.diagnosis import Finding
from deployer.spaces.aws import bootstrap, choice, credentials, record, tools
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.archives import COMMAND, PROVIDER, Pins, pinned
from deployer.spaces.aws.choice import Choice
from deployer.spaces.aws.credentials import PATIENCE, TRIES
from deployer.version import VERSION, is_older

HERE, THERE = "this machine", "AWS"


@dataclass(frozen=True, slots=True)
class Site:
    """What is looked at: the variables, the command's own folder, AWS or what a test has in its place, and the archives
    that there are for this machine."""

    env: Mapping[str, str]
    home: Path
    endpoint: str | None = None
    pins: Pins = field(default_factory=pinned)


@dataclass(frozen=True, slots=True)
class Meant:
    """The space that is meant: `account` is the only one that deployer.toml lets it be in, None where it says none;
    `source` says where its region is from."""

    name: str
    region: str
    source: str
    account: str | None = None


def examine(site: Site, space: Meant) -> list[Finding]:
    """Every check, those of this machine first."""
    return [
        Finding(HERE, "deployer", note=VERSION),
        _library(HERE, "boto3", "boto3", "Install deployer anew: it brings boto3 with it."),
        _library(HERE, "pulumi library", "pulumi", *tools.library_missing().paragraphs()[1:]),
        _command(site),
        _provider(site),
        *_in_aws(site, space),
    ]


def _library(where: str, check: str, name: str, advice: str) -> Finding:
    try:
        return Finding(where, check, note=version(name))
    except PackageNotFoundError:
        return Finding(where, check, "it is not installed", advice)


def _command(site: Site) -> Finding:
    """Which one is used, and why one on PATH is not."""
    try:
        found = choice.command(site.env, site.home, site.pins)
    except EngineMissing as missing:
        return _missing("pulumi command", missing)
    note = f"{found.version}, {_where(found, COMMAND)}"
    return Finding(HERE, "pulumi command", note=f"{note}; {found.passed_over}" if found.passed_over else note)


def _provider(site: Site) -> Finding:
    try:
        found = choice.provider(site.home, site.pins)
    except PackageNotFoundError:
        return Finding(HERE, "pulumi provider", "which one is wanted says the library", tools.library_missing().wanted)
    except EngineMissing as missing:
        return _missing("pulumi provider", missing)
    return Finding(HERE, "pulumi provider", note=f"aws {found.version}, {_where(found, PROVIDER)}")


def _where(found: Choice, program: str) -> str:
    return f"{found.place / program}" if found.order is None else "which the next command that needs it downloads"


def _missing(check: str, missing: EngineMissing) -> Finding:
    return Finding(HERE, check, "it is not here", missing.wanted)


def _in_aws(site: Site, space: Meant) -> Iterator[Finding]:
    """Each check rests on the one before: the first problem ends them."""
    yield Finding(THERE, "region", note=f"{space.region}, by {space.source}")
    if name := tools.astray(site.env):
        yield _problem("endpoint", EndpointSet(name, site.env[name]))
        return
    try:
        yield Finding(THERE, "credentials", note=credentials.place())
    except Failure as failure:
        yield _problem("credentials", failure)
        return
    try:
        found = credentials.identity(space.region, site.endpoint)
    except Failure as failure:
        yield _problem("account", failure)
        return
    if space.account not in (None, found.account):
        yield _problem("account", AccountRefused(space.name, found.account, str(space.account)))
        return
    yield Finding(THERE, "account", note=f"{found.account}, {found.arn}")
    yield _space(Account(space.region, site.endpoint, TRIES, PATIENCE), space.name, found.account)


def _space(account: Account, name: str, number: str) -> Finding:
    """What the account says of the space."""
    try:
        with asking():
            state = bootstrap.find(account, name)
        if state is None or state.step < len(bootstrap.STEPS):
            return Finding(THERE, "space", note=f"{name} is not made yet")
        known = record.load(record.store_of(account, state))
    except Failure as failure:
        return _problem("space", failure)
    if known is None:
        return Finding(THERE, "space", note=f"{name} is not made yet")
    if known.account != number:
        return _problem("space", AccountRefused(name, number, known.account))
    if is_older(VERSION, known.tool):
        newer = f"{name} was changed by deployer {known.tool}, and this is {VERSION}"
        return Finding(THERE, "space", newer, "Install that version, or a later one.")
    return Finding(THERE, "space", note=f"{name}, {known.spec.shape}")


def _problem(check: str, failure: Failure) -> Finding:
    """A failure in a line, with its advice."""
    *said, advice = failure.paragraphs()
    return Finding(THERE, check, " ".join(" ".join(said).split()), advice)
