"""Options that many commands share."""

from __future__ import annotations

from typing import Annotated

import typer

App = Annotated[str | None, typer.Option("-a", "--app", metavar="APP", help="APP or SPACE/APP.")]
Remote = Annotated[
    str | None, typer.Option("-r", "--remote", metavar="REMOTE", help="The app that a git remote leads to.")
]
Space = Annotated[str | None, typer.Option("--space", metavar="SPACE", help="The space.")]
Json = Annotated[bool, typer.Option("-j", "--json", help="JSON on stdout.", show_default=False)]
Confirm = Annotated[
    str | None, typer.Option("-c", "--confirm", metavar="NAME", help="Skip the question by naming what goes.")
]
Watch = Annotated[
    float | None,
    typer.Option(
        "--watch", metavar="SECONDS", min=0, help="Watch the release so long before the old dynos go; 0: not at all."
    ),
]


def _hear_wait(ctx: typer.Context, value: float | None) -> float | None:
    """For hosts, too: what opens the space reads it from the shell."""
    ctx.obj.wait = value
    return value


Wait = Annotated[
    float | None,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        callback=_hear_wait,
        help="Wait that long while somebody else changes the app, or a host does not answer.",
    ),
]
StoreAt = Annotated[str | None, typer.Option("--store", metavar="s3://BUCKET/PREFIX", help="Where the ledger lies.")]
StoreEndpoint = Annotated[
    str | None, typer.Option("--store-endpoint", metavar="URL", help="Of an S3 that is not AWS's.")
]
StoreRegion = Annotated[str | None, typer.Option("--store-region", metavar="REGION", help="Of the bucket.")]
HostKeys = Annotated[
    list[str] | None,
    typer.Option("--host-key", metavar="SHA256:...", help="Trust this fingerprint of a host instead of asking."),
]
