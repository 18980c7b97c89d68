"""What a host of AWS gets to know before it knows anything: where its space's store is, and the program that asks it.

The same for every version of deployer that has these files alike: a launch template must not change for nothing.
"""

from __future__ import annotations

import base64
import bz2
import json
from pathlib import Path

import deployer
from deployer.model.codec import encode
from deployer.model.joining import JoinOrder

PROGRAM = ("host/aws.py", "host/bootstrap.py", "host/first_boot.py")  # each needs those before it alone
LARGEST = 16_384  # bytes: what EC2 takes, before it is encoded for the wire

# bzip2: its output is the same everywhere, zlib's is not. The program runs as it stands, from memory.
_TEXT = '''\
#!/usr/bin/python3
# A host of the space {space} that boots for the first time joins it (docs/aws-hosts.md). No secret is in here.
ORDER = r"""
{order}
"""

import base64, bz2, json, sys, types

# Packed: {files}.
PACKED = """
{packed}
"""

for name in ("deployer", "deployer.host"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
for name, source in json.loads(bz2.decompress(base64.b85decode(PACKED.replace("\\n", "")))).items():
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name, "exec"), module.__dict__)
sys.exit(sys.modules["deployer.host.first_boot"].main(ORDER, sys.argv[1:]))
'''


def render(order: JoinOrder) -> str:
    """The script, as EC2's user data is given it."""
    root = Path(deployer.__file__).parent
    sources = {f"deployer.{file[:-3].replace('/', '.')}": (root / file).read_text() for file in PROGRAM}
    packed = base64.b85encode(bz2.compress(json.dumps(sources).encode())).decode()
    return _TEXT.format(
        space=order.space,
        order=json.dumps(encode(order), indent=2),
        files=", ".join(f"deployer/{file}" for file in PROGRAM),
        packed="\n".join(packed[at : at + 120] for at in range(0, len(packed), 120)),
    )
