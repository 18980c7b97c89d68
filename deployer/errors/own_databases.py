"""Own databases: RDS instances that one add-on each has to itself, made, filled from others, and destroyed."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure


class PlanElsewhere(Failure):
    """A plan of an RDS instance, in a space that is not in AWS."""

    plan: str
    service: str
    space: str
    known: str

    headline = "{plan} is a database server of its own, which AWS runs: {space} is not in AWS."
    seen = "Plans that work in {space}: {known}."
    advice = "`deployer addons:create {service}:essential-0` makes a database on the PostgreSQL that {space} has."


class NotOfThisPlan(UsageFailure):
    """--fork, --rollback, --snapshot or --wait, and a plan that is no instance of its own."""

    option: str
    plan: str

    headline = "{option} does not go with {plan}."
    advice = "It takes a plan with a database server of its own, such as standard-0."


class SeveralOrigins(UsageFailure):
    """More than one of --fork, --rollback and --snapshot; or --to without --rollback."""

    options: str

    headline = "A database is filled from one thing: {options}."
    advice = "Give --fork DATABASE, or --rollback DATABASE --to TIME, or --snapshot NAME."


class BadTime(UsageFailure):
    """`--to` that is no moment."""

    text: str

    headline = "`{text}` is no moment: date, time and zone are wanted."
    advice = "For example: --to '2026-11-30 13:00:00+00:00', or 2026-11-30T13:00:00Z."


class TimeOutside(Failure):
    """`--to` of which RDS keeps nothing."""

    text: str
    name: str
    earliest: str
    latest: str

    headline = "{name} cannot be brought back to {text}."
    seen = "It can be to any second from {earliest} to {latest}."
    advice = "Choose a time between. `deployer pg:snapshots` lists snapshots, which may be older."


class NoBackupYet(Failure):
    """RDS has nothing to bring back yet."""

    name: str
    status: str

    headline = "RDS keeps nothing yet that {name} could be brought back from."
    seen = "It is {status}; its first backup is made within minutes after it is there."
    advice = "Type the same command again in some minutes."


class SnapshotUnknown(Failure):
    """`--snapshot` of none that the app's databases have left."""

    name: str
    app: str
    known: str

    headline = "Couldn't find the snapshot {name} of ⬢ {app}."
    seen = "There are: {known}."
    advice = "`deployer pg:snapshots -a {app}` lists them."


class DatabaseBeingMade(Failure):
    """RDS does not have it ready yet."""

    name: str
    app: str
    status: str

    headline = "The database {name} is not there yet: RDS says {status}."
    advice = "`deployer pg:wait -a {app}` waits for it: 5 to 10 minutes, more where it is filled from another."


class DatabaseNotMade(Failure):
    """The ledger wants it, AWS has nothing of it: the run that was to make it did not come so far."""

    name: str
    plan: str
    app: str

    headline = "AWS has not begun to make the database {name}."
    seen = "The command that was to make it was cut off, or AWS refused it."
    advice = """
        `deployer addons:create {plan} --name {name} -a {app}` goes on with it,
        `deployer addons:destroy {name} -a {app}` forgets it.
        """


class DatabaseFailed(Failure):
    """RDS has given up, or the database is in a state that it does not leave by itself."""

    name: str
    app: str
    status: str
    identifier: str

    headline = "RDS could not make the database {name}: it says {status}."
    seen = "Instance {identifier}; its events in the console of RDS say why."
    advice = "`deployer addons:destroy {name} -a {app}` takes it away; then create another one."


class DatabaseSlow(Failure):
    """`pg:wait` has waited for as long as it does."""

    name: str
    app: str
    status: str
    minutes: int

    headline = "The database {name} is not there after {minutes} minutes: RDS says {status}."
    advice = "Large ones take longer where they are filled from others. `deployer pg:wait -a {app}` waits on."


class OwnDatabasesStand(Failure):
    """An app that is to be destroyed has instances of RDS."""

    app: str
    names: str
    commands: str

    headline = "⬢ {app} has database servers of its own, which are not destroyed with it: {names}."
    advice = """
        Destroy them first, each with its preview and its last snapshot; then type the same command again:
            {commands}
        """
