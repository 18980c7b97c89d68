"""HAProxy's configuration for all apps of a host, as texts: haproxy.cfg and its maps.

One backend per app with fixed slots, so that a deploy only changes addresses through the runtime socket. Requests that
find no dyno (none is up, or the last one refused the connection) go to the backup server `hold`, which is this very
HAProxy: its frontend `hold` waits in Lua until a dyno is up and sends the request on. Retries alone would not do:
as soon as the checks see the last dyno die, HAProxy answers 503 to whoever is between two tries.

The texts pass HAProxy 2.6 and 3.0. What only 3.0 knows is rendered for it alone.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from deployer.errors.base import HostFailure
from deployer.host import error_pages, hold_lua, roll_lua
from deployer.host.hold_lua import BOOT_DEADLINE
from deployer.model.names import is_app_name
from deployer.model.roll import Roll
from deployer.model.routes import Routes, Server

# Loopback and private networks: where load balancers stand, and where a router's real clients do not.
PRIVATE = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
INTENTS = ("none", "running", "maint", "crashed")
DOMAIN = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*")
SLOT = re.compile(r"web\.[1-9][0-9]{0,2}")
MOST_CONNECTIONS = 4000  # of all apps
ROUTER = "router"  # its own key in state.map, with `ready` or `joining`; no app has it, backends begin with be_


@dataclass(frozen=True, slots=True)
class Settings:
    """What a router's configuration depends on besides routes. Times in seconds; `version` is HAProxy's."""

    folder: Path = Path("/etc/haproxy")
    run: Path = Path("/run/haproxy")
    bind: str = ":80"
    log: str = "/dev/log len 20000 local0"
    user: str | None = "haproxy"
    version: tuple[int, int] = (3, 0)
    fronts: tuple[str, ...] = PRIVATE
    first_byte: int = 30
    idle: int = 55
    boot: int = BOOT_DEADLINE
    ready: bool = True
    crashed: Path = Path("/run/deployer/crashed")
    per_app: int = MOST_CONNECTIONS // 2  # requests and websockets of one app: no app takes the router from all others
    roll: Roll = field(default_factory=Roll)
    peer_port: int = 80


def backend(app: str) -> str:
    """The name of an app's backend: what the router's log lines carry as `be=`."""
    return f"be_{app}"


def check(routes: Routes) -> None:
    """Raise `bad-routes` for routes that could break the configuration or somebody else's part of it."""
    slots = [server.slot for server in routes.servers]
    problems = [f"{routes.app!r} is no app's name"] if not is_app_name(routes.app) else []
    problems += [f"{name!r} is no domain" for name in routes.domains if not DOMAIN.fullmatch(name)]
    problems += [f"{routes.intent!r} is no intent"] if routes.intent not in INTENTS else []
    problems += [f"{slot!r} is no slot" for slot in slots if not SLOT.fullmatch(slot)]
    problems += ["a slot stands there twice"] if len(set(slots)) < len(slots) else []
    problems += [why for server in routes.servers if (why := _address_problem(server))]
    if problems:
        raise HostFailure("bad-routes", {"app": routes.app, "reason": "; ".join(problems)})


def _address_problem(server: Server) -> str | None:
    try:
        ipaddress.ip_address(server.address)
    except ValueError:
        return f"{server.address!r} is no address"
    return None if 0 < server.port < 65536 else f"{server.port} is no port"


def render_hosts_map(routes: Iterable[Routes]) -> str:
    """hosts.map: `DOMAIN BACKEND`. An app that claims what another one has comes last and gets nothing."""
    return _lines(f"{name} {be}" for name, be in host_entries(routes).items())


def host_entries(routes: Iterable[Routes]) -> dict[str, str]:
    """Backends by domain; the first app in the alphabet keeps a domain that two claim."""
    entries: dict[str, str] = {}
    for one in sorted(routes, key=lambda r: r.app):
        for name in one.domains:
            entries.setdefault(name, backend(one.app))
    return entries


def render_state_map(routes: Iterable[Routes], *, ready: bool) -> str:
    """state.map: `BACKEND INTENT`, and whether this router wants the front's traffic."""
    apps = [f"{backend(one.app)} {one.intent}" for one in sorted(routes, key=lambda r: r.app)]
    return _lines([f"{ROUTER} {'ready' if ready else 'joining'}", *apps])


def render_out_map(roll: Roll) -> str:
    """out.map: the hosts that are left out, and since which number of the roll; what other routers ask for."""
    return _lines(f"{host} {number}" for host, number in sorted(roll.out.items()))


