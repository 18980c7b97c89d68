"""What holds for every bucket of a space: the store's, which the program makes, and the one of its state."""

from __future__ import annotations

import json

KEPT = 30  # days of versions that were replaced: what somebody deleted can be brought back
LEASES = "leases/"  # renewed every few seconds: their old versions are worth nothing


def tls_only(arn: str) -> str:
    """A bucket policy that refuses requests without TLS."""
    refuse = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [refuse]})
