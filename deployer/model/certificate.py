"""The certificate of one name, as the ledger has it (docs/certificates.md)."""

from __future__ import annotations

from dataclasses import dataclass, field

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
PENDING, ISSUED, FAILING = "pending", "issued", "failing"
ACME, ACM = "acme", "acm"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose ACME directory a space's hosts order from, and whom it writes to, if anybody."""

    server: str = LETS_ENCRYPT
    email: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """`issuing/account`: the files of certbot's accounts, by their paths. Another host orders as the same customer."""

    files: dict[str, str] = field(default_factory=dict, repr=False)
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Changed:
    """`issuing/changed`: when the last certificate changed. Who knows its etag knows whether to read them again."""

    at: str
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Certificate:
    """`certificates/NAME`. `by` is who issues it: `acme`, whose chain and key (PEM) stand here, or `acm`, which has its
    own and is known by its `arn`. Times are ISO 8601 in UTC: `starts` and `ends` are those of the certificate that is
    in force, `asked` is when its issuer was asked last. `failures` counts those in a row, `reason` is the last one's.
    `status` is `failing` where the last try failed, also while an older certificate is still in force."""

    name: str
    by: str
    status: str
    chain: str = ""
    key: str = field(default="", repr=False)
    arn: str = ""
    starts: str = ""
    ends: str = ""
    asked: str = ""
    failures: int = 0
    reason: str = ""
    schema: int = 1

    @property
    def is_in_force(self) -> bool:
        """Whether there is one that a front can show."""
        return bool(self.chain and self.key) or (self.by == ACM and self.status == ISSUED)
