"""What makes things in AWS from this machine: the account, and Pulumi's engine. Tests have others, on loopback."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from deployer.build.folders import data_folder
from deployer.errors.cloud import EndpointSet, EngineMissing
from deployer.model.events import Tell, Warn
from deployer.spaces.aws import choice
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.archives import Pins, pinned
from deployer.spaces.aws.bootstrap import State
from deployer.spaces.aws.download import have
from deployer.spaces.aws.pulumi_lock import STATES
from infra.engine import PROJECT, Engine

LEADS_ASTRAY = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_STS")


@dataclass(frozen=True)
class Tools:
    """`root` holds bin/pulumi; `endpoint` is None for AWS itself; `env` are further variables of the command. `ready`
    has what the engine consists of downloaded, where it is not here yet: before the engine is made, or earlier."""

    root: Path
    home: Path
    endpoint: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    patience: float = 600.0  # seconds that AWS may take to forget what was deleted
    arrival: float = 900.0  # seconds that hosts get to join; with none nobody waits for them
    ready: Callable[[], None] = lambda: None

    def account(self, region: str) -> Account:
        return Account(region, self.endpoint)

    def engine(self, account: Account, state: State) -> Engine:
        """The engine, with its state in the state bucket."""
        self.ready()
        place = f"s3://{state.bucket}/{STATES}?region={account.region}"
        if self.endpoint:
            place += f"&endpoint={self.endpoint}&s3ForcePathStyle=true"
        return Engine(self.root, place, state.passphrase, self.home, self._env(account))

    @contextmanager
    def reading(self, account: Account, state: State | None) -> Iterator[Engine]:
        """The engine over a copy of the state, or over none: to open the bucket with it would write there."""
        self.ready()
        with tempfile.TemporaryDirectory(prefix="deployer-state-") as folder:
            if state:
                with asking():
                    copy_state(account, state, Path(folder))
            secret = state.passphrase if state else "nothing is secret in a state that is thrown away"
            yield Engine(self.root, f"file://{folder}", secret, self.home, self._env(account))

    def _env(self, account: Account) -> dict[str, str]:
        return {"AWS_REGION": account.region, **self.env}


def copy_state(account: Account, state: State, folder: Path) -> None:
    """Copy Pulumi's own files of a space to where its file back end looks for them."""
    s3 = account.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=state.bucket, Prefix=f"{STATES}/.pulumi/"):
        for one in page.get("Contents", []):
            path = one["Key"].removeprefix(f"{STATES}/")
            if path.startswith((".pulumi/meta.", f".pulumi/stacks/{PROJECT}/{state.space}.json")):
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(s3.get_object(Bucket=state.bucket, Key=one["Key"])["Body"].read())


def of_this_machine(env: Mapping[str, str], tell: Tell, pins: Pins | None = None) -> Tools:
    """Those of this machine; what of the engine is not here yet comes when it is needed, or fails with a failure of
    errors.archives. EndpointSet, EngineMissing."""
    if name := astray(env):
        raise EndpointSet(name, env[name])
    if find_spec("pulumi_aws") is None:
        raise library_missing()
    home, pins = home_here(), pins or pinned()
    command, provider = choice.command(env, home, pins), choice.provider(home, pins)

    def ready() -> None:
        if command.order and command.passed_over:
            tell(Warn(command.passed_over))
        for order in filter(None, (command.order, provider.order)):
            have(order, tell)

    return Tools(command.place, home, ready=ready)


def astray(env: Mapping[str, str]) -> str | None:
    """The variable that leads elsewhere what is meant for AWS, if there is one."""
    return next((name for name in LEADS_ASTRAY if env.get(name)), None)


def home_here() -> Path:
    """The command's own folder on this machine."""
    return data_folder() / "pulumi"


def library_missing() -> EngineMissing:
    """The failure that says how to get it."""
    return EngineMissing("Pulumi's library", "Install deployer with it: `pip install 'deployer-cli[aws]'`")
