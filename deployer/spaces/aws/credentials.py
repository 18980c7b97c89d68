"""Where the AWS SDK finds credentials on this machine, and whose they are, asked with little patience."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.errors.aws import CredentialsMissing
from deployer.spaces.aws.account import Account, asking

PATIENCE, TRIES = 4, 1  # seconds to connect and to read; how often
# Of botocore's providers of credentials, in words.
PLACES = {
    "env": "AWS_ACCESS_KEY_ID and its kin",
    "assume-role": "the role of a profile",
    "assume-role-with-web-identity": "the role of a web identity",
    "sso": "a sign-in by `aws sso login`",
    "login": "a sign-in by `aws login`",
    "shared-credentials-file": "~/.aws/credentials",
    "custom-process": "the `credential_process` of a profile",
    "config-file": "~/.aws/config",
    "container-role": "the role of this container",
    "iam-role": "the role of this EC2 instance",
}
NOWHERE = "Neither variables, profiles nor roles have any."


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credentials they are: the account's number, and the ARN of the user or role."""

    account: str
    arn: str


def place() -> str:
    """Where credentials are found; CredentialsMissing, CredentialsExpired. No service is asked, unless a role has to be
    taken or a sign-in renewed."""
    from boto3.session import Session

    with asking():
        session = Session()
        found = session.get_credentials()
        if found is None:
            raise CredentialsMissing(NOWHERE)
        found.get_frozen_credentials()
    words = PLACES.get(found.method, found.method)
    return words if found.method == "env" or session.profile_name == "default" else f"{words}, {session.profile_name}"


def identity(region: str, endpoint: str | None = None) -> Identity:
    """Whose credentials these are. Failures of errors.cloud, within seconds."""
    account = Account(region, endpoint, TRIES, PATIENCE)
    with asking():
        found = account.client("sts").get_caller_identity()
    return Identity(str(found["Account"]), str(found["Arn"]))
