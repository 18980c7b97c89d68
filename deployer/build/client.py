"""What of this machine's client configuration enters the build jail: resolver, certificates, package indexes,
proxies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deployer.build import folders

if TYPE_CHECKING:
    import configparser

CA = "/etc/ssl/certs/ca-certificates.crt"
BUNDLES = (CA, "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
PASSED = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "PIP_DEFAULT_TIMEOUT",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_INSECURE_HOST",
    "UV_HTTP_TIMEOUT",
    "UV_PYTHON_INSTALL_MIRROR",
    "UV_PYTHON_DOWNLOADS_JSON_URL",
    "NPM_CONFIG_REGISTRY",
    "npm_config_registry",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
# uv reads neither pip.conf nor pip's variables.
AS_UV = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX", "PIP_TRUSTED_HOST": "UV_INSECURE_HOST"}
NPMRC = re.compile(r"(registry|@[^:=\s]+:registry|proxy|https?-proxy|noproxy)\s*=")
FROM_PIP_CONF = {
    "index-url": "PIP_INDEX_URL",
    "extra-index-url": "PIP_EXTRA_INDEX_URL",
    "trusted-host": "PIP_TRUSTED_HOST",
}


def files() -> dict[str, str]:
    """Files of this machine and where they lie in the jail; those that are missing are left out there."""
    same = ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf")
    return {**{path: path for path in same}, bundle(): CA}


def bundle() -> str:
    """This machine's file of certificate authorities."""
    return next((path for path in BUNDLES if Path(path).is_file()), CA)


def environment(own: Mapping[str, str], pip_conf: Path = Path("/etc/pip.conf")) -> dict[str, str]:
    """The variables that enter, out of the caller's own and the machine's pip.conf; pip's in uv's spelling, too."""
    passed = {**_from_pip_conf(pip_conf), **{key: own[key] for key in PASSED if own.get(key)}}
    return as_uv(passed)


def npmrc(machines: Path = Path("/etc/npmrc"), home: Path | None = None) -> str:
    """npm's configuration for the jail: registries and proxies of the machine and of the person. What npm says to a
    registry to be let in comes along only from the machine's file, for which its administrator answers."""
    persons = (home or folders.home()) / ".npmrc"
    lines = [line for line in _lines(machines) if NPMRC.match(line) or line.startswith("//")]
    lines += [line for line in _lines(persons) if NPMRC.match(line)]
    return "".join(f"{line}\n" for line in lines)


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return []


def as_uv(variables: Mapping[str, str]) -> dict[str, str]:
    """The same variables, with pip's indexes told to uv as well where uv has none of its own."""
    translated = {AS_UV[key]: value for key, value in variables.items() if key in AS_UV}
    return {**translated, **variables}


def _from_pip_conf(path: Path) -> dict[str, str]:
    import configparser

    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(path)
    except (configparser.Error, UnicodeDecodeError):
        return {}
    found = {**_section(parser, "global"), **_section(parser, "install")}
    return {FROM_PIP_CONF[key]: " ".join(value.split()) for key, value in found.items() if key in FROM_PIP_CONF}


def _section(parser: configparser.ConfigParser, name: str) -> dict[str, str]:
    return dict(parser[name]) if parser.has_section(name) else {}
