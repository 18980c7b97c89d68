"""What AWS has today of what a space is pinned to: Debian's newest image, and versions of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deployer.spaces.aws.account import Account, asking
from infra.resources import IMAGES


@dataclass(frozen=True, slots=True)
class Postgres:
    """`version` is the one that runs, `17.4`; `majors` are those that RDS can bring it to, in their order."""

    version: str
    majors: tuple[int, ...]

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])


def image(account: Account, architecture: str) -> str:
    """The id of Debian's newest image, by the public parameter that Debian keeps."""
    with asking():
        found = account.client("ssm").get_parameter(Name=IMAGES.format(architecture=architecture))
    return str(found["Parameter"]["Value"])


def names(account: Account, images: Iterable[str]) -> dict[str, str]:
    """What images are called, those that are still there: the name has the day in it."""
    wanted = [{"Name": "image-id", "Values": sorted(images)}]
    with asking():
        found = account.client("ec2").describe_images(Filters=wanted)["Images"]
    return {one["ImageId"]: one.get("Name", "") for one in found}


def postgres(account: Account, identifier: str) -> Postgres:
    """Of the instance of RDS of that name."""
    client = account.client("rds")
    with asking():
        found = client.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
        version = str(found["EngineVersion"])
        known = client.describe_db_engine_versions(Engine="postgres", EngineVersion=version)["DBEngineVersions"]
    targets = [target for one in known for target in one["ValidUpgradeTarget"] if target["IsMajorVersionUpgrade"]]
    return Postgres(version, tuple(sorted({int(one["EngineVersion"].partition(".")[0]) for one in targets})))
