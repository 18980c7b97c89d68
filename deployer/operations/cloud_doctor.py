"""What is wrong with a space in AWS: what it needs of this machine, its account, and its hosts as its group has them.

Each check answers within seconds, also without credentials and without a network, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from deployer.errors.base import Failure
from deployer.errors.cloud import AccountRefused, EndpointSet, EngineMissing
from deployer.errors.store import StoreMissing
from deployer.model.space import StoreAddress
from deployer.operations import cloud_group
from deployer.operations.cloud_diagnosis import THERE, of_group, problem
from deployer.operations.diagnosis import Finding
from deployer.spaces.aws import bootstrap, choice, credentials, record, tools
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.archives import COMMAND, PROVIDER, Pins, pinned
from deployer.spaces.aws.choice import Choice
from deployer.spaces.aws.credentials import PATIENCE, TRIES
from deployer.spaces.aws.record import Record
from deployer.store.s3 import S3Store
from deployer.version import VERSION, is_older

HERE = "this machine"


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
    `source` says where its region is from; `state` is its state bucket, where this machine knows it: whoever works on
    apps may read that, and not what leads there."""

    name: str
    region: str
    source: str
    account: str | None = None
    state: StoreAddress | None = None


@dataclass
class Looked:
    """What was found. `answers` says that AWS does, and that the account is the space's; `known` is what is noted of
    the space, None where nothing is, or not for whoever asks; `gone` are hosts that AWS does not have any more."""

    findings: list[Finding]
    account: Account
    answers: bool = False
    known: Record | None = None
    gone: frozenset[str] = frozenset()


def examine(site: Site, space: Meant) -> list[Finding]:
    """Every check but those of hosts, those of this machine first."""
    return look(site, space).findings


def look(site: Site, space: Meant) -> Looked:
    """The same, with what it came upon."""
    findings = [
        Finding(HERE, "deployer", note=VERSION),
        _library(HERE, "boto3", "boto3", "Install deployer anew: it brings boto3 with it."),
        _library(HERE, "pulumi library", "pulumi", *tools.library_missing().paragraphs()[1:]),
        _command(site),
        _provider(site),
        Finding(THERE, "region", note=f"{space.region}, by {space.source}"),
    ]
    looked = Looked(findings, Account(space.region, site.endpoint, TRIES, PATIENCE))
    _in_aws(site, space, looked)
    return looked


def look_at_hosts(looked: Looked) -> None:
    """The space's hosts too, as its group and its store have them, where it has some and somebody says."""
    known = looked.known
    if known is None or "group" not in known.outputs:
        return
    try:
        seen = cloud_group.look(looked.account, known)
    except Failure as failure:
        looked.findings.append(problem(THERE, "hosts", failure))
        return
    looked.gone = seen.gone
    looked.findings += of_group(seen, known.name, known.spec.region)


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


def _in_aws(site: Site, space: Meant, looked: Looked) -> None:
    """Each check rests on the one before: the first problem ends them."""
    found = looked.findings
    if name := tools.astray(site.env):
        found.append(problem(THERE, "endpoint", EndpointSet(name, site.env[name])))
        return
    try:
        found.append(Finding(THERE, "credentials", note=credentials.place()))
    except Failure as failure:
        found.append(problem(THERE, "credentials", failure))
        return
    try:
        mine = credentials.identity(space.region, site.endpoint)
    except Failure as failure:
        found.append(problem(THERE, "account", failure))
        return
    if space.account not in (None, mine.account):
        found.append(problem(THERE, "account", AccountRefused(space.name, mine.account, str(space.account))))
        return
    found.append(Finding(THERE, "account", note=f"{mine.account}, {mine.arn}"))
    looked.answers = True
    found.append(_space(looked, space, mine.account))


def _space(looked: Looked, space: Meant, number: str) -> Finding:
    """What the account says of the space."""
    name = space.name
    try:
        known = _known(looked.account, space)
    except Failure as failure:
        return problem(THERE, "space", failure)
    if known is None:
        return Finding(THERE, "space", note=f"{name} is not made yet")
    if known.account != number:
        looked.answers = False
        return problem(THERE, "space", AccountRefused(name, number, known.account))
    looked.known = known
    if is_older(VERSION, known.tool):
        newer = f"{name} was changed by deployer {known.tool}, and this is {VERSION}"
        return Finding(THERE, "space", newer, "Install that version, or a later one.")
    return Finding(THERE, "space", note=f"{name}, {known.spec.shape}")


def _known(account: Account, space: Meant) -> Record | None:
    if space.state is not None:
        try:
            return record.load(S3Store(space.state))
        except StoreMissing:
            return None
    with asking():
        state = bootstrap.find(account, space.name)
    if state is None or state.step < len(bootstrap.STEPS):
        return None
    return record.load(record.store_of(account, state))
