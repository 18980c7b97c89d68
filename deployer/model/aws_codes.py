"""The codes that AWS answers with instead of doing what it was asked, by what they mean; and names of the SDK's own.

Each service has its own spelling for the same thing: these were seen, or stand in the services' API references.
"""

from __future__ import annotations

EXPIRED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidGrantException",  # of SSO, as the last one
        "RequestExpired",
        "TokenRefreshRequired",
        "UnauthorizedException",
    }
)
UNKNOWN = frozenset(
    {
        "AuthFailure",  # of EC2; in a region that is not enabled, too
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "Unauthorized",
        "UnrecognizedClientException",
    }
)
SKEWED = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "AuthorizationError",
        "NotAuthorized",
        "UnauthorizedOperation",
    }
)
CLOSED = frozenset(
    {
        "Blocked",
        "IllegalLocationConstraintException",
        "InvalidLocationConstraint",
        "OptInRequired",
        "PendingVerification",
        "RegionDisabledException",
        "SubscriptionRequiredException",
    }
)
"""The account may not use the region, or not yet."""
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
FULL = frozenset(
    {
        "InsufficientAddressCapacity",
        "InsufficientCapacity",
        "InsufficientDBInstanceCapacity",
        "InsufficientDBInstanceCapacityFault",
        "InsufficientHostCapacity",
        "InsufficientInstanceCapacity",
        "InsufficientVolumeCapacity",
        "StorageTypeNotAvailable",
        "StorageTypeNotAvailableFault",
        "Unsupported",  # of EC2: the size is not offered in a zone
    }
)
BROKEN = frozenset(
    {"InternalError", "InternalFailure", "InternalServiceError", "ServiceUnavailable", "Unavailable", "500", "503"}
)
TAKEN = frozenset({"BucketAlreadyOwnedByYou", "InvalidGroup.Duplicate"})
"""And whatever says AlreadyExists or Duplicate."""

# Exceptions of boto3 that no answer of AWS stands behind.
SIGN_IN = frozenset(
    {
        "LoginAuthorizationCodeError",
        "LoginError",
        "LoginRefreshRequired",
        "LoginTokenLoadError",
        "SSOTokenLoadError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
NO_KEYS = frozenset({"CredentialRetrievalError", "NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"})
