"""Every word that a user reads about failures of add-ons and databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deployer.errors import addons as words
from deployer.errors import rds
from deployer.errors.base import Failure
from deployer.errors.host import failure

REFUSED = 'connection to server on socket "/run/postgresql/.s.PGSQL.5432" failed: Connection refused'
RDS = "deployer-production-0a1b2c3.abc.eu-central-1.rds.amazonaws.com"
FAILURES: dict[str, Failure] = {
    "service-unknown": words.ServiceUnknown("heroku-redis", "heroku-postgresql"),
    "plan-unknown": words.PlanUnknown("heroku-postgresql", "standard-0", "essential-0, mini"),
    "addon-unknown": words.AddonUnknown("REPORTS", "shop", "postgresql-flat-12345"),
    "addon-ambiguous": words.AddonAmbiguous("postgresql", "shop", "postgresql-flat-12345, postgresql-round-54321"),
    "addon-name-taken": words.AddonNameTaken("shop-db"),
    "bad-attachment-name": words.BadAttachmentName("my-db"),
    "attachment-taken": words.AttachmentTaken("REPORTS", "shop"),
    "database-unknown": words.DatabaseUnknown("PINK", "shop", "DATABASE_URL, postgresql-flat-12345"),
    "already-primary": words.AlreadyPrimary("postgresql-flat-12345", "shop"),
    "no-database": words.NoDatabase("shop"),
    "host-lost": words.DatabaseHostLost("postgresql-flat-12345", "heroku-postgresql", "shop", "sandbox-h1"),
    "space-without-database": rds.SpaceWithoutDatabase("production", "db.t4g.micro", " (about $17 a month)"),
    "bundle-unreached": rds.BundleUnreached("https://truststore.pki.rds.amazonaws.com/x/x-bundle.pem", "timed out"),
    "database-unfinished": words.DatabaseUnfinished("postgresql-flat-12345", "heroku-postgresql", "shop"),
}
ANSWERS: dict[str, dict[str, Any]] = {
    "postgres-missing": {"path": "/usr/lib/postgresql"},
    "postgres-down": {"said": REFUSED, "log": "LOG:  shutting down", "unit": "postgresql@17-deployer.service"},
    "postgres-disk-full": {"said": "ERROR:  could not extend file: No space left on device"},
    "postgres-refused": {"said": 'ERROR:  role "u1" cannot be dropped'},
    "postgres-no-database": {"name": "u1"},
    "rds-full": {"address": RDS, "wanted": 20, "most": 76, "taken": 60},
    "rds-down": {"address": RDS, "said": f'connection to server at "{RDS}", port 5432 failed: Connection timed out'},
    "rds-disk-full": {"address": RDS, "said": "ERROR:  could not extend file: No space left on device"},
    "rds-refused": {"address": RDS, "said": 'ERROR:  role "u1" cannot be dropped'},
    "rds-no-database": {"address": RDS, "name": "u1"},
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_a_failure_says(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"errors/addons/{name}.txt", f"{FAILURES[name]}\n")


@pytest.mark.parametrize("code", ANSWERS)
def test_what_an_agents_answer_says(code: str, golden: Callable[[str, str], None]) -> None:
    golden(f"errors/addons/{code}.txt", f"{failure('h1', code, ANSWERS[code])}\n")


def test_every_failure_of_addons_is_reviewed_here() -> None:
    modules = (words, rds)
    found = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    kinds = {kind for kind in found if kind.__module__ in [module.__name__ for module in modules]}
    reviewed = {type(f) for f in FAILURES.values()} | {type(failure("h1", code, ANSWERS[code])) for code in ANSWERS}
    assert kinds == reviewed
