"""Spaces, their hosts and seats."""

from __future__ import annotations

from dataclasses import dataclass, field

from deployer.model.app import App
from deployer.model.certificate import Issuer
from deployer.model.names import is_app_name


@dataclass(frozen=True, slots=True)
class Host:
    """`hosts/ID`. `address` is how the command line reaches it, `private_address` how routers of other hosts do.
    `host_key` is an OpenSSH public key line without a comment (`ssh-ed25519 AAAA...`). `out` is the number of the roll
    since which the host is left out; 0 where it counts. One that is `leaving` is about to be removed."""

    id: str
    seat: int
    address: str
    private_address: str
    host_key: str
    user: str = "root"
    port: int = 22
    out: int = 0
    leaving: bool = False
    schema: int = 1


NO_HOST = Host("", 0, "", "", "")
"""In the pointer of a space in AWS: its hosts come and go, and its state bucket knows them."""


@dataclass(frozen=True, slots=True)
class Space:
    """`space`: the specification. `url` holds `{app}`; `tool` is the newest version that changed this space. Where the
    hosts have no private addresses `local_only` says that each router sends requests to its own host's dynos alone.
    `roll` grows whenever another host counts or one does no longer; `called` is the last one that the hosts know.
    `first` is the id of the host that was made the first one; empty where it is still that of the space's creation.
    `seats` is how many hosts a space in AWS may have at the same time, one more than it wants; `balanced` says that an
    ALB stands before them. `certificates` is who issues those that hosts order."""

    name: str
    kind: str  # sandbox, ssh, aws
    platform: str
    url: str
    created: str
    tool: str
    epoch: int = 1
    local_only: bool = False
    roll: int = 0
    called: int = 0
    first: str = ""
    seats: int = 0
    balanced: bool = False
    certificates: Issuer = field(default_factory=Issuer)
    schema: int = 1

    @property
    def has_load_balancer(self) -> bool:
        """Whether an ALB ends TLS. Records of before `balanced` say so by their URL, as far as that can be told."""
        return self.kind == "aws" and (self.balanced or "{app}" not in self.url or self.url.startswith("https://"))

    def app_url(self, app: str, *, secure: bool = False) -> str:
        """Where an app answers; `secure` where the certificate of its name is in force."""
        url = self.url.replace("{app}", app)
        return url.replace("http://", "https://", 1) if secure else url

    def app_host(self, app: str) -> str:
        """The name in the Host header that routers send to an app, without a port."""
        return self.app_url(app).split("//", 1)[1].split("/", 1)[0].split(":", 1)[0]

    def app_at(self, host: str) -> str | None:
        """The app, whether there is one or not, that this space gives the name `host`; None where it gives none so."""
        before, braces, after = self.app_host("{app}").partition("{app}")
        name = host.removeprefix(before).removesuffix(after)
        return name if braces and f"{before}{name}{after}" == host and is_app_name(name) else None

    def domains(self, app: App) -> tuple[str, ...]:
        """All names that routers send to an app, that of its URL first."""
        return (self.app_host(app.name), *app.domains)


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where a store lies that is no host's: `s3://BUCKET/PREFIX`. `endpoint` is None for AWS, `region` where it has to
    be found out."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        path = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        return f"{path} at {self.endpoint}" if self.endpoint else path


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a laptop remembers of a space: how to reach its store, nothing else. `folder` is the sandbox's own; `store`
    is None where the ledger lies on the first host, and the state bucket of a space in AWS, whose `ledger` is in
    another one, None as long as it has none; `targets` are what the user calls hosts, by their ids, where the user's
    own ssh leads to them. `hosts` and `epoch` are what the ledger said last: where another host has been made the
    first one, it is found among them."""

    name: str
    kind: str
    first: Host
    identity: str  # path of the private key; empty where the user's own keys open the hosts
    folder: str | None = None
    targets: dict[str, str] = field(default_factory=dict)
    store: StoreAddress | None = None
    hosts: tuple[Host, ...] = ()
    epoch: int = 0
    ledger: StoreAddress | None = None
    schema: int = 1
