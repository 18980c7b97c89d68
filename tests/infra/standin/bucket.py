"""Buckets, and what is set on them one by one. Replace rules: internal/service/s3/bucket*.go of the provider."""

from __future__ import annotations

from typing import Any

from tests.infra.standin.kind import Aws, Kind, Refused, gone, plain
from tests.infra.standin.values import Values

FIRST = "us-east-1"  # which must not be named at creation
BLOCKS = {
    "blockPublicAcls": "BlockPublicAcls",
    "blockPublicPolicy": "BlockPublicPolicy",
    "ignorePublicAcls": "IgnorePublicAcls",
    "restrictPublicBuckets": "RestrictPublicBuckets",
}


def bucket_create(aws: Aws, new: Values) -> str:
    where = {} if aws.region == FIRST else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
    aws.s3.create_bucket(Bucket=new["bucket"], **where)
    _tag(aws, new["bucket"], {}, new)
    return str(new["bucket"])


def _tag(aws: Aws, resource: str, old: Values, new: Values) -> None:
    aws.s3.put_bucket_tagging(Bucket=resource, Tagging={"TagSet": aws.tag_list(new)})


@gone("NoSuchBucket", "404")
def bucket_read(aws: Aws, resource: str, state: Values) -> Values:
    aws.s3.head_bucket(Bucket=resource)
    tags = aws.s3.get_bucket_tagging(Bucket=resource)["TagSet"]
    return {"arn": f"arn:aws:s3:::{resource}", "bucket": resource, **aws.tagged(state, tags)}


def bucket_delete(aws: Aws, resource: str, state: Values) -> None:
    """moto lets a bucket go whose objects are deleted, and only hidden by markers; S3 does not."""
    found = aws.s3.list_object_versions(Bucket=resource)
    if found.get("Versions") or found.get("DeleteMarkers"):
        raise Refused(
            "api error BucketNotEmpty: The bucket you tried to delete is not empty. You must delete all versions"
        )
    aws.s3.delete_bucket(Bucket=resource)


BUCKET = Kind(
    plain("bucket", "tags"),
    bucket_create,
    bucket_read,
    bucket_delete,
    _tag,
    replaces=frozenset({"bucket"}),
    computed=("arn",),
    autoname=("bucket", 63),
)


def _setting(
    name: str, shape: Any, put: Any, get: Any, remove: Any, *needs: str, policies: frozenset[str] = frozenset()
) -> Kind:
    """One setting of a bucket: `name` is AWS's error where it is not set; it `needs` these inputs."""

    def create(aws: Aws, new: Values) -> str:
        put(aws.s3, new["bucket"], new)
        return str(new["bucket"])

    @gone("NoSuchBucket", name)
    def read(aws: Aws, resource: str, state: Values) -> Values | None:
        found = get(aws.s3, resource)
        return None if found is None else {"bucket": resource, **found}

    return Kind(
        {"bucket": None, **shape},
        create,
        read,
        lambda aws, resource, state: remove(aws.s3, resource),
        lambda aws, resource, old, new: put(aws.s3, resource, new),
        required=("bucket", *needs),
        replaces=frozenset({"bucket"}),
        policies=policies,
    )


BLOCK = _setting(
    "NoSuchPublicAccessBlockConfiguration",
    plain(*BLOCKS),
    lambda s3, bucket, new: s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={theirs: bool(new.get(ours)) for ours, theirs in BLOCKS.items()},
    ),
    lambda s3, bucket: {
        ours: s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"][theirs]
        for ours, theirs in BLOCKS.items()
    },
    lambda s3, bucket: s3.delete_public_access_block(Bucket=bucket),
)
OWNERSHIP = _setting(
    "OwnershipControlsNotFoundError",
    {"rule": plain("objectOwnership")},
    lambda s3, bucket, new: s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": new["rule"]["objectOwnership"]}]}
    ),
    lambda s3, bucket: {
        "rule": {
            "objectOwnership": s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"][0][
                "ObjectOwnership"
            ]
        }
    },
    lambda s3, bucket: s3.delete_bucket_ownership_controls(Bucket=bucket),
    "rule",
)
POLICY = _setting(
    "NoSuchBucketPolicy",
    plain("policy"),
    lambda s3, bucket, new: s3.put_bucket_policy(Bucket=bucket, Policy=new["policy"]),
    lambda s3, bucket: {"policy": s3.get_bucket_policy(Bucket=bucket)["Policy"]},
    lambda s3, bucket: s3.delete_bucket_policy(Bucket=bucket),
    "policy",
    policies=frozenset({"policy"}),
)


def _versioning(s3: Any, bucket: str) -> Values | None:
    status = s3.get_bucket_versioning(Bucket=bucket).get("Status")
    return {"versioningConfiguration": {"status": status}} if status else None


VERSIONING = _setting(
    "",
    {"versioningConfiguration": plain("status")},
    lambda s3, bucket, new: s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": new["versioningConfiguration"]["status"]}
    ),
    _versioning,
    lambda s3, bucket: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}),
    "versioningConfiguration",
)


def _encrypt(s3: Any, bucket: str, new: Values) -> None:
    wanted = [one["applyServerSideEncryptionByDefault"]["sseAlgorithm"] for one in new["rules"]]
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": one}} for one in wanted]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def _encryption(s3: Any, bucket: str) -> Values:
    found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    used = [one["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for one in found]
    return {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": one}} for one in used]}


ENCRYPTION = _setting(
    "ServerSideEncryptionConfigurationNotFoundError",
    {"rules": {"applyServerSideEncryptionByDefault": plain("sseAlgorithm")}},
    _encrypt,
    _encryption,
    lambda s3, bucket: s3.delete_bucket_encryption(Bucket=bucket),
    "rules",
)


def _keep(s3: Any, bucket: str, new: Values) -> None:
    s3.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": [_rule(one) for one in new["rules"]]}
    )


def _rule(one: Values) -> dict[str, Any]:
    rule: dict[str, Any] = {"ID": one["id"], "Status": one["status"], "Filter": {"Prefix": one["filter"]["prefix"]}}
    if old := one.get("noncurrentVersionExpiration"):
        rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": old["noncurrentDays"]}
    if parts := one.get("abortIncompleteMultipartUpload"):
        rule["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": parts["daysAfterInitiation"]}
    return rule


def _kept(s3: Any, bucket: str) -> Values:
    found = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    return {"rules": [_as_rule(one) for one in found]}


def _as_rule(one: dict[str, Any]) -> Values:
    rule: Values = {"id": one["ID"], "status": one["Status"], "filter": {"prefix": one["Filter"].get("Prefix", "")}}
    if old := one.get("NoncurrentVersionExpiration"):
        rule["noncurrentVersionExpiration"] = {"noncurrentDays": old["NoncurrentDays"]}
    if parts := one.get("AbortIncompleteMultipartUpload"):
        rule["abortIncompleteMultipartUpload"] = {"daysAfterInitiation": parts["DaysAfterInitiation"]}
    return rule


LIFECYCLE = _setting(
    "NoSuchLifecycleConfiguration",
    {
        "rules": {
            **plain("id", "status"),
            "filter": plain("prefix"),
            "noncurrentVersionExpiration": plain("noncurrentDays"),
            "abortIncompleteMultipartUpload": plain("daysAfterInitiation"),
        }
    },
    _keep,
    _kept,
    lambda s3, bucket: s3.delete_bucket_lifecycle(Bucket=bucket),
)
