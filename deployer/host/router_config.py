"""HAProxy's configuration for all apps of a host, as texts: haproxy.cfg and what it refers to.

One backend per app with fixed slots, so that a deploy only changes addresses through the runtime socket. Requests that
find no dyno (none is up, or the last one refused the connection) go to the backup server `hold`, which is this very
HAProxy: its frontend `hold` waits in Lua until a dyno is up and sends the request on. Retries alone would not do:
as soon as the checks see the last dyno die, HAProxy answers 503 to whoever is between two tries.

The texts pass HAProxy 2.6 and 3.0. What only 3.0 knows is rendered for it alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from deployer.host import error_pages, hold_lua, roll_lua, router_web
from deployer.host.router_maps import lines
from deployer.host.router_settings import MOST_CONNECTIONS, Settings, backend
from deployer.model.routes import Routes, Server


def fixed_files(settings: Settings) -> dict[str, str]:
    """What haproxy.cfg refers to and no app changes, by path below its folder."""
    pages = {f"errors/{name}": text for name, text in error_pages.pages().items()}
    lua = hold_lua.render(str(settings.folder / "state.map"), str(settings.crashed))
    counts = roll_lua.render(str(settings.folder), str(settings.run))
    return {"hold.lua": lua, "roll.lua": counts, "fronts.lst": lines(settings.fronts), **pages}


def render(routes: Iterable[Routes], settings: Settings) -> str:
    """haproxy.cfg."""
    backends = "\n".join(_backend(one, settings) for one in sorted(routes, key=lambda r: r.app))
    text = "\n".join((_global(settings), _defaults(settings), router_web.frontend(settings), _hold(settings), backends))
    return text.replace("@STRUCTURE@", structure(text)).replace("@FOLDER@", str(settings.folder))


def structure(text: str) -> str:
    """A digest of all that needs a reload when it changes: everything but the addresses in the slots."""
    return hashlib.sha256(re.sub(r"(?m)^(  server web\.\d+) .*$", r"\1", text).encode()).hexdigest()[:16]


def structure_in(text: str) -> str:
    """The structure that a rendered configuration carries."""
    found = re.search(r"setenv DEPLOYER_STRUCTURE ([0-9a-f]+)", text)
    return found[1] if found else ""


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


def _stream_timeout(settings: Settings) -> str:
    """More time between two parts of an answer than before the first. In a frontend HAProxy refuses this rule."""
    return f"  http-response set-timeout server {settings.idle}s\n" if settings.version >= (3, 0) else ""


def _hold(settings: Settings) -> str:
    """Where a request waits. It came through `web` once: the headers are there, and only the way has to be found again.
    In a process that a reload has replaced, the socket leads to the new one."""
    owner = f" user {settings.user}" if settings.user else ""
    return f"""\
frontend hold
  bind unix@{settings.run}/hold.sock mode 600{owner}
  http-request set-var(txn.host) req.hdr(host),lower,field(1,:)
{router_web.BACKEND}
  http-request set-var(txn.code) str(H81) if {{ var(txn.be) -m str no_app }}
  http-request lua.hold {settings.boot * 1000} unless {{ var(txn.code) -m found }}
  http-request return status 503 hdr X-Deployer-Code %[var(txn.code)] if {{ var(txn.code) -m found }}
  http-response set-header X-Deployer-Dyno %[srv_name]
  http-response del-header X-Deployer-Code unless {{ srv_name -m str hold }}
{router_web.OWN_ANSWERS}
  http-after-response set-header X-Deployer-Code %[var(txn.code)] if !answered coded
  use_backend %[var(txn.be)]

backend no_app
  http-request return status 404

backend newer_process
  timeout server {settings.boot + _server_timeout(settings) + 5}s
  server hold unix@{settings.run}/hold.sock
{router_web.acme(settings)}"""


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
