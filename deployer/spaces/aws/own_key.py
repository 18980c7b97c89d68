"""The key pair that this machine opens the hosts of a space in AWS with: a pair for each space, without a passphrase.
Taking one machine's key away takes nothing else away from anybody."""

from __future__ import annotations

import os
from pathlib import Path

from deployer.build import folders


def path_of(space: str) -> Path:
    """Where the private half lies: DEPLOYER_HOME/keys, for the person alone."""
    return folders.config_folder() / "keys" / space


def ensure(space: str) -> tuple[Path, str]:
    """The private half's path, and the public half as an OpenSSH line without a comment; made where it is missing."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = path_of(space)
    if not path.exists():
        _write(path, _private(Ed25519PrivateKey.generate()))
    key = serialization.load_ssh_private_key(path.read_bytes(), None)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return path, public.decode()


def remove(space: str) -> None:
    """Forget it: the space is gone."""
    path_of(space).unlink(missing_ok=True)


def _private(key: object) -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    assert isinstance(key, Ed25519PrivateKey)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all; of two who make it at the same time the first one's stays."""
    folders.make(path.parent)
    path.parent.chmod(0o700)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.touch(mode=0o600)
    aside.write_bytes(content)
    folders.hand_over(aside)
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
