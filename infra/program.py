"""The Pulumi program of a space: its specification becomes what is in AWS. Only a run of it imports Pulumi."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.components.access import Access
from infra.components.budget import Budget
from infra.components.database import Database, End
from infra.components.domain import Domain
from infra.components.hosts import Boot, Hosts
from infra.components.load_balancer import LoadBalancer, proof_of
from infra.components.network import Network
from infra.components.noun import TOOL
from infra.components.store import Store
from infra.records import Records
from infra.resources import IMAGES, MAJOR
from infra.sizes import HOSTS
from infra.spec import ZONES, Spec


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run needs. `image` is the id that the space is pinned to, None to take Debian's newest; `snapshot` names
    the last snapshot of a database that goes, anew at each run; `certificate_issued`: DNS has proved the domain; `zone`
    is the id of Route 53's zone that the domain is in, None where this account has none. `leaving`: what keeps the
    database from being deleted is taken away; with `keep` its last snapshot stays. `boundary` is the ARN of the policy
    that the role of the hosts cannot go beyond. `bucket` is what the store's bucket is called, as the user data
    says it, too; None where Pulumi may choose. `proved`
    are those of the specification's further domains that DNS has proved, and `records` are what of theirs goes into
    zones of Route 53."""

    space: str
    spec: Spec
    user_data: str
    snapshot: str
    image: str | None = None
    postgres: int = MAJOR
    certificate_issued: bool = False
    zone: str | None = None
    leaving: bool = False
    keep: bool = True
    boundary: str | None = None
    bucket: str | None = None
    proved: tuple[str, ...] = ()
    records: tuple[Records, ...] = ()


def program(settings: Settings) -> None:
    """Declare everything, and export what the space is reached by."""
    space, spec = settings.space, settings.spec
    opts = pulumi.ResourceOptions(provider=provider(settings))
    where = pulumi.InvokeOptions(provider=opts.provider)
    network = Network(space, spec, zones(where), opts)
    hosts = Hosts(space, spec, network, opts)
    Access(space, spec, network, hosts.walls, opts)
    store = Store(space, settings.bucket, opts)
    front = LoadBalancer(space, spec, network, hosts.walls, opts) if spec.load_balancer else None
    if front:
        front.listen(secure=settings.certificate_issued, proved=settings.proved)
    hosts.keep(boot(settings, where), store.arn, [front.targets] if front else [], [front.alb] if front else [])
    name_it(settings, hosts, front, opts)
    database = None
    if spec.has_databases:
        end = End(settings.snapshot, leaving=settings.leaving, keep=settings.keep)
        database = Database(space, spec, network, hosts.walls, settings.postgres, end, opts)
    if spec.budget:
        Budget(space, spec.budget, opts)
    export(hosts, store, front, database, settings)


def name_it(settings: Settings, hosts: Hosts, front: LoadBalancer | None, opts: pulumi.ResourceOptions) -> None:
    """The records of its domains, as far as their zones are here."""
    own = settings.spec.domain if settings.zone else None
    further = settings.records if front else ()
    if not own and not further:
        return
    domain = Domain(settings.space, opts)
    if own and settings.zone:
        domain.own(own, settings.zone, hosts, front)
    for one in further:
        assert front
        domain.further(one, front)
    domain.leave()


def provider(settings: Settings) -> aws.Provider:
    """The one provider of the space: its region, and no account but its own."""
    account = settings.spec.account
    return aws.Provider(
        "aws",
        region=settings.spec.region,
        allowed_account_ids=[account] if account else None,
        default_tags={"tags": {f"{TOOL}:space": settings.space, f"{TOOL}:tool": TOOL}},
    )


def zones(where: pulumi.InvokeOptions) -> Sequence[str]:
    """As many zones of the region as a space wants, of those that every account has."""
    plain = [{"name": "opt-in-status", "values": ["opt-in-not-required"]}]
    found = aws.get_availability_zones(state="available", filters=plain, opts=where).names
    return sorted(found)[:ZONES]


def boot(settings: Settings, where: pulumi.InvokeOptions) -> Boot:
    """The image, and the name by which it knows its root device: with another one a host would get a second disk."""
    architecture = HOSTS[settings.spec.hosts.size].architecture
    image = settings.image
    if image is None:
        image = aws.ssm.get_parameter(name=IMAGES.format(architecture=architecture), opts=where).value
    found = aws.ec2.get_ami(filters=[{"name": "image-id", "values": [image]}], opts=where)
    return Boot(image, found.root_device_name, settings.user_data, settings.boundary)


def export(
    hosts: Hosts, store: Store, front: LoadBalancer | None, database: Database | None, settings: Settings
) -> None:
    """What others need to know: how the space is reached, and what `down` has to name."""
    outputs: dict[str, Any] = {"bucket": store.bucket, "group": hosts.group.name}
    if front:
        outputs |= {"dns": front.dns, "zone": front.zone}
        if front.certificate:
            outputs |= {"proof": front.proof, "https": front.is_secure or None}
        if front.added:
            outputs["domains"] = pulumi.Output.json_dumps(further(front, settings))
    else:
        outputs["address"] = hosts.address
    if database and database.endpoint:
        outputs |= {"database": database.endpoint, "master": database.secret}
    for key, value in outputs.items():
        pulumi.export(key, value)


def further(front: LoadBalancer, settings: Settings) -> dict[str, Any]:
    """Of each further domain its certificate, what proves it, whether it is shown, which of its records are made."""
    made = {one.domain: one for one in settings.records}
    return {
        name: {
            "arn": one.arn,
            "proof": proof_of(one),
            "shown": name in settings.proved,
            "zone": made[name].zone if name in made else None,
            "leads": name in made and made[name].leads,
        }
        for name, one in front.added.items()
    }
