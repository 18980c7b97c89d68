"""RDS. Replace rules: internal/service/rds/instance.go, parameter_group.go, subnet_group.go of the provider.

The id of an instance is AWS's own (`db-...`), not the identifier that calls take.
"""

from __future__ import annotations

import time
from typing import Any

from tests.infra.standin.kind import Aws, Kind, Refused, changed, gone, plain, renamed
from tests.infra.standin.values import Values

PATIENCE = 60  # seconds
INSTANCE = {
    "identifier": "DBInstanceIdentifier",
    "engine": "Engine",
    "engineVersion": "EngineVersion",
    "autoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "instanceClass": "DBInstanceClass",
    "allocatedStorage": "AllocatedStorage",
    "storageType": "StorageType",
    "storageEncrypted": "StorageEncrypted",
    "username": "MasterUsername",
    "manageMasterUserPassword": "ManageMasterUserPassword",
    "dbSubnetGroupName": "DBSubnetGroupName",
    "parameterGroupName": "DBParameterGroupName",
    "vpcSecurityGroupIds": "VpcSecurityGroupIds",
    "publiclyAccessible": "PubliclyAccessible",
    "backupRetentionPeriod": "BackupRetentionPeriod",
    "copyTagsToSnapshot": "CopyTagsToSnapshot",
    "deletionProtection": "DeletionProtection",
}
POINT = {
    "sourceDbInstanceIdentifier": "SourceDBInstanceIdentifier",
    "restoreTime": "RestoreTime",
    "useLatestRestorableTime": "UseLatestRestorableTime",
}
FIXED = frozenset({"identifier", "engine", "username", "storageEncrypted"})
AT_THE_END = (
    "allowMajorVersionUpgrade",
    "deleteAutomatedBackups",
    "skipFinalSnapshot",
    "finalSnapshotIdentifier",
    "applyImmediately",
)
MINORS = {"16": "16.10", "17": "17.6", "18": "18.1"}  # that AWS takes where only the major is said
PLAIN = ("autoMinorVersionUpgrade", "allocatedStorage", "storageType", "storageEncrypted", "publiclyAccessible")
SEEN = (*PLAIN, "instanceClass", "backupRetentionPeriod", "copyTagsToSnapshot", "deletionProtection")


# What RDS takes of one that is restored, and what the real provider has it change when it is there.
RESTORED = (
    "instanceClass",
    "storageType",
    "dbSubnetGroupName",
    "parameterGroupName",
    "vpcSecurityGroupIds",
    "publiclyAccessible",
    "copyTagsToSnapshot",
    "deletionProtection",
    "autoMinorVersionUpgrade",
)
AFTERWARDS = ("backupRetentionPeriod", "manageMasterUserPassword", "allocatedStorage")


def instance_create(aws: Aws, new: Values) -> str:
    point, snapshot = new.get("restoreToPointInTime"), new.get("snapshotIdentifier")
    if not point and not snapshot:
        made = aws.rds.create_db_instance(**_given(new), Tags=aws.tag_list(new))["DBInstance"]
        _available(aws, new["identifier"])
        return str(made["DbiResourceId"])
    given = renamed({name: new[name] for name in RESTORED if name in new}, INSTANCE)
    if snapshot:
        words = {"DBInstanceIdentifier": new["identifier"], "DBSnapshotIdentifier": snapshot}
        made = aws.rds.restore_db_instance_from_db_snapshot(**words, **given, Tags=aws.tag_list(new))["DBInstance"]
    else:
        words = {"TargetDBInstanceIdentifier": new["identifier"], **renamed(point, POINT)}
        made = aws.rds.restore_db_instance_to_point_in_time(**words, **given, Tags=aws.tag_list(new))["DBInstance"]
    _available(aws, new["identifier"])
    after = renamed({name: new[name] for name in AFTERWARDS if name in new}, INSTANCE)
    aws.rds.modify_db_instance(DBInstanceIdentifier=new["identifier"], ApplyImmediately=True, **after)
    _available(aws, new["identifier"])
    return str(made["DbiResourceId"])


def _given(new: Values) -> dict[str, Any]:
    found = renamed(new, INSTANCE)
    version = found.get("EngineVersion")
    return {**found, "EngineVersion": MINORS[version]} if version in MINORS else found


