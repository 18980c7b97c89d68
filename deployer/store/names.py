"""Domains and certificates in the ledger: whose a domain is, and how far its certificate is."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from deployer.errors.ledger import RecordChanged
from deployer.model.app import App
from deployer.model.certificate import Certificate
from deployer.model.lease import Lease
from deployer.model.space import Space
from deployer.store import certificates, keys, record
from deployer.store.base import Delete, Get, Lost, Stored
from deployer.store.entries import Claim
from deployer.store.foresight import Foresight
from deployer.store.records import Records


class Names(Records):
    """The part of the ledger that knows names in DNS."""

    def __init__(self, store: Foresight) -> None:
        super().__init__(store)
        self._space: Space | None = None  # as it was read or written last
        self._seen: dict[str, Certificate | None] = {}

    def claim_domain(self, name: str, app: str) -> str:
        """Have a domain be the app's, if nobody has it; whose it is then. The app's lease has to be held: its record
        gets the domain after this, and whoever asks meanwhile sees both."""
        while True:
            owner = self.domain_owner(name)
            if owner is not None:
                return owner
            with suppress(RecordChanged):
                self._put(keys.domain(name), Claim(app))
                return app

    def domain_owner(self, name: str) -> str | None:
        """Who has the domain. A claim counts as long as its app lists the domain or is being changed: what a command
        has left that died between the two belongs to nobody."""
        claim = self._get(Claim, keys.domain(name))
        return claim.owner if claim and self._is_good(claim.owner, name) else None

    def _is_good(self, app: str, name: str) -> bool:
        # The lease first: it is freed after the record is written.
        answers = self.store.batch([Get(keys.lease(f"app-{app}"))])
        lease = record.found(Lease, answers.answers[0])
        if lease is not None and lease.is_held(answers.now):
            return True
        found = record.found(App, self.store.batch([Get(keys.app(app))]).answers[0])
        return found is not None and name in found.domains

    def free_domains(self, names: Iterable[str], app: str) -> None:
        """Others may have these domains, which the app lists no more."""
        wanted = [keys.domain(name) for name in names]
        found = self.store.batch([Get(key) for key in wanted]).answers if wanted else ()
        for key, stored in zip(wanted, found, strict=True):
            claim = record.found(Claim, stored)
            if isinstance(stored, Stored) and claim is not None and claim.owner == app:
                with suppress(Lost):  # somebody has it already
                    self.store.batch([Delete(key, if_match=stored.etag)])
            self._etags.pop(key, None)

    def certificates(self, names: Iterable[str]) -> dict[str, Certificate]:
        """The certificates of these names, in one batch; those that there are."""
        wanted = list(names)
        found = self._read(*((Certificate, keys.certificate(name)) for name in wanted)) if wanted else ()
        self._seen.update(zip(wanted, found, strict=True))
        return {name: one for name, one in zip(wanted, found, strict=True) if one is not None}

    def certificate_seen(self, name: str) -> Certificate | None:
        """That of one name as it was read last, with an app's state as a rule."""
        return self._seen[name] if name in self._seen else self.certificates([name]).get(name)

    def save_certificate(self, certificate: Certificate, at: str) -> None:
        """Write how far a certificate is, unless a host has written since it was read here: RecordChanged. Hosts hear
        that something has changed."""
        self._put(keys.certificate(certificate.name), certificate)
        self._seen[certificate.name] = certificate
        self.store.batch([certificates.changed(at)])

    def _of_its_url(self, app: str) -> tuple[str, ...]:
        """The name whose certificate an app's URL depends on; none where the space has one for all, or none at all."""
        space = self._space
        if space is None or space.kind == "sandbox" or space.url.startswith("https://"):
            return ()
        return (space.app_host(app),)
