"""The frontend that everybody outside reaches, as HAProxy's configuration has it (router_config.py)."""

from __future__ import annotations

from deployer.host import error_pages
from deployer.host.router_settings import Settings

CERTIFICATES = "certificates.lst"  # a crt-list of HAProxy's

# What HAProxy itself answered, told by the status it chose. `http-response` rules see the dyno's answers only,
# `http-after-response` rules HAProxy's own too.
OWN_ANSWERS = """\
  acl answered var(txn.answered) -m found
  acl coded var(txn.code) -m found
  http-response set-var(txn.answered) bool(true)
@CODES@
  http-after-response set-var(txn.code) str(H27) if !answered !coded { status 400 } { var(txn.be) -m found }""".replace(
    "@CODES@",
    "\n".join(
        f"  http-after-response set-var(txn.code) str({code}) if !answered !coded {{ status {status} }}"
        for status, code in error_pages.OWN_CODES.items()
    ),
)


def _answer(status: int, page: str, condition: str) -> str:
    file = f'content-type "text/html; charset=utf-8" lf-file @FOLDER@/errors/{page}.html'
    return f"  http-request return status {status} {file} if {condition}"


def frontend(settings: Settings) -> str:
    """`web`: rules in the order in which HAProxy goes through them."""
    return f"""\
frontend web
  bind {settings.bind}
{_secure_bind(settings)}  log global
  option idle-close-on-response
{_challenge(settings)}{_REQUEST}
{BACKEND}
{_ROUTING}
{_REDIRECT}
{_CODES}
{_answer(404, "no-such-app", "no_app !replaced")}
{_answer(503, "maintenance", "{ var(txn.code) -m str H80 }")}
{_answer(503, "app-error", "{ var(txn.code) -m found }")}
{_held_answers()}
  http-response add-header Via "1.1 deployer"
{OWN_ANSWERS}
  http-after-response set-status 503 if !answered {{ var(txn.code) -m str H12 H13 }}
  http-after-response set-status 499 if !answered {{ var(txn.code) -m str H27 }}
  {_LOG_FORMAT}
{_to_certbot(settings)}{_NEWER}
  use_backend newer_process if no_app replaced
  use_backend %[var(txn.be)]
"""


def _secure_bind(settings: Settings) -> str:
    """Certificates come and go by the socket: the list is read at the start alone, and its first one is for names that
    have none."""
    if not settings.secure_bind:
        return ""
    listed = f"ssl crt-list @FOLDER@/{CERTIFICATES} alpn h2,http/1.1 ssl-min-ver TLSv1.2"
    return f"  bind {settings.secure_bind} {listed}\n"


def _challenge(settings: Settings) -> str:
    """What ACME asks for is answered before anything else, whatever name it is asked of."""
    if not settings.secure_bind:
        return ""
    return """\
  acl challenge path_beg /.well-known/acme-challenge/
  http-request set-log-level silent if challenge
  http-request allow if challenge
"""


_NEWER = (
    "  # An app that is newer than this process, which a reload has replaced: the process of now knows it, or says H81."
)


def _to_certbot(settings: Settings) -> str:
    return "  use_backend acme if challenge\n" if settings.secure_bind else ""


def acme(settings: Settings) -> str:
    """The backend that is certbot, while it orders."""
    if not settings.secure_bind:
        return ""
    return f"""\

backend acme
  retries 0
  http-error status 503 content-type text/plain string "nobody orders a certificate here just now\\n"
  http-after-response set-status 404 if {{ status 503 }}
  server certbot 127.0.0.1:{settings.challenge_port}
"""


# A header line is limited as Heroku limits it; the sum of all lines by tune.bufsize. Values from the client that end
# up in log lines or pages are checked first: `%[var()]` is written as it stands.
_REQUEST = """\
  http-request set-var(txn.host) req.hdr(host),lower,field(1,:)
  http-request set-var(txn.host) str(invalid) unless { var(txn.host) -m reg ^[a-z0-9._-]{1,253}$ }
  http-request set-var(txn.rid) req.hdr(x-request-id)
  http-request set-var(txn.rid) uuid() unless { var(txn.rid) -m reg ^[A-Za-z0-9+/=-]{20,200}$ }
  http-request set-header X-Request-Id %[var(txn.rid)]
  http-request deny status 400 if { url,length gt 8160 } or { req.hdrs,length gt 8192 } { req.hdrs -m reg [^\\n]{8194} }
  acl from_front src -f @FOLDER@/fronts.lst
  http-request del-header X-Forwarded-Proto unless from_front
  http-request del-header X-Forwarded-Port unless from_front
  http-request add-header X-Forwarded-For %[src] unless from_front { req.hdr(x-forwarded-for) -m found }
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Port 443 if { ssl_fc }
  http-request set-header X-Forwarded-Proto http unless { req.hdr(x-forwarded-proto) -m str http https }
  acl has_port req.hdr(x-forwarded-port) -m int gt 0
  http-request set-header X-Forwarded-Port 443 if !has_port { req.hdr(x-forwarded-proto) -m str https }
  http-request set-header X-Forwarded-Port 80 unless has_port
  http-request set-header X-Request-Start %[date(0,ms)]
  http-request add-header Via "1.1 deployer"
  http-request set-var(txn.fwd) req.fhdr(x-forwarded-for)
  http-request set-var(txn.fwd) src unless { var(txn.fwd) -m reg ^[0-9A-Fa-f.:\\ ,]{1,200}$ }
  http-request set-var(txn.tls) bool(true) if { req.hdr(x-forwarded-proto) -m str https }
  http-request set-var(txn.ver) req.ver"""

