"""The machine's own package sources, turned to another release of the same distribution.

No address of a registry stands in this project: platform images come from wherever this machine gets its packages.
"""

from __future__ import annotations

import re
from pathlib import Path

SUFFIXES = ("", "-updates", "-security", "-backports")
# How sources.list(5) spells the options of a line, where deb822 has another word than the same in title case.
FIELDS = {"arch": "Architectures", "lang": "Languages", "target": "Targets"}
LINE = re.compile(r"deb\s+(?:\[(?P<options>[^]]*)]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<rest>[^#]+)")


def sources_for(codename: str, machine: str, folder: Path = Path("/etc/apt")) -> str:
    """deb822 stanzas for the release `codename` out of those that this machine, of the release `machine`, has for
    itself (and for that release); third parties' are left out. Empty where there is none."""
    found: list[str] = []
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        found += from_stanzas(path.read_text(), machine, codename)
    for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]:
        if path.exists():
            found += from_lines(path.read_text(), machine, codename)
    return "\n".join(dict.fromkeys(found))


def machine_codename(os_release: str) -> str:
    """`bookworm` out of the text of /etc/os-release; empty where it names none."""
    found = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', os_release, re.MULTILINE)
    return found[1] if found else ""


def transport_options(dumped: str) -> list[str]:
    """Of what `apt-config dump` prints, how packages are fetched: proxies, certificates, retries."""
    return [
        line.strip() for line in dumped.splitlines() if re.match(r"Acquire::(https?|Retries)\b.* \"[^\"]+\";", line)
    ]


def from_stanzas(text: str, machine: str, codename: str) -> list[str]:
    """The stanzas of a .sources file that are this machine's own, turned."""
    return [turned for stanza in re.split(r"\n\s*\n", text) if (turned := _stanza(stanza, machine, codename))]


def from_lines(text: str, machine: str, codename: str) -> list[str]:
    """The one-line entries of a sources.list that are this machine's own, turned, as stanzas."""
    found = []
    for line in text.splitlines():
        parts = LINE.match(line.strip())
        suites = _turned([parts["suite"]], machine, codename) if parts else []
        if parts and suites:
            stanza = f"Types: deb\nURIs: {parts['uri']}\nSuites: {suites[0]}\nComponents: {parts['rest'].strip()}\n"
            found.append(stanza + _fields(parts["options"] or ""))
    return found


def _stanza(stanza: str, machine: str, codename: str) -> str | None:
    lines = [line for line in stanza.splitlines() if line.strip() and not line.startswith("#")]
    fields = dict(line.split(":", 1) for line in lines if ":" in line and not line[0].isspace())
    suites = _turned(fields.get("Suites", "").split(), machine, codename)
    if "deb" not in fields.get("Types", "").split() or not suites or fields.get("Enabled", "").strip() == "no":
        return None
    kept = [f"Suites: {' '.join(suites)}" if line.startswith("Suites:") else line for line in lines]
    return "\n".join("Types: deb" if line.startswith("Types:") else line for line in kept) + "\n"


def _fields(options: str) -> str:
    """`signed-by=/a,/b arch=amd64` as fields of a stanza."""
    pairs = (option.partition("=")[::2] for option in options.split())
    return "".join(f"{FIELDS.get(key, key.title())}: {value.replace(',', ' ')}\n" for key, value in pairs)


def _turned(suites: list[str], machine: str, codename: str) -> list[str]:
    """The suites of this machine's own release in the words of the other one, and those that are its already."""
    own = {release + suffix: codename + suffix for release in (machine, codename) for suffix in SUFFIXES}
    return [own[suite] for suite in suites if suite in own]
