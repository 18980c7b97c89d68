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


class SpaceBusy(Failure):
    """Somebody else has the space's lease. `seconds` is how long it still lives unless it is renewed."""

    space: str
    user: str
    host: str
    pid: int
    command: str
    seconds: int

    headline = "{user} on {host} is changing {space}."
    seen = "`{command}` (process {pid}) holds its lease, for {seconds} s more unless it renews it."
    advice = """
        Nothing was changed. Type the same command again when that has ended: a lease whose holder died ends by itself.
        `deployer spaces:unlock {space}` takes it away from a machine that is gone for good.
        """


class PulumiRuns(Failure):
    """A deployer of this machine was killed, and the Pulumi that it began is still at work."""

    space: str
    pid: int
    since: str

    headline = "Pulumi still works on {space}, for a deployer that was killed (process {pid}, since {since})."
    advice = """
        It has been asked to stop: it finishes what runs in AWS, notes what came of it and ends. Type the same command
        again then. `kill -INT {pid}` asks it once more, and it leaves what runs unnoted, which the next `up` finds.
        """


class PulumiElsewhere(Failure):
    """As above, on another machine, where nobody can look from here."""

    space: str
    user: str
    host: str
    pid: int
    since: str

    headline = "{user} on {host} was changing {space}, and Pulumi may still work there."
    seen = "The lease has ended; Pulumi's lock has not (process {pid} on {host}, since {since})."
    advice = """
        Where {host} is off, or that process has ended, type `deployer spaces:unlock {space}`, and the same command
        again. An hour after it began, the lock counts no more.
        """


class AccountRefused(Failure):
    """The credentials belong to another account than the space does."""

    space: str
    found: str
    wanted: str

    headline = "These credentials belong to the account {found}; {space} belongs to {wanted}."
    advice = "Nothing was changed. Choose others with AWS_PROFILE, or mend `account` in deployer.toml."


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


class OwnersAlone(Failure):
    """A command on an app that changes what its space consists of, by somebody who may not."""

    space: str
    command: str
    reason: str

    headline = "`{command}` changes what {space} consists of in AWS, and these credentials may not."
    seen = "{reason}"
    advice = """
        Whoever owns {space} may: `deployer iam:policy owner --space {space}` prints the policy that it takes. What was
        done is noted, and the same command, typed with such credentials, goes on from there.
        """


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


class HostsNotThere(Failure):
    """The cloud of a space is there, and not all of its hosts have joined it in time."""

    space: str
    minutes: str
    found: str  # a line for each host and each problem

    headline = "Not all hosts of {space} serve after {minutes} minutes."
    seen = "{found}"
    advice = """
        AWS goes on: it replaces a host that does not join after a quarter of an hour. What a host said at its first
        boot stands in its console: aws ec2 get-console-output --latest --output text --instance-id ID
        `deployer up --space {space}` goes on from here; nothing is made twice."""


class HostNotReplaced(Failure):
    """A roll: the host that was to come in the place of another does not serve."""

    space: str
    host: str
    found: str  # a line for each host and each problem

    headline = "No new host of {space} serves: {host} was not replaced."
    seen = "{found}"
    advice = """
        The others serve, and there are as many as before. Where the account may have no more (vCPUs count by kind of
        size), ask AWS for more under Service Quotas. `deployer hosts:roll --space {space}` goes on from here."""


class HostStays(Failure):
    """A roll: the host that was sent away is still there."""

    space: str
    host: str
    minutes: str

    headline = "{host} was sent away, and is still there after {minutes} minutes."
    seen = "The new one serves in its place: apps are not without hosts."
    advice = """
        Its group ends it. `deployer hosts:roll --space {space}` goes on with the others."""


class NoSuchInstance(UsageFailure):
    """A roll of a host that there never was."""

    host: str
    space: str
    there: str

    headline = "{space} has no host {host}, and had none."
    seen = "Its hosts: {there}."
    advice = "`deployer hosts --space {space}` lists them."


class NoHostsYet(Failure):
    """A command that needs hosts, and a space in AWS of which this machine does not know where its ledger lies."""

    space: str

    headline = "This machine does not know the ledger of {space} yet."
    advice = "`deployer up --space {space}` makes what is missing of it, and has this machine know it."


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


class HostsComeByThemselves(UsageFailure):
    """A command about single hosts, and a space in AWS, whose Auto Scaling group starts and ends them. `instead` is
    what does there what was asked for."""

    space: str
    command: str  # `hosts:add`
    instead: str

    headline = "{space} is in AWS: its group starts hosts, and ends them. There is no `{command}` there."
    advice = "{instead}"
