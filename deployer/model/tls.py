"""Who proves a domain to browsers, and how far that is, in Heroku's words."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.model.certificate import ACM, FAILING, Certificate
from deployer.model.issuing import WILDCARD
from deployer.model.space import Space

OK, VERIFIED, IN_PROGRESS, FAILED, HTTP_ONLY = "OK", "DNS Verified", "In Progress", "Failing", "HTTP only"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the certificate of a domain is: a word, why, and when that was so."""

    word: str
    reason: str = ""
    at: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing is to be waited for."""
        return self.word in (OK, HTTP_ONLY)


def standing(space: Space, name: str, known: Certificate | None) -> Standing:
    """Of one domain. What the space's own certificate covers needs none of its own."""
    if space.kind == "sandbox":
        return Standing(HTTP_ONLY, "sandboxes speak HTTP only")
    if known is not None and known.is_in_force:
        return Standing(OK, known.reason if known.status == FAILING else "", known.starts or known.asked)
    if is_covered(space, name):
        return Standing(OK)
    if space.has_load_balancer and known is None:
        return Standing(HTTP_ONLY, "the load balancer has no certificate for it")
    if name.startswith("*.") and (known is None or known.by != ACM):
        return Standing(HTTP_ONLY, WILDCARD)
    if known is None:
        return Standing(IN_PROGRESS)
    if known.status == FAILING:
        return Standing(FAILED, known.reason, known.asked)
    return Standing(VERIFIED if known.asked else IN_PROGRESS, known.reason, known.asked)


def is_covered(space: Space, name: str) -> bool:
    """Whether the one certificate of the space's domain proves it: it is for the domain and names one part below."""
    own = space.app_host("{app}").partition("{app}.")[2]
    return space.url.startswith("https://") and bool(own) and own in (name, name.partition(".")[2])


def has_https(space: Space, name: str, known: Certificate | None, now: str) -> bool:
    """Whether browsers get a valid certificate for it at `now`."""
    if space.kind == "sandbox":
        return False
    in_force = known is not None and known.is_in_force and (not known.ends or known.ends > now)
    return in_force or is_covered(space, name)
