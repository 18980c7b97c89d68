"""The databases: PostgreSQL by RDS, reached by hosts alone and by TLS only. One that all apps share, where the
specification has one, and those that one add-on each has to itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.network import Network
from infra.components.noun import TOOL, Noun
from infra.components.rules import allow_in, group
from infra.names import name, own_database, own_snapshot
from infra.spec import Origin, OwnDatabase, Spec

PORT = (5432, 5432)
MASTER = "deployer"  # no app uses it: each gets a role of its own
BACKUPS = 7  # days
FINAL = "final_snapshot_identifier"
FILLED = ["snapshot_identifier", "restore_to_point_in_time"]  # counts once: what it was filled from may be gone since


@dataclass(frozen=True, slots=True)
class End:
    """How a database goes, should it: `snapshot` is the name of the last one of the space's own. What was in force when
    it was last brought up to date counts, so that one who is `leaving` does that first; without `keep` no snapshot and
    no backup stays."""

    snapshot: str
    leaving: bool = False
    keep: bool = True


class Database(Noun):
    """`endpoint` is host:port of the one that apps share, `secret` the ARN of its master's password, which AWS makes
    and changes; both are None where there is none."""

    def __init__(
        self,
        space: str,
        spec: Spec,
        network: Network,
        hosts: pulumi.Input[str],
        major: int,
        end: End,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(space, "database", opts)
        own = group(self, "database", "The database of the space", network.vpc.id)
        allow_in(self, "database-hosts", own.id, PORT, referenced_security_group_id=hosts)
        self._major, self._end = major, end
        subnets, parameters = self._subnets(network), self._parameters(major)
        self._around = {
            "db_subnet_group_name": subnets.name,
            "parameter_group_name": parameters.name,
            "vpc_security_group_ids": [own.id],
        }
        self.endpoint = self.secret = None
        if spec.database:
            made = self._shared(spec.database.size, spec.database.storage)
            self.endpoint = made.endpoint
            self.secret = made.master_user_secrets.apply(lambda found: found[0]["secret_arn"] if found else None)
        for one in spec.databases:
            self._own(one)
        self.leave(endpoint=self.endpoint)

    def _subnets(self, network: Network) -> aws.rds.SubnetGroup:
        return aws.rds.SubnetGroup(
            name(self.space, "subnet-group", "database"),
            subnet_ids=network.data,
            tags=self.tags("database"),
            opts=self.inside,
        )

    def _parameters(self, major: int) -> aws.rds.ParameterGroup:
        """Its name has the major version: a new one is made beside the old, and the databases move over."""
        return aws.rds.ParameterGroup(
            name(self.space, "parameter-group", f"postgres{major}"),
            family=f"postgres{major}",
            parameters=[{"name": "rds.force_ssl", "value": "1"}],
            tags=self.tags("database"),
            opts=self.inside,
        )

    def _shared(self, size: str, storage: int) -> aws.rds.Instance:
        tags = self.tags("database")
        return self._instance(name(self.space, "database"), tags, size, storage, self._end.snapshot, {})

    def _own(self, one: OwnDatabase) -> aws.rds.Instance:
        last = own_snapshot(self.space, one.addon, self._end.snapshot)
        filled = _filled(one.origin) if one.origin else {}
        called = own_database(self.space, one.addon)
        whose = {f"{TOOL}:app": one.app, f"{TOOL}:database": one.database}
        tags = {**self.tags(f"database-{one.addon}"), **{key: value for key, value in whose.items() if value}}
        return self._instance(called, tags, one.size, one.storage, last, filled)

    def _instance(
        self, called: str, tags: dict[str, str], size: str, storage: int, last: str, filled: Mapping[str, Any]
    ) -> aws.rds.Instance:
        """A new name of the last snapshot at each run is no reason to touch it: only the one that it goes by counts."""
        end = self._end
        ignored = [*FILLED, *([] if end.leaving else [FINAL])]
        return aws.rds.Instance(
            called,
            engine="postgres",
            engine_version=str(self._major),  # AWS moves the minor one by itself
            auto_minor_version_upgrade=True,
            allow_major_version_upgrade=True,  # it is pinned: only a new pin moves it
            instance_class=size,
            allocated_storage=storage,
            storage_type="gp3",
            storage_encrypted=True,
            username=MASTER,
            manage_master_user_password=True,
            publicly_accessible=False,
            backup_retention_period=BACKUPS,
            copy_tags_to_snapshot=True,
            delete_automated_backups=not end.keep,
            deletion_protection=not end.leaving,
            skip_final_snapshot=not end.keep,
            final_snapshot_identifier=last,
            apply_immediately=True,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=ignored),
            **self._around,
            **filled,
        )


def _filled(origin: Origin) -> dict[str, Any]:
    """The inputs by which RDS fills a new instance."""
    if origin.snapshot:
        return {"snapshot_identifier": origin.snapshot}
    when = {"restore_time": origin.time} if origin.time else {"use_latest_restorable_time": True}
    return {"restore_to_point_in_time": {"source_db_instance_identifier": origin.instance, **when}}