def _available(aws: Aws, identifier: str) -> None:
    end = time.monotonic() + PATIENCE
    while (found := _described(aws, identifier)["DBInstanceStatus"]) != "available":
        if time.monotonic() > end:
            raise Refused(f"{identifier} is still {found}")
        time.sleep(0.1)


def _described(aws: Aws, identifier: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    return found


@gone("DBInstanceNotFound", "DBInstanceNotFoundFault")
def instance_read(aws: Aws, resource: str, state: Values) -> Values:
    found = _described(aws, state["identifier"])
    version = str(found["EngineVersion"])
    wanted = str(state.get("engineVersion") or version)
    secret = found.get("MasterUserSecret")
    return {
        "arn": found["DBInstanceArn"],
        "address": found["Endpoint"]["Address"],
        "endpoint": f"{found['Endpoint']['Address']}:{found['Endpoint']['Port']}",
        "port": found["Endpoint"]["Port"],
        "status": found["DBInstanceStatus"],
        "resourceId": found["DbiResourceId"],
        # The real provider keeps `17` for 17.4, and tells the whole of it beside.
        "engineVersion": wanted if version == wanted or version.startswith(f"{wanted}.") else version,
        "engineVersionActual": version,
        "masterUserSecrets": [{"secretArn": secret["SecretArn"]}] if secret else [],
        **{name: found[INSTANCE[name]] for name in SEEN if INSTANCE[name] in found},
        **aws.tagged(state, found.get("TagList", [])),
    }


def instance_update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    given = {name: new[name] for name in INSTANCE.keys() - FIXED if changed(old, new, name) and name in new}
    if given:
        _refuse_major(aws, old, new)
        aws.rds.modify_db_instance(
            DBInstanceIdentifier=new["identifier"],
            ApplyImmediately=bool(new.get("applyImmediately")),
            **_given(given),
        )
        _available(aws, new["identifier"])
    if changed(old, new, "tags"):
        aws.rds.add_tags_to_resource(
            ResourceName=_described(aws, new["identifier"])["DBInstanceArn"], Tags=aws.tag_list(new)
        )


def _refuse_major(aws: Aws, old: Values, new: Values) -> None:
    """moto moves a database to any version; AWS wants it allowed, and a parameter group of the new family."""
    before, after = (str(one.get("engineVersion", "")).partition(".")[0] for one in (old, new))
    if before == after:
        return
    if not new.get("allowMajorVersionUpgrade"):
        raise Refused("InvalidParameterCombination: The AllowMajorVersionUpgrade flag must be present when upgrading")
    if int(after) < int(before):
        raise Refused(f"InvalidParameterCombination: Cannot upgrade postgres from {before} to {after}")
    groups = aws.rds.describe_db_parameter_groups(DBParameterGroupName=new["parameterGroupName"])["DBParameterGroups"]
    if groups[0]["DBParameterGroupFamily"] != f"postgres{after}":
        raise Refused(f"InvalidParameterCombination: {new['parameterGroupName']} is not of the family postgres{after}")


def instance_delete(aws: Aws, resource: str, state: Values) -> None:
    """What was in force when it was last brought up to date counts, not what the program says now."""
    skip, last = bool(state.get("skipFinalSnapshot")), state.get("finalSnapshotIdentifier")
    if not skip and not last:
        raise Refused("final_snapshot_identifier is required when skip_final_snapshot is false")
    aws.rds.delete_db_instance(
        DBInstanceIdentifier=state["identifier"],
        SkipFinalSnapshot=skip,
        DeleteAutomatedBackups=bool(state.get("deleteAutomatedBackups", True)),
        **({} if skip else {"FinalDBSnapshotIdentifier": last}),
    )


INSTANCE_KIND = Kind(
    {**plain(*INSTANCE, *AT_THE_END, "snapshotIdentifier", "tags"), "restoreToPointInTime": plain(*POINT)},
    instance_create,
    instance_read,
    instance_delete,
    instance_update,
    required=("instanceClass",),
    replaces=FIXED | {"snapshotIdentifier", "restoreToPointInTime"},
    sets=frozenset({"vpcSecurityGroupIds"}),
    computed=("arn", "address", "endpoint", "port", "status", "resourceId", "engineVersionActual", "masterUserSecrets"),
    defaults={"skipFinalSnapshot": False},
    autoname=("identifier", 63),
)


def subnets_create(aws: Aws, new: Values) -> str:
    aws.rds.create_db_subnet_group(
        DBSubnetGroupName=new["name"],
        DBSubnetGroupDescription=new["description"],
        SubnetIds=new["subnetIds"],
        Tags=aws.tag_list(new),
    )
    return str(new["name"])


def subnets_update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    if changed(old, new, "subnetIds", "description"):
        aws.rds.modify_db_subnet_group(
            DBSubnetGroupName=resource, DBSubnetGroupDescription=new["description"], SubnetIds=new["subnetIds"]
        )
    aws.rds.add_tags_to_resource(ResourceName=aws.arn("rds", f"subgrp:{resource}"), Tags=aws.tag_list(new))


@gone("DBSubnetGroupNotFoundFault")
def subnets_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.rds.describe_db_subnet_groups(DBSubnetGroupName=resource)["DBSubnetGroups"][0]
    tags = aws.rds.list_tags_for_resource(ResourceName=found["DBSubnetGroupArn"])["TagList"]
    return {
        "arn": found["DBSubnetGroupArn"],
        "name": found["DBSubnetGroupName"],
        "description": found["DBSubnetGroupDescription"],
        "vpcId": found["VpcId"],
        "subnetIds": [one["SubnetIdentifier"] for one in found["Subnets"]],
        **aws.tagged(state, tags),
    }


def subnets_delete(aws: Aws, resource: str, state: Values) -> None:
    _refuse_used(aws, "DBSubnetGroup", resource)
    aws.rds.delete_db_subnet_group(DBSubnetGroupName=resource)


def _refuse_used(aws: Aws, key: str, resource: str) -> None:
    """moto lets groups go that an instance uses; AWS does not."""
    found = aws.rds.describe_db_instances()["DBInstances"]
    if used := [one["DBInstanceIdentifier"] for one in found if f"'{resource}'" in str(one.get(key))]:
        raise Refused(f"InvalidDBGroupState: {resource} is in use by {used}")


SUBNETS = Kind(
    plain("name", "description", "subnetIds", "tags"),
    subnets_create,
    subnets_read,
    subnets_delete,
    subnets_update,
    required=("subnetIds",),
    replaces=frozenset({"name"}),
    sets=frozenset({"subnetIds"}),
    computed=("arn", "vpcId"),
    defaults={"description": "Managed by Pulumi"},
    autoname=("name", 255),
)


def parameters_create(aws: Aws, new: Values) -> str:
    aws.rds.create_db_parameter_group(
        DBParameterGroupName=new["name"],
        DBParameterGroupFamily=new["family"],
        Description=new["description"],
        Tags=aws.tag_list(new),
    )
    _set(aws, new)
    return str(new["name"])


def _set(aws: Aws, new: Values) -> None:
    wanted = [
        {"ParameterName": one["name"], "ParameterValue": one["value"], "ApplyMethod": "immediate"}
        for one in new.get("parameters") or []
    ]
    aws.rds.modify_db_parameter_group(DBParameterGroupName=new["name"], Parameters=wanted)


@gone("DBParameterGroupNotFound", "DBParameterGroupNotFoundFault")
def parameters_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.rds.describe_db_parameter_groups(DBParameterGroupName=resource)["DBParameterGroups"][0]
    values = aws.rds.describe_db_parameters(DBParameterGroupName=resource)["Parameters"]
    tags = aws.rds.list_tags_for_resource(ResourceName=found["DBParameterGroupArn"])["TagList"]
    return {
        "arn": found["DBParameterGroupArn"],
        "name": found["DBParameterGroupName"],
        "family": found["DBParameterGroupFamily"],
        "description": found["Description"],
        "parameters": [{"name": one["ParameterName"], "value": one["ParameterValue"]} for one in values],
        **aws.tagged(state, tags),
    }


def parameters_delete(aws: Aws, resource: str, state: Values) -> None:
    _refuse_used(aws, "DBParameterGroups", resource)
    aws.rds.delete_db_parameter_group(DBParameterGroupName=resource)


PARAMETERS = Kind(
    {**plain("name", "family", "description", "tags"), "parameters": plain("name", "value")},
    parameters_create,
    parameters_read,
    parameters_delete,
    lambda aws, resource, old, new: _set(aws, new),
    required=("family",),
    replaces=frozenset({"name", "family", "description"}),
    sets=frozenset({"parameters"}),
    computed=("arn",),
    defaults={"description": "Managed by Pulumi"},
    autoname=("name", 255),
)
