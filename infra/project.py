"""The program as a project of Pulumi's own: `pulumi up` in a folder with Pulumi.yaml, each stack a space.

The stack's configuration says what deployer notes of a space, so that both declare the same. Where it has no
`specification`, that of deployer.toml counts, which stands in the folder that `folder` names, or in one above.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi

from infra.described import described
from infra.names import last_snapshot
from infra.program import Settings, program
from infra.records import Records
from infra.resources import MAJOR
from infra.spec import Spec

MANIFEST = "deployer.toml"
Parse = Callable[[str, Any], Spec]


def run(parse: Parse | None = None) -> None:
    """Declare the stack's space. `parse` reads what deployer.toml says of it; without it, that is not looked for."""
    program(settings(pulumi.Config(), pulumi.get_stack(), parse))


def settings(config: pulumi.Config, space: str, parse: Parse | None) -> Settings:
    """What the configuration says."""
    told = config.get_object("specification")
    return Settings(
        space,
        described(told) if told else _proposed(config, space, parse),
        config.get("user-data") or "#cloud-config\n",
        snapshot=last_snapshot(space),
        image=config.get("image"),
        postgres=config.get_int("postgres") or MAJOR,
        certificate_issued=config.get_bool("certificate-issued") or False,
        zone=config.get("zone"),
        leaving=config.get_bool("leaving") or False,
        keep=config.get_bool("keep") is not False,
        boundary=config.get("boundary"),
        bucket=config.get("bucket"),
        proved=tuple(config.get_object("proved") or ()),
        records=tuple(Records(**one) for one in config.get_object("records") or ()),
    )


def _proposed(config: pulumi.Config, space: str, parse: Parse | None) -> Spec:
    found = _spaces(Path(config.get("folder") or Path.cwd())) if parse else {}
    if parse is None or space not in found:
        raise pulumi.RunError(
            f"Nothing describes the space {space}. Name the stack as deployer.toml names a space, and say that file's "
            "folder with `pulumi config set folder`; or set `specification`."
        )
    return parse(space, found[space])


def _spaces(folder: Path) -> Mapping[str, Any]:
    """`[space.NAME]` by name, of the nearest deployer.toml."""
    for one in (folder, *folder.resolve().parents):
        if (one / MANIFEST).is_file():
            spaces = tomllib.loads((one / MANIFEST).read_text()).get("space", {})
            return spaces if isinstance(spaces, dict) else {}
    return {}
