"""What cloud-init does with user data on EC2, as far as deployer needs it: asks the instance metadata for it, and runs
a script once, as root. It stands in a host's /usr/lib/box, and is the standard library only."""

import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

METADATA = "http://169.254.169.254/latest"
KEPT = Path("/var/lib/cloud/instance")
LOG = Path("/var/log/cloud-init-output.log")
AGES = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}


def main() -> None:
    """At each boot; only the first one runs anything."""
    if (KEPT / "boot-finished").exists():
        return
    KEPT.joinpath("scripts").mkdir(parents=True, exist_ok=True)
    text = user_data()
    if text.startswith(b"#!"):
        script = KEPT / "scripts/part-001"
        script.write_bytes(text)
        script.chmod(0o700)
        say(f"cloud-init: user data ended with status {run(script)}")
    elif text:
        say(f"cloud-init: user data is no script: {text.splitlines()[0].decode(errors='replace')}")
    (KEPT / "boot-finished").touch()


def user_data() -> bytes:
    """Empty where the instance has none."""
    token = ask("/api/token", AGES, "PUT").decode()
    try:
        return ask("/user-data", {"X-aws-ec2-metadata-token": token})
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return b""


def ask(path: str, headers: dict[str, str], method: str = "GET") -> bytes:
    request = urllib.request.Request(METADATA + path, headers=headers, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return bytes(answer.read())


def run(script: Path) -> int:
    """Its status; what it says goes to the console, and to the log."""
    with subprocess.Popen([script], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        assert child.stdout
        while data := os.read(child.stdout.fileno(), 1 << 16):
            say(data.decode(errors="replace").rstrip("\n"))
    return child.returncode


def say(text: str) -> None:
    print(text, flush=True)
    with LOG.open("a") as log:
        log.write(f"{text}\n")


if __name__ == "__main__":
    main()
