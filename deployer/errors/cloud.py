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
    """They were good once, or never."""

    reason: str

    headline = "AWS does not take these credentials: they have expired, or are none of its own."
    seen = "{reason}"
    advice = "Sign in again (`aws sso login`), or renew them, then type the same command again."


class AwsDenied(Failure):
    """The credentials may not do this."""

    call: str  # `ssm:PutParameter`
    reason: str

    headline = "These credentials may not do {call}."
    seen = "{reason}"
    advice = "Have it allowed to them, or choose others with AWS_PROFILE; what was done before is not done twice."


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
