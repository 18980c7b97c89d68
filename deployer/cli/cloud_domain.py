"""What is said of the domain of a space in AWS: what happens to it, and what is to be done until HTTPS is spoken."""

from __future__ import annotations

from deployer.operations.cloud_proposal import Proposal
from deployer.spaces.aws.domain import GIVEN_UP, ISSUED, Domain, entries
from deployer.spaces.aws.furnish import added
from deployer.spaces.aws.places import Place
from deployer.spaces.aws.record import Record
from infra.spec import Spec


def intended(found: Proposal) -> list[str]:
    """What the preview says of it."""
    changed = {(one.verb, one.kind, one.name) for one in found.changes or ()}
    told = ["HTTPS stops."] if ("delete", "listener", "https") in changed else []
    told += further(found)
    there, spec, before = found.domain, found.after, found.before.domain if found.before else None
    if there is None:
        return told
    if before not in (None, spec.domain):
        told.append(f"Apps answer at APP.{spec.domain} from then on, and no more at APP.{before}.")
    if found.before and before == spec.domain and not there.is_proved:
        waits = f"HTTPS waits for the certificate: `deployer spaces:info {found.name}` says for what."
        return [*told, waits] if spec.load_balancer else told
    if spec.load_balancer and there.is_proved:
        begins = ["HTTPS begins, and HTTP leads to it."] if ("create", "listener", "https") in changed else []
        return [*told, *begins]
    return [*told, *_not_yet(there, spec)]


def further(found: Proposal) -> list[str]:
    """What becomes of the records of domains that are new to the space."""
    known = found.before.domains if found.before else ()
    return [line for one in found.places if one.domain not in known for line in of_place(one)]


def of_place(one: Place) -> list[str]:
    """Where the records of a further domain are, and what is left alone there."""
    if one.taken is None:
        return [f"The records of {one.domain} are made in Route 53, in the zone {one.zone.name}."]
    return [
        f"The record that proves {one.domain} is made in Route 53, in the zone {one.zone.name}.",
        f"Somebody else's record stays as it is there: {one.taken}",
    ]


def _not_yet(there: Domain, spec: Spec) -> list[str]:
    told = (
        f"The records of {there.name} are made in Route 53, in the zone {there.zone.name}."
        if there.zone
        else f"Route 53 has no zone of {there.name} in this account: `up` says which records to add to its DNS."
    )
    later = "HTTPS comes with the first `up` after the certificate is issued, which takes those records."
    return [told, later] if spec.load_balancer else [told]


def url(known: Record) -> str:
    """Where apps answer."""
    spec, found = known.spec, known.outputs
    if spec.domain:
        return f"{'https' if 'https' in found else 'http'}://APP.{spec.domain}/"
    if address := found.get("address", ""):
        return f"http://APP.{address.replace('.', '-')}.sslip.io/"
    return f"http://{found.get('dns', '')}/"


def rows(known: Record, there: Domain | None) -> dict[str, str]:
    """What a space's own screen says of it."""
    if there is None:
        return {}
    records = "\n".join(map(str, entries(known.spec, known.outputs)))
    certificate = {"Certificate": _certificate(known, there)} if known.spec.load_balancer else {}
    return {**certificate, "DNS records": f"in Route 53, zone {there.zone.name}" if there.zone else records}


def added_rows(known: Record) -> dict[str, str]:
    """How far the certificates of further domains are."""
    found = [f"{one.name}: {one.reason or 'its certificate is shown'}" for one in added(known).values()]
    return {"Domains of apps": "\n".join(found)} if found else {}


def _certificate(known: Record, there: Domain) -> str:
    if "https" in known.outputs:
        return {ISSUED: "issued", "": "not there any more"}.get(there.status, there.status.lower())
    if there.is_proved:
        return f"issued: `deployer up --space {known.name}` adds HTTPS"
    if there.status in GIVEN_UP:
        return f"not issued: DNS did not prove {there.name} in 72 hours. The next `up` asks for a new one"
    return f"waits until DNS proves {there.name}, for 72 hours"


def todo(known: Record, there: Domain | None) -> str:
    """What somebody has to do next; empty where nobody has to."""
    if there is None or "https" in known.outputs or (there.is_proved and known.spec.load_balancer):
        return ""
    told = "" if there.zone else f"Add the DNS records above where the DNS of {there.name} is."
    if not known.spec.load_balancer:
        return told
    again = f"Once the certificate is issued, `deployer up --space {known.name}` adds HTTPS."
    if there.zone is None:
        return f"{told}\n{again}"
    servers = "\n".join(f"  {one}" for one in there.zone.servers)
    return f"{again}\nThat takes minutes, if whoever sold {there.zone.name} names these name servers:\n{servers}"