def render_roll(settings: Settings) -> str:
    """roll.lst: whom this router asks whether its host counts."""
    roll = settings.roll
    peers = [f"peer {address} {settings.peer_port}" for address in roll.peers]
    return _lines([f"number {roll.number}", *([f"host {roll.host}"] if roll.host else []), *peers])


def fixed_files(settings: Settings) -> dict[str, str]:
    """What haproxy.cfg refers to and no app changes, by path below its folder."""
    pages = {f"errors/{name}": text for name, text in error_pages.pages().items()}
    lua = hold_lua.render(str(settings.folder / "state.map"), str(settings.crashed))
    counts = roll_lua.render(str(settings.folder), str(settings.run))
    return {"hold.lua": lua, "roll.lua": counts, "fronts.lst": _lines(settings.fronts), **pages}


def render(routes: Iterable[Routes], settings: Settings) -> str:
    """haproxy.cfg."""
    backends = "\n".join(_backend(one, settings) for one in sorted(routes, key=lambda r: r.app))
    text = "\n".join((_global(settings), _defaults(settings), _web(settings), _hold(settings), backends))
    return text.replace("@STRUCTURE@", structure(text)).replace("@FOLDER@", str(settings.folder))


def structure(text: str) -> str:
    """A digest of all that needs a reload when it changes: everything but the addresses in the slots."""
    return hashlib.sha256(re.sub(r"(?m)^(  server web\.\d+) .*$", r"\1", text).encode()).hexdigest()[:16]


def structure_in(text: str) -> str:
    """The structure that a rendered configuration carries."""
    found = re.search(r"setenv DEPLOYER_STRUCTURE ([0-9a-f]+)", text)
    return found[1] if found else ""


def _lines(lines: Iterable[str]) -> str:
    return "".join(line + "\n" for line in lines)


def _global(settings: Settings) -> str:
    user = f"\n  user {settings.user}\n  group {settings.user}" if settings.user else ""
    beside = hashlib.sha256("".join(fixed_files(settings).values()).encode()).hexdigest()[:16]
    return f"""\
# Written by deployer: changes are lost at the next deploy. Goes with hold.lua and pages {beside}.
global{user}
  # Which text this process runs: `show env DEPLOYER_STRUCTURE` on the socket tells whether it needs a reload.
  setenv DEPLOYER_STRUCTURE @STRUCTURE@
  stats socket {settings.run}/admin.sock mode 600 level admin expose-fd listeners
  log {settings.log}
  lua-load @FOLDER@/hold.lua
  lua-load @FOLDER@/roll.lua
  maxconn {MOST_CONNECTIONS}
  # After a reload the old process keeps its websockets for so long.
  hard-stop-after 1h
  mworker-max-reloads 20
  tune.bufsize 65536
  tune.maxrewrite 4096
  tune.http.maxhdr 1000
  tune.http.logurilen 8192
"""


def _defaults(settings: Settings) -> str:
    return f"""\
defaults
  mode http
  option abortonclose
  option dontlognull
  option http-ignore-probes
  # A connection to a dyno takes one request. One that is in use while its slot moves to another dyno would go on being
  # used for the old one under steady load; and app servers close idle ones (gunicorn after 2 s) as a request is sent.
  option http-server-close
  option redispatch 1
  retries 3
  # Requests that reached a dyno are never sent twice.
  retry-on conn-failure
  timeout connect 5s
  timeout check 2s
  timeout http-request 30s
  timeout http-keep-alive 90s
  timeout client {settings.idle}s
  timeout server {_server_timeout(settings)}s
  timeout tunnel 1h
"""


def _server_timeout(settings: Settings) -> int:
    """Heroku's 30 s to the first byte, then 55 s between two. HAProxy 2.6 knows one time for both: the longer one, so
    that no stream is cut that would live on Heroku."""
    return settings.first_byte if settings.version >= (3, 0) else settings.idle


# What HAProxy itself answered, told by the status it chose. `http-response` rules see the dyno's answers only,
# `http-after-response` rules HAProxy's own too.
_OWN_ANSWERS = """\
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


def _web(settings: Settings) -> str:
    return f"""\
