"""What AWS says instead of doing what it was asked."""

from __future__ import annotations

from deployer.errors.base import Failure


class CredentialsMissing(Failure):
    """The SDK found none."""

    reason: str

    headline = "There are no credentials for AWS here."
    seen = "{reason}"
    advice = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its kin; `aws sso login` signs in where a profile wants that."


class CredentialsExpired(Failure):
    """They were good once."""

    reason: str

    headline = "These credentials for AWS have expired."
    seen = "{reason}"
    advice = """
        Sign in again (`aws sso login`), or renew them, then type the same command again: it goes on where it stopped.
        """


class CredentialsUnknown(Failure):
    """AWS does not know them, or not in this region."""

    call: str
    code: str
    reason: str

    headline = "AWS does not take these credentials."
    seen = "{call}, {code}: {reason}"
    advice = """
        `aws sts get-caller-identity` says whether AWS knows them at all: if not, sign in again or choose others with
        AWS_PROFILE. If it does, the account has not enabled this region: in the console, Account, AWS Regions.
        """


class ClockSkewed(Failure):
    """Requests are signed with the time, and this machine's is wrong."""

    call: str
    reason: str

    headline = "AWS does not take this machine's time."
    seen = "{call}: {reason}"
    advice = (
        "Set the clock (`timedatectl set-ntp true`), then type the same command again: it goes on where it stopped."
    )


class AwsDenied(Failure):
    """The credentials may not do this: nothing allows it to them."""

    call: str  # `ec2:RunInstances`
    action: str  # what it takes: mostly the same, but `iam:PassRole` as well
    reason: str

    headline = "These credentials may not do {action}."
    seen = "{call}: {reason}"
    advice = """
        Have {action} added to their policy, or choose others with AWS_PROFILE; then type the same command again: what
        was done is not done twice. `deployer iam:policy owner` prints a policy with all that `up` and `down` take.
        """


class AwsDeniedInCode(AwsDenied):
    """As above, and AWS says what it was in a message that only some may decode."""

    encoded: str

    headline = "These credentials may not do {action}, or something that it takes."
    advice = """
        Whoever may do sts:DecodeAuthorizationMessage gets to know what has to be added to their policy:

            aws sts decode-authorization-message --encoded-message {encoded}

        Or choose others with AWS_PROFILE. Then type the same command again: what was done is not done twice.
        """


FORBID = {
    "service control policy": "A service control policy of the organization",
    "resource control policy": "A resource control policy of the organization",
    "permissions boundary": "The permissions boundary of these credentials",
    "session policy": "The policy of the session that these credentials are of",
    "resource-based policy": "The policy of the thing itself",
    "VPC endpoint policy": "The policy of a VPC endpoint",
    "explicit deny": "A statement of their own policy, with `Deny`,",
}
"""Who can forbid what a policy allows, by the words in which AWS says it."""


class AwsForbidden(Failure):
    """Something stronger than the credentials' own policy is against it."""

    call: str
    action: str
    by: str  # of FORBID
    reason: str

    headline = "{by} forbids {action}."
    seen = "{call}: {reason}"
    advice = """
        To add {action} to a policy is not enough: whoever keeps that one has to allow it. Or choose other credentials
        with AWS_PROFILE. Then type the same command again: what was done is not done twice.
        """


class AwsClosed(Failure):
    """The account may do nothing there, or not yet."""

    call: str
    code: str
    reason: str

    headline = "This account cannot use the region, or not yet."
    seen = "{call}, {code}: {reason}"
    advice = """
        A region that is not there for every account is enabled in the console: Account, AWS Regions. A new account
        must have an address and a card, and AWS looks at it for up to a day. Or choose another region.
        """


class AwsQuota(Failure):
    """The account has as many of these as it may."""

    call: str
    code: str
    reason: str
    quota: str  # the quota `VPCs per Region`
    ask: str  # the line that asks for more

    headline = "This account has reached {quota}."
    seen = "{call}, {code}: {reason}"
    advice = """
        Delete what is not needed any more, or ask AWS for more, which takes minutes to days:

            {ask}

        Then type the same command again: it goes on where it stopped.
        """


class AwsFull(Failure):
    """AWS itself has no more of them, or has none in these zones."""

    reason: str

    headline = "AWS has not got what was asked for, in these zones at this time."
    seen = "{reason}"
    advice = """
        Type the same command again in some minutes: it goes on where it stopped. Or choose another size in
        deployer.toml, or another region.
        """


class AwsNameTaken(Failure):
    """Something else has the name already."""

    call: str
    code: str
    reason: str

    headline = "AWS has something of that name already."
    seen = "{call}, {code}: {reason}"
    advice = """
        This space has not made it: look whose it is, in the console. Delete it if it is left of another one, then type
        the same command again; or give this space another name.
        """


class AwsThrottled(Failure):
    """Too many calls for this account, by whomever."""

    call: str
    code: str
    tries: int

    headline = "AWS lets this account make no more calls of {call} for the moment."
    seen = "{code}, asked {tries} times, with growing pauses."
    advice = """
        Something else in the account asks a lot, perhaps. Type the same command again in some minutes: it goes on where
        it stopped.
        """


class AwsBroken(Failure):
    """It is AWS's own fault."""

    call: str
    code: str
    reason: str

    headline = "AWS could not do {call}, by its own fault."
    seen = "{code}: {reason}"
    advice = """
        Type the same command again in some minutes: it goes on where it stopped. https://health.aws.amazon.com says
        what AWS knows of it.
        """


class AwsRefused(Failure):
    """AWS answered, and not with what was asked for."""

    call: str
    code: str
    reason: str

    headline = "AWS refused {call}: {code}."
    seen = "{reason}"
    advice = "Mend the cause, then type the same command again: it goes on where it stopped."


class AwsUnreachable(Failure):
    """No answer."""

    reason: str

    headline = "AWS did not answer."
    seen = "{reason}"
    advice = "Look at this machine's network, then type the same command again: it goes on where it stopped."
