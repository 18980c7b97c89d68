"""Where things stand in a space's store; the only place that spells keys."""

from __future__ import annotations

SPACE = "space"
APPS = "apps/"
ADDONS = "addons/"
HOSTS = "hosts/"
SEATS = "seats/"
REBOOT = "seats/reboot"  # below what hosts may write
UIDS = "uids/"
AUDIT = "audit/"
LEASES = "leases/"
LAYERS = "layers/"
ACCESS = "access/keys"
AGENT = "agent/current"
DATABASE_CA = "databases/ca"
CERTIFICATES = "certificates/"
DOMAINS = "domains/"
ISSUING = "issuing/"
ACCOUNT = "issuing/account"  # of ACME
CERTIFICATES_CHANGED = "issuing/changed"  # written after each change of certificates
BACKUPS = "backups/"  # below what hosts may write, once each
SCHEDULES = "schedules/"
ALL = (
    *(SPACE, APPS, "slugs/", ADDONS, HOSTS, SEATS, UIDS, "access/", LEASES, AUDIT),
    *("agent/", LAYERS, "databases/", CERTIFICATES, DOMAINS, ISSUING, BACKUPS, SCHEDULES),
)
"""The prefixes of everything that is ours in a store that others may have objects in."""


def app_folder(app: str) -> str:
    """The prefix of everything that an app has in the ledger."""
    return f"{APPS}{app}/"


def app(name: str) -> str:
    """What outlives an app's releases."""
    return f"{APPS}{name}/app"


def app_of(key: str) -> str | None:
    """`shop` for `apps/shop/app`; None for every other key."""
    parts = key.split("/")
    return parts[1] if len(parts) == 3 and parts[0] == "apps" and parts[2] == "app" else None


def current(app: str) -> str:
    """An app's commit point."""
    return f"{APPS}{app}/current"


def operation(app: str) -> str:
    """What a command is in the middle of."""
    return f"{APPS}{app}/operation"


def releases(app: str) -> str:
    """The prefix of an app's releases and their results."""
    return f"{APPS}{app}/releases/"


def release(app: str, number: int) -> str:
    """Eight digits, so that keys sort like numbers."""
    return f"{APPS}{app}/releases/{number:08d}"


def result(app: str, number: int) -> str:
    """What became of a release."""
    return release(app, number) + ".result"


def release_number(key: str) -> int | None:
    """42 for `apps/shop/releases/00000042`; None for results."""
    name = key.rpartition("/")[2]
    return int(name) if name.isdigit() else None


def config(app: str, digest: str) -> str:
    """A set of config vars by its digest."""
    return f"{APPS}{app}/config/{digest}"


def slug(digest: str) -> str:
    """A slug by its digest."""
    return f"slugs/{digest}"


def addon(name: str) -> str:
    """One add-on."""
    return ADDONS + name


def host(host_id: str) -> str:
    """One host's registration."""
    return HOSTS + host_id


def is_host(key: str) -> bool:
    """Whether a registration stands there, and not what a host says of itself beside it."""
    return key.startswith(HOSTS) and "/" not in key.removeprefix(HOSTS)


def host_of(key: str) -> str:
    """The id of the host that is registered there: of `hosts/ROLE:i-0123`, as a host of AWS writes it, the latter."""
    return key.removeprefix(HOSTS).rpartition(":")[2]


def own(user_id: str, what: str) -> str:
    """What a host of AWS writes of itself beside its registration: `state` or `failed`."""
    return f"{HOSTS}{user_id}/{what}"


def agent(name: str) -> str:
    """An agent's archive, for hosts that join."""
    return f"agent/{name}.tar.gz"


def layer(digest: str) -> str:
    """A layer's archive, for hosts that join."""
    return f"{LAYERS}{digest}"


def certificate(name: str) -> str:
    """The certificate of one name."""
    return CERTIFICATES + _part(name)


def domain(name: str) -> str:
    """The claim of an app on a domain that people have added: who puts it there first has the domain."""
    return DOMAINS + _part(name)


def _part(name: str) -> str:
    """A key has no asterisk, and a domain no underscore: `*.example.com` stands at `_wildcard.example.com`."""
    return name.replace("*", "_wildcard")


def seat(number: int) -> str:
    """The claim of a host on a seat."""
    return f"{SEATS}{number}"


def seat_number(key: str) -> int:
    """3 for `seats/3`; 0 for what else stands there."""
    name = key.removeprefix(SEATS)
    return int(name) if name.isdigit() else 0


def uid(number: int) -> str:
    """The claim of an app on a uid."""
    return f"{UIDS}{number}"


def lease(name: str) -> str:
    """The lease of an app (`app-NAME`), of a host that is being removed (`host-ID`), or of the space (`space`)."""
    return f"{LEASES}{name}"


def audit(time: str, entry: str) -> str:
    """One line of the audit: who did what. Colons are left out of the time: not every store takes them."""
    return f"{AUDIT}{time.replace(':', '')}-{entry}"


def backups(app: str) -> str:
    """The prefix of all that was backed up and restored of an app."""
    return f"{BACKUPS}{app}/"


def backup(app: str, name: str) -> str:
    """The record of `b001` or `r001`."""
    return f"{BACKUPS}{app}/{name}"


def outcome(app: str, name: str) -> str:
    """How it ended."""
    return f"{BACKUPS}{app}/{name}.outcome"


def dump(app: str, name: str) -> str:
    """The dump itself, where the store is a bucket."""
    return f"{BACKUPS}{app}/{name}.dump"


def schedules(app: str) -> str:
    """The prefix of an app's schedules."""
    return f"{SCHEDULES}{app}/"


def schedule(app: str, addon: str) -> str:
    """When a database is backed up."""
    return f"{SCHEDULES}{app}/{addon}"
