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
Wait = Annotated[
    float | None, typer.Option("--wait", metavar="SECONDS", help="Wait that long while somebody else changes the app.")
]