frontend web
  bind {settings.bind}
  log global
  option idle-close-on-response
{_REQUEST}
{_BACKEND}
{_ROUTING}
{_answer(404, "no-such-app", "no_app !replaced")}
{_answer(503, "maintenance", "{ var(txn.code) -m str H80 }")}
{_answer(503, "app-error", "{ var(txn.code) -m found }")}
{_held_answers()}
  http-response add-header Via "1.1 deployer"
{_OWN_ANSWERS}
  http-after-response set-status 503 if !answered {{ var(txn.code) -m str H12 H13 }}
  http-after-response set-status 499 if !answered {{ var(txn.code) -m str H27 }}
  {_LOG_FORMAT}
  # An app that is newer than this process, which a reload has replaced: the process of now knows it, or says H81.
  use_backend newer_process if no_app replaced
  use_backend %[var(txn.be)]
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
_BACKEND = """\
  http-request set-var(txn.be) var(txn.host),map(@FOLDER@/hosts.map)
  acl has_backend var(txn.be) -m found
  http-request set-var(txn.be) var(txn.host),regsub(^[^.]+,*),map(@FOLDER@/hosts.map,no_app) if !has_backend"""

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
  http-request return status 200 content-type text/plain lf-string "%[var(txn.out)]\\n" if { var(txn.out) -m found }
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


def _stream_timeout(settings: Settings) -> str:
    """More time between two parts of an answer than before the first. In a frontend HAProxy refuses this rule."""
    return f"  http-response set-timeout server {settings.idle}s\n" if settings.version >= (3, 0) else ""


_LOG_FORMAT = (
    "log-format 'be=%[var(txn.be)] code=%[var(txn.code)] method=%HM path=%{+Q,+E}HU host=%[var(txn.host)] "
    'request_id=%[var(txn.rid)] fwd="%[var(txn.fwd)]" dyno=%s held=%[var(txn.dyno)] connect=%Tc total=%Ta '
    "status=%ST bytes=%B protocol=%[var(txn.ver)] tls=%[var(txn.tls)] term=%ts'"
)


def _hold(settings: Settings) -> str:
    """Where a request waits. It came through `web` once: the headers are there, and only the way has to be found again.
    In a process that a reload has replaced, the socket leads to the new one."""
    owner = f" user {settings.user}" if settings.user else ""
    return f"""\
frontend hold
  bind unix@{settings.run}/hold.sock mode 600{owner}
  http-request set-var(txn.host) req.hdr(host),lower,field(1,:)
{_BACKEND}
  http-request set-var(txn.code) str(H81) if {{ var(txn.be) -m str no_app }}
  http-request lua.hold {settings.boot * 1000} unless {{ var(txn.code) -m found }}
  http-request return status 503 hdr X-Deployer-Code %[var(txn.code)] if {{ var(txn.code) -m found }}
  http-response set-header X-Deployer-Dyno %[srv_name]
  http-response del-header X-Deployer-Code unless {{ srv_name -m str hold }}
{_OWN_ANSWERS}
  http-after-response set-header X-Deployer-Code %[var(txn.code)] if !answered coded
  use_backend %[var(txn.be)]

backend no_app
  http-request return status 404

backend newer_process
  timeout server {settings.boot + _server_timeout(settings) + 5}s
  server hold unix@{settings.run}/hold.sock
"""


def _backend(routes: Routes, settings: Settings) -> str:
    """The pages stand in each backend: inherited from `defaults`, such a page makes HAProxy 2.6.12 crash.

    Whoever refuses a connection counts as down until its next check, and a request has a try for each slot: so that it
    comes to `hold` where all refuse. A process that a reload has replaced makes no checks and follows no deploys, and
    still has the connections that a load balancer keeps: it learns on the way that its dynos are gone."""
    name = backend(routes.app)
    slots = {server.slot: server for server in routes.servers}
    numbers = range(1, routes.slots + 1)
    up = "\n".join(f"  acl is_up srv_is_up({name}/web.{n})" for n in numbers)
    page = 'content-type "text/html; charset=utf-8" lf-file @FOLDER@/errors'
    errors = "\n".join(f"  http-error status {status} {page}/{status}.html" for status in error_pages.OWN_CODES)
    servers = "\n".join(_server(f"web.{n}", slots.get(f"web.{n}")) for n in numbers)
    return f"""\
backend {name}
  balance random
  retries {routes.slots}
  default-server check inter 300ms fall 1 rise 1 observe layer4 error-limit 1 on-error mark-down
{up}
  http-request set-var(txn.code) str(H11) if {{ be_conn gt {settings.per_app} }}
  http-request return status 503 {page}/app-error.html if {{ var(txn.code) -m str H11 }}
  http-request set-timeout server {settings.boot + _server_timeout(settings) + 5}s unless is_up
{_stream_timeout(settings)}{errors}
{servers}
  server hold unix@{settings.run}/hold.sock no-check backup
"""


def _server(slot: str, server: Server | None) -> str:
    if server is None:
        return f"  server {slot} 127.0.0.1:1 disabled"
    address = f"[{server.address}]" if ":" in server.address else server.address
    return f"  server {slot} {address}:{server.port}"
