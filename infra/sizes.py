"""The kinds of virtual machines that hosts and databases can be: memory, processors, architecture.

Facts: EC2 DescribeInstanceTypes, as moto 5.2.1 records it. Not every kind of EC2 is here: dynos need no local disks, no
graphics processors and no bare metal, and what is smaller than a `micro` has no room for one.
"""

from __future__ import annotations

from dataclasses import dataclass

BURSTABLE = {"micro": (2, 1), "small": (2, 2), "medium": (2, 4), "large": (2, 8), "xlarge": (4, 16), "2xlarge": (8, 32)}
VCPUS = {"medium": 1, "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16}
GIB_PER_VCPU = {"c": 2, "m": 4, "r": 8}
FAMILIES = {
    "t3": "amd64",
    "t3a": "amd64",
    "t4g": "arm64",
    "c7g": "arm64",
    "c7i": "amd64",
    "c8g": "arm64",
    "m7g": "arm64",
    "m7i": "amd64",
    "m8g": "arm64",
    "r7g": "arm64",
    "r8g": "arm64",
}
OF_DATABASES = ("t4g", "m7g", "r7g")


@dataclass(frozen=True, slots=True)
class Size:
    """A kind of EC2 instance, or with `db.` before its name of an RDS instance. `memory` in MiB."""

    name: str
    vcpus: int
    memory: int
    architecture: str

    def __str__(self) -> str:
        vcpus = "1 vCPU" if self.vcpus == 1 else f"{self.vcpus} vCPUs"
        return f"{self.name} ({vcpus}, {self.memory >> 10} GB)"


def _family(name: str, architecture: str) -> dict[str, Size]:
    if name.startswith("t"):
        scales = BURSTABLE
    else:
        scales = {scale: (n, n * GIB_PER_VCPU[name[0]]) for scale, n in VCPUS.items()}
    if name.endswith("i"):
        scales = {scale: what for scale, what in scales.items() if scale != "medium"}
    sizes = (Size(f"{name}.{scale}", vcpus, gib << 10, architecture) for scale, (vcpus, gib) in scales.items())
    return {size.name: size for size in sizes}


HOSTS = {name: size for family, arch in FAMILIES.items() for name, size in _family(family, arch).items()}
DATABASES = {
    f"db.{name}": Size(f"db.{name}", size.vcpus, size.memory, size.architecture)
    for name, size in HOSTS.items()
    if (name.partition(".")[0] in OF_DATABASES and name.partition(".")[2] != "medium") or name == "t4g.medium"
}
