"""The database: PostgreSQL by RDS, reached by hosts alone and by TLS only."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.network import Network
from infra.components.noun import Noun
from infra.components.rules import allow_in, group
from infra.names import name
from infra.spec import Spec

PORT = (5432, 5432)
MASTER = "deployer"  # no app uses it: each gets a role of its own
BACKUPS = 7  # days
FINAL = "final_snapshot_identifier"


@dataclass(frozen=True, slots=True)
class End:
    """How the database goes, should it: `snapshot` is the name of its last one. What was in force when it was last
    brought up to date counts, so that one who is `leaving` does that first; without `keep` no snapshot and no backup
    stays."""

    snapshot: str
    leaving: bool = False
    keep: bool = True


class Database(Noun):
    """`endpoint` is host:port, `secret` the ARN of the master's password, which AWS makes and changes."""

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
        made = self._instance(spec, major, end, own, self._subnets(network), self._parameters(major))
        self.endpoint = made.endpoint
        self.secret = made.master_user_secrets.apply(lambda found: found[0]["secret_arn"] if found else None)
        self.leave(endpoint=self.endpoint)

    def _subnets(self, network: Network) -> aws.rds.SubnetGroup:
        return aws.rds.SubnetGroup(
            name(self.space, "subnet-group", "database"),
            subnet_ids=network.data,
            tags=self.tags("database"),
            opts=self.inside,
        )

    def _parameters(self, major: int) -> aws.rds.ParameterGroup:
        """Its name has the major version: a new one is made beside the old, and the database moves over."""
        return aws.rds.ParameterGroup(
            name(self.space, "parameter-group", f"postgres{major}"),
            family=f"postgres{major}",
            parameters=[{"name": "rds.force_ssl", "value": "1"}],
            tags=self.tags("database"),
            opts=self.inside,
        )

    def _instance(
        self,
        spec: Spec,
        major: int,
        end: End,
        own: aws.ec2.SecurityGroup,
        subnets: aws.rds.SubnetGroup,
        parameters: aws.rds.ParameterGroup,
    ) -> aws.rds.Instance:
        assert spec.database
        return aws.rds.Instance(
            name(self.space, "database"),
            engine="postgres",
            engine_version=str(major),  # AWS moves the minor one by itself
            auto_minor_version_upgrade=True,
            allow_major_version_upgrade=True,  # it is pinned: only a new pin moves it
            instance_class=spec.database.size,
            allocated_storage=spec.database.storage,
            storage_type="gp3",
            storage_encrypted=True,
            username=MASTER,
            manage_master_user_password=True,
            db_subnet_group_name=subnets.name,
            parameter_group_name=parameters.name,
            vpc_security_group_ids=[own.id],
            publicly_accessible=False,
            backup_retention_period=BACKUPS,
            copy_tags_to_snapshot=True,
            delete_automated_backups=not end.keep,
            deletion_protection=not end.leaving,
            skip_final_snapshot=not end.keep,
            final_snapshot_identifier=end.snapshot,
            apply_immediately=True,
            tags=self.tags("database"),
            # A new name at each run is no reason to touch the database: only the one that it goes by counts.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=[] if end.leaving else [FINAL]),
        )
