"""Formations: words that say none, and hosts that hold none."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure


class NotEnoughMemory(Failure):
    """No host has room for a dyno. `memory` in MiB."""

    dyno: str
    memory: int
    room: str  # `200 MiB on seat 1, 50 MiB on seat 2`

    headline = "There is no room for {dyno}: it takes {memory} MiB."
    seen = "Free for dynos: {room}."
    advice = "Scale something down with `deployer ps:scale`, choose a smaller size, or add a host."


class BadScale(UsageFailure):
    """Words of `ps:scale` that say nothing. `words` holds one line each."""

    words: str
    example: str

    headline = "These do not say what to scale:"
    seen = "{words}"
    advice = "Write TYPE=N, TYPE+N or TYPE-N, with a size after a colon: `deployer ps:scale {example}`."


class NoSuchProcessType(Failure):
    """A type that the current release does not declare."""

    process_type: str
    app: str
    known: str  # `web, worker`, or `none`

    headline = "Couldn't find the process type {process_type} in ⬢ {app}."
    seen = "Its current release declares: {known}."
    advice = "Add `{process_type}: COMMAND` to the Procfile and deploy."


class NoSuchDyno(Failure):
    """A dyno that does not run."""

    dyno: str
    app: str
    known: str

    headline = "Couldn't find the dyno {dyno} of ⬢ {app}."
    seen = "There are: {known}."
    advice = "`deployer ps -a {app}` lists them."


class NoDynoNamed(UsageFailure):
    """`ps:stop` without a dyno or a process type, or with both."""

    headline = "Which dynos are to stop?"
    advice = "Name a dyno or a process type: `deployer ps:stop -d run.1234`, `deployer ps:stop -p worker`."
