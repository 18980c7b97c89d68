"""The PostgreSQL that RDS runs for a space in AWS: the words for one that is not there, does not answer, or is full."""

from __future__ import annotations

from deployer.errors.base import Failure
from deployer.errors.host import words


class SpaceWithoutDatabase(Failure):
    """A database is wanted in a space of AWS that has none. `price` says what one costs, or is empty."""

    space: str
    size: str
    price: str = ""

    headline = "The space {space} has no PostgreSQL that a database could be made on."
    advice = """
        Add one to [space.{space}] in deployer.toml{price}:
            database = {{ size = "{size}" }}
        Then `deployer up --space {space}` shows what it costs, asks, and makes it: that takes ten minutes or so.
        """


class BundleUnreached(Failure):
    """The certificates that RDS's are verified by cannot be had. `reason` is what was seen."""

    url: str
    reason: str

    headline = "The certificates of RDS's authorities could not be downloaded, and without them no host can verify it."
    seen = "{url}: {reason}"
    advice = """
        They are needed once for a space, from a machine that reaches that address; HTTPS_PROXY names a proxy.
        Nothing was made. Type the same command again.
        """


@words("rds-full")
class RdsFull(Failure):
    """The plans of all databases may use as many connections as the server takes."""

    host: str
    address: str
    wanted: int
    most: int
    taken: int

    headline = "The space's PostgreSQL has not so many connections left: {wanted} are wanted."
    seen = "{address} takes {most} for apps; the plans of its databases have {taken} of them."
    advice = """
        A larger `database.size` in deployer.toml takes more; `deployer up` brings the database to it.
        Or `deployer addons --all` shows which databases there are: one of a smaller plan, or one less, makes room.
        """


@words("rds-down")
class RdsDown(Failure):
    """The server takes no connections from a host, or does not prove who it is."""

    host: str
    address: str
    said: str

    headline = "The space's PostgreSQL does not answer host {host}."
    seen = "{said}"
    advice = """
        It does not while AWS makes, changes or maintains it: run the command again in some minutes.
        Else look at {address} in RDS, and whether its security group lets the hosts in: `deployer spaces:refresh`.
        """


@words("rds-disk-full")
class RdsDiskFull(Failure):
    """No room for the database."""

    host: str
    address: str
    said: str

    headline = "The storage of the space's PostgreSQL is full."
    seen = "{said}"
    advice = "A larger `database.storage` in deployer.toml gives it more; `deployer up` brings the database to it."


@words("rds-refused")
class RdsRefused(Failure):
    """The server said no."""

    host: str
    address: str
    said: str

    headline = "The space's PostgreSQL refused what deployer asked of it."
    seen = "{address}: {said}"
    advice = "Nothing is half done that the same command does not finish: it is safe to run it again."


@words("rds-no-database")
class RdsDatabaseGone(Failure):
    """The ledger knows the database, the server does not."""

    host: str
    address: str
    name: str

    headline = "The database {name} is no longer at {address}."
    seen = "The space's ledger knows it, its server does not: somebody dropped it by hand, or RDS was made anew."
    advice = "Destroy the add-on and create another, or restore a snapshot of RDS beside it and copy from there."
