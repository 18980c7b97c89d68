"""The boundary of what a space's hosts may do, which an administrator makes with what `iam:policy hosts` prints."""

from __future__ import annotations

from deployer.spaces.aws.account import Account, code_of
from infra.policies import boundary


def find_boundary(account: Account, number: str, space: str) -> str | None:
    """The ARN of the space's own, else of the one for all spaces, else None. Use it inside `asking`."""
    from botocore.exceptions import ClientError

    for arn in (boundary(number, space), boundary(number, None)):
        try:
            account.client("iam").get_policy(PolicyArn=arn)
        except ClientError as error:
            if code_of(error) != "NoSuchEntity":
                raise
        else:
            return arn
    return None
