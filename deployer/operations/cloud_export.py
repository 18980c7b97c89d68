"""A space in AWS without deployer: a project of Pulumi's own, with a copy of the space's state."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import infra
from deployer.errors.cloud import FolderTaken, SpaceNotMade, StateLocked
from deployer.errors.lease import LeaseHeld
from deployer.operations import cloud, cloud_locks
from deployer.spaces.aws import bootstrap, domain
from deployer.spaces.aws.account import Account, asking
from deployer.spaces.aws.domain import Domain
from deployer.spaces.aws.pulumi_lock import STATES
from deployer.spaces.aws.record import Record
from deployer.spaces.aws.tools import Tools, copy_state
from infra.described import describe
from infra.engine import PROJECT

STATE = "state"
PROGRAM = (
    "described",
    "kinds",
    "names",
    "policies",
    "program",
    "project",
    "records",
    "resources",
    "sizes",
    "spec",
    "subnets",
)
MAIN = '''"""What Pulumi.yaml starts. The stack's configuration says what it declares."""

from infra.project import run

run()
'''
READ_ME = Path(__file__).with_name("cloud_export.md")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the state lies in `bucket`, too, until somebody deletes it there."""

    name: str
    folder: Path
    bucket: str
    passphrase: str  # the name of the parameter that has it


def export(tools: Tools, name: str, region: str, folder: Path) -> Exported:
    """Write the project; nothing in AWS is changed. FolderTaken, SpaceNotMade, LeaseHeld, StateLocked."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderTaken(str(folder))
    known = cloud.info(tools, name, region)
    _refuse_changing(tools, name, region)
    account = tools.account(region)
    with asking():
        state = bootstrap.find(account, name)
        if state is None:
            raise SpaceNotMade(name, known.account, region)
        copy_state(account, state, folder / STATE)
    found = Exported(name, folder, state.bucket, bootstrap.passphrase_name(name))
    _write(
        account,
        found,
        known,
        domain.look(account, name, known.spec),
        _salt(folder / STATE / f".pulumi/stacks/{PROJECT}/{name}.json"),
    )
    return found


def _refuse_changing(tools: Tools, name: str, region: str) -> None:
    """A copy that is taken while somebody changes the space would be old at once."""
    locks = cloud_locks.look(tools, name, region)
    if (held := locks.lease) is not None:
        raise LeaseHeld(name, held.user, held.host, held.pid, held.command, round(locks.left))
    if locks.pulumi:
        raise StateLocked(name)


def _salt(checkpoint: Path) -> str:
    """Of the passphrase, as the state has it."""
    found = json.loads(checkpoint.read_text())["checkpoint"]["latest"]["secrets_providers"]["state"]["salt"]
    return str(found)


def _write(account: Account, found: Exported, known: Record, there: Domain | None, salted: str) -> None:
    texts = {
        "Pulumi.yaml": _project(known.name),
        f"Pulumi.{known.name}.yaml": _stack(cloud.settings(account, known, there), salted),
        "__main__.py": MAIN,
        "requirements.txt": "".join(f"{one}=={version(one)}\n" for one in ("pulumi", "pulumi-aws")),
        "README.md": _read_me(found, known),
    }
    for path, text in texts.items():
        (found.folder / path).write_text(text)
    _copy_program(Path(infra.__file__).parent, found.folder / "infra")


def _copy_program(source: Path, target: Path) -> None:
    """The part of infra/ that declares things: it imports nothing of ours but itself."""
    (target / "components").mkdir(parents=True)
    for path in [source / "__init__.py", *(source / f"{one}.py" for one in PROGRAM), *source.glob("components/*.py")]:
        shutil.copyfile(path, target / path.relative_to(source))


def _project(name: str) -> str:
    return _yaml(
        {
            "name": PROJECT,
            "description": f"The space {name} in AWS, as deployer made it",
            "runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}},
            "backend": {"url": f"file://{STATE}"},
        }
    )


def _stack(settings: Any, salted: str) -> str:
    """The stack's configuration: what deployer notes of the space."""
    told = {
        "specification": describe(settings.spec),
        "user-data": settings.user_data,
        "image": settings.image,
        "postgres": settings.postgres,
        "certificate-issued": settings.certificate_issued,
        "zone": settings.zone,
        "boundary": settings.boundary,
        "bucket": settings.bucket,
        "proved": list(settings.proved) or None,
        "records": [asdict(one) for one in settings.records] or None,
    }
    config = {f"{PROJECT}:{key}": value for key, value in told.items() if value is not None}
    return _yaml({"encryptionsalt": salted, "config": config})


def _yaml(told: Mapping[str, Any]) -> str:
    """One key a line; tables of tables one key a line, too. What JSON is, is YAML."""
    lines: list[str] = []
    for key, value in told.items():
        if key == "config":
            lines += [f"{key}:", *(f"  {inner}: {json.dumps(one)}" for inner, one in value.items())]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    return "\n".join([*lines, ""])


def _read_me(found: Exported, known: Record) -> str:
    return READ_ME.read_text().format(
        space=known.name,
        region=known.spec.region,
        account=known.account,
        passphrase=found.passphrase,
        bucket=f"s3://{found.bucket}/{STATES}?region={known.spec.region}",
        state=STATE,
    )
