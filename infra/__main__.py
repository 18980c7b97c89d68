"""What Pulumi.yaml starts."""

from infra.project import run
from infra.read import parse

run(parse)
