"""The pages that the router answers with by itself. They name Heroku's error code and what the app's owner types."""

from __future__ import annotations

# What HAProxy itself answers with, and Heroku's codes for it. Such a page is made before rules can set a variable.
OWN_CODES = {502: "H13", 503: "H21", 504: "H12"}

# In HAProxy's `lf-file` a percent sign begins an expression: none may stand in these texts but in expressions of ours.
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>@TITLE@</title>
<style>
body {font: 16px/1.5 system-ui, sans-serif; color: #2b2b33; background: #f6f6f8}
main {margin: 12vh auto; max-width: 34em; padding: 0 1.5em}
h1 {font-size: 1.5em}
code {background: #e7e7ee; border-radius: 4px; padding: .1em .35em}
footer {color: #6d6d78; font-size: .85em; margin-top: 3em}
</style>
</head>
<body>
<main>
<h1>@TITLE@</h1>
@BODY@
</main>
</body>
</html>
"""
_APP_ERROR = """\
<p>The app could not answer this request. Please try again in a moment.</p>
<p>If it is yours, <code>deployer logs --tail -a %[var(txn.be),regsub(^be_,)]</code> shows why.</p>
<footer>@CODE@ &middot; request %[var(txn.rid)]</footer>"""
_MAINTENANCE = """\
<p>The app is being worked on and will be back soon.</p>
<footer>If it is yours: <code>deployer maintenance:off</code> ends this.</footer>"""
_NO_SUCH_APP = """\
<p>No app answers at this address.</p>
<p>If it should be yours, <code>deployer apps</code> and <code>deployer domains</code> list what there is.</p>
<footer>H81 &middot; request %[var(txn.rid)]</footer>"""


def pages() -> dict[str, str]:
    """Every page by the name of its file."""
    return {
        "app-error.html": _app_error("%[var(txn.code)]"),
        **{f"{status}.html": _app_error(code) for status, code in OWN_CODES.items()},
        "maintenance.html": _page("Down for maintenance", _MAINTENANCE),
        "no-such-app.html": _page("There is nothing here", _NO_SUCH_APP),
    }


def _app_error(code: str) -> str:
    return _page("Application error", _APP_ERROR.replace("@CODE@", code))


def _page(title: str, body: str) -> str:
    return _PAGE.replace("@TITLE@", title).replace("@BODY@", body)
