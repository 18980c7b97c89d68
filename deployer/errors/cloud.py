"""What goes wrong between us and AWS."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure


class CloudBroken(Failure):
    """The engine could not do all that it was to do. `problems` has a line or more for each thing, in AWS's words."""

    space: str
    problems: str

    headline = "Not everything of the space {space} could be done."
    seen = "{problems}"
    advice = """
        What was done is noted, and nothing is done twice. Mend the cause, then type the same command again.
        """


class StateLocked(Failure):
    """Pulumi's own lock of the state, taken by somebody who does not hold the space's lease."""

    space: str

    headline = "Somebody runs Pulumi itself on {space}, beside deployer."
    advice = "Type the same command again when that has ended; what is left of a run that was killed goes by itself."


class AccountRefused(Failure):
    """The credentials belong to another account than the space does."""

    space: str
    found: str
    wanted: str

    headline = "These credentials belong to the account {found}; {space} belongs to {wanted}."
    advice = "Nothing was changed. Choose others with AWS_PROFILE, or mend `account` in deployer.toml."


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
        was done is not done twice.
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


class EndpointSet(Failure):
    """A variable that leads everything that is meant for AWS elsewhere."""

    name: str
    value: str

    headline = "{name} leads everything that is meant for AWS to {value}."
    advice = "Spaces are made in AWS itself: unset it."


class EngineMissing(Failure):
    """The `pulumi` command, or its library, is not here."""

    what: str  # `The pulumi command`
    wanted: str  # how to get it

    headline = "{what} is not here: it makes what is in AWS."
    advice = "{wanted}"


class SpaceNotMade(Failure):
    """There is no such space in the account."""

    space: str
    account: str
    region: str

    headline = "The account {account} has no space {space} in {region}."
    advice = "`deployer up --space {space}` makes it, where deployer.toml describes it."


class StillThere(Failure):
    """Everything that Pulumi knew is deleted, and AWS still has something of the space's."""

    space: str
    left: str  # a line each

    headline = "Something of {space} is still in AWS, and may cost money:"
    seen = "{left}"
    advice = "Wait some minutes and type the same command again; what stays then has to be deleted by hand."


class NoHostsYet(Failure):
    """A command that needs a host that has joined, and a space in AWS."""

    space: str

    headline = "Nothing can be deployed to {space} yet: this version makes spaces in AWS, and no app gets there."
    advice = "`deployer preview --space {space}`, `up --space {space}` and `down --space {space}` work."


class NotAgreed(Failure):
    """The answer to the question was not yes."""

    space: str

    headline = "Nothing of {space} was changed."


class AgreementNeeded(Failure):
    """Nobody is there to be asked."""

    space: str

    headline = "This would change {space}, and nobody is here to be asked."
    advice = "Add --yes to agree beforehand."


class OptionsBroken(UsageFailure):
    """Options that describe a space that cannot be. `problems` has a line each, as deployer.toml would spell it."""

    problems: str

    headline = "These options describe a space that cannot be:"
    seen = "{problems}"
    advice = "See `deployer spaces:create --help`."


class NoDatabase(UsageFailure):
    """Something about the database of a space that has none."""

    space: str

    headline = "{space} has no database."
    advice = "`database` in deployer.toml, or `spaces:create --database`, gives it one."


class VersionUnavailable(Failure):
    """RDS cannot bring the database from the version that runs to the one that was asked for."""

    space: str
    running: str  # `17.4`
    asked: int
    possible: str  # `18, 19`, or `none`

    headline = "The PostgreSQL of {space} is {running}: RDS cannot bring it to {asked}."
    seen = "Versions that it can be brought to: {possible}. There is no way down."
    advice = "Choose one of these with --postgres; AWS may bring more of them later."


class FolderTaken(Failure):
    """A folder to be written that has something in it."""

    folder: str

    headline = "{folder} is not empty."
    advice = "Nothing was written. Name another folder, one that is new or empty."


class NotInAws(UsageFailure):
    """A command for spaces in AWS, and one of another kind."""

    space: str
    instead: str

    headline = "{space} is not in AWS."
    advice = "{instead}"


class GoesDown(UsageFailure):
    """`spaces:destroy`, and a space in AWS."""

    space: str

    headline = "{space} is in AWS: there, a space is taken down."
    advice = "Type `deployer down --space {space}`: it says what goes and what stays, and asks AWS what is left."
