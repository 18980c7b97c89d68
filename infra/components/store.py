"""The space's store: one bucket, private, encrypted, reached by TLS only."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.noun import Noun
from infra.names import name
from infra.policies import KEPT, LEASES, tls_only


class Store(Noun):
    """Of the name `called`, or of one that Pulumi chooses. `bucket` is its name, `arn` its ARN. It is not empty when it
    is to go: `down` empties it first."""

    def __init__(self, space: str, called: str | None, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(space, "store", opts)
        logical = name(space, "bucket", "store")
        bucket = aws.s3.Bucket(logical, bucket=called, tags=self.tags("store"), opts=self.inside)
        self.bucket, self.arn = bucket.id, bucket.arn
        of: dict[str, Any] = {"bucket": bucket.id, "opts": self.inside}
        aws.s3.BucketOwnershipControls("store", rule={"object_ownership": "BucketOwnerEnforced"}, **of)
        aws.s3.BucketPublicAccessBlock(
            "store",
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            **of,
        )
        encryption = {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
        aws.s3.BucketServerSideEncryptionConfiguration("store", rules=[encryption], **of)
        versioning = aws.s3.BucketVersioning("store", versioning_configuration={"status": "Enabled"}, **of)
        after = pulumi.ResourceOptions(parent=self, depends_on=[versioning])
        aws.s3.BucketLifecycleConfiguration("store", bucket=bucket.id, rules=lifecycle(), opts=after)
        aws.s3.BucketPolicy("store", policy=bucket.arn.apply(tls_only), **of)
        self.leave(bucket=bucket.id)


def lifecycle() -> list[dict[str, Any]]:
    """What S3 deletes by itself: old versions, and uploads that nobody finished."""
    return [
        {
            "id": "leases",
            "status": "Enabled",
            "filter": {"prefix": LEASES},
            "noncurrent_version_expiration": {"noncurrent_days": 1},
        },
        {
            "id": "old-versions",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrent_version_expiration": {"noncurrent_days": KEPT},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        },
    ]