# `*.example.com` for `www.example.com`: a name that an app has by itself goes before one that has a wildcard.
BACKEND = """\
  http-request set-var(txn.be) var(txn.host),map(@FOLDER@/hosts.map)
  acl has_backend var(txn.be) -m found
  http-request set-var(txn.known) var(txn.host)
  http-request set-var(txn.known) var(txn.host),regsub(^[^.]+,*) if !has_backend
  http-request set-var(txn.be) var(txn.known),map(@FOLDER@/hosts.map,no_app) if !has_backend"""

_ROUTING = """\
  http-request set-var(txn.state) var(txn.be),map(@FOLDER@/state.map,none)
  http-request set-var(txn.router) str(router),map(@FOLDER@/state.map,joining)
  acl no_app var(txn.be) -m str no_app
  acl replaced stopping
  acl is_ready var(txn.router) -m str ready
  http-request set-log-level silent if no_app { path_beg /-/ }
  acl counts lua.counts -m str yes
  http-request return status 503 content-type text/plain string "joining\\n" if no_app { path /-/ready } !is_ready
  http-request return status 503 content-type text/plain string "behind\\n" if no_app { path /-/ready } !counts
  http-request return status 200 content-type text/plain string "ready\\n" if no_app { path /-/ready }
  http-request set-var(txn.out) path,field(4,/),map(@FOLDER@/out.map,0) if no_app { path_beg /-/out/ }
  http-request return status 200 content-type text/plain lf-string "%[var(txn.out)]\\n" if { var(txn.out) -m found }"""

# Only the path and a name that has been checked: what else a client sends does not come back to it.
_REDIRECT = """\
  acl to_https var(txn.known),map(@FOLDER@/redirect.map) -m found
  acl is_https var(txn.tls) -m found
  http-request redirect code 301 location https://%[var(txn.host)]%[pathq] if to_https !is_https METH_GET
  http-request redirect code 308 location https://%[var(txn.host)]%[pathq] if to_https !is_https"""

_CODES = """\
  http-request set-var(txn.code) str(H81) if no_app !replaced
  http-request set-var(txn.code) str(H80) if { var(txn.state) -m str maint }
  http-request set-var(txn.code) str(H14) if { var(txn.state) -m str none } !no_app
  http-request set-var(txn.code) str(H10) if { var(txn.state) -m str crashed }"""


def _held_answers() -> str:
    """What came back by way of `hold`: the dyno that answered in the end, or the code of why none did."""
    file = 'content-type "text/html; charset=utf-8" lf-file @FOLDER@/errors'
    held = "{ srv_name -m str hold }"
    return f"""\
  http-response set-var(txn.dyno) res.hdr(x-deployer-dyno) if {held}
  http-response set-var(txn.code) res.hdr(x-deployer-code) if {held} {{ res.hdr(x-deployer-code) -m found }}
  http-response del-header X-Deployer-Dyno if {held}
  http-response del-header X-Deployer-Code if {held}
  http-response return status 404 {file}/no-such-app.html if {held} {{ var(txn.code) -m str H81 }}
  http-response return status 503 {file}/maintenance.html if {held} {{ var(txn.code) -m str H80 }}
  http-response return status 503 {file}/app-error.html if {held} {{ var(txn.code) -m found }}"""


_LOG_FORMAT = (
    "log-format 'be=%[var(txn.be)] code=%[var(txn.code)] method=%HM path=%{+Q,+E}HU host=%[var(txn.host)] "
    'request_id=%[var(txn.rid)] fwd="%[var(txn.fwd)]" dyno=%s held=%[var(txn.dyno)] connect=%Tc total=%Ta '
    "status=%ST bytes=%B protocol=%[var(txn.ver)] tls=%[var(txn.tls)] term=%ts'"
)
