"""What to ask the AWS Price List for, and what its answers mean: products of AWS become prices of ours.

The service knows prices by usage type (`EUC1-BoxUsage:t4g.small`: a region's short name, none in us-east-1, then what
is used). Facts: the Price List Query API reference (GetProducts); attributes as Infracost's queries name them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infra.sizes import DATABASES, HOSTS

Key = Callable[[Mapping[str, str]], str | None]
NO_REGION = {"TS", "Outposts", "Reserved"}  # before a usage type these say a variant, not a region


@dataclass(frozen=True, slots=True)
class Question:
    """One search: products of a service whose attributes are these. `key` says which price of ours a product's
    attributes mean; `units` of AWS's make one of ours. `place` is the attribute that names the region."""

    service: str
    attributes: Mapping[str, str]
    key: Key
    units: int = 1
    place: str = "regionCode"

    def filters(self, region: str) -> dict[str, str]:
        """The attributes to search for."""
        return {self.place: region, **self.attributes}


@dataclass(frozen=True, slots=True)
class Found:
    """A price that an answer holds; `published` is the day of the list that it stands in."""

    key: str
    usd: Decimal
    service: str
    published: str


def used(usage: str, key: str) -> Key:
    """The key, for products of this usage type."""
    pattern = re.compile(rf"(?:(?P<region>[A-Za-z0-9]+|[a-z]+(?:-[a-z]+)+-[0-9])-)?{re.escape(usage)}")

    def of(attributes: Mapping[str, str]) -> str | None:
        match = pattern.fullmatch(attributes.get("usagetype", ""))
        return key if match and match["region"] not in NO_REGION else None

    return of


def sized(prefix: str, known: Mapping[str, object]) -> Key:
    """`ec2/t4g.small`, for instances of a size that deployer knows."""

    def of(attributes: Mapping[str, str]) -> str | None:
        size = attributes.get("instanceType", "")
        return f"{prefix}/{size}" if size in known else None

    return of


LINUX = {
    "productFamily": "Compute Instance",
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
}
POSTGRESQL = {"databaseEngine": "PostgreSQL"}
SINGLE = {**POSTGRESQL, "deploymentOption": "Single-AZ"}
ALB = {"productFamily": "Load Balancer-Application"}

QUESTIONS = (
    Question("AmazonEC2", LINUX, sized("ec2", HOSTS)),
    Question("AmazonEC2", {"volumeApiName": "gp3", "productFamily": "Storage"}, used("EBS:VolumeUsage.gp3", "ebs/gp3")),
    Question("AmazonEC2", {"productFamily": "Storage Snapshot"}, used("EBS:SnapshotUsage", "ebs/snapshot")),
    Question("AmazonVPC", {}, used("PublicIPv4:InUseAddress", "ipv4")),
    Question("AWSELB", ALB, used("LoadBalancerUsage", "alb")),
    Question("AWSELB", ALB, used("LCUUsage", "alb/lcu")),
    Question("AmazonRDS", {**SINGLE, "productFamily": "Database Instance"}, sized("rds", DATABASES)),
    Question("AmazonRDS", {**SINGLE, "productFamily": "Database Storage"}, used("RDS:GP3-Storage", "rds/storage")),
    Question(
        "AmazonRDS", {**POSTGRESQL, "productFamily": "Storage Snapshot"}, used("RDS:ChargedBackupUsage", "rds/backup")
    ),
    Question("AmazonRDS", {**POSTGRESQL, "productFamily": "CPU Credits"}, used("CPUCredits:db.t4g", "rds/cpu-credit")),
    Question("AWSSecretsManager", {}, used("AWSSecretsManager-Secrets", "secret")),
    Question("AmazonS3", {"volumeType": "Standard"}, used("TimedStorage-ByteHrs", "s3/storage")),
    Question("AmazonS3", {"productFamily": "API Request"}, used("Requests-Tier1", "s3/put"), units=1000),
    Question("AmazonS3", {"productFamily": "API Request"}, used("Requests-Tier2", "s3/get"), units=1000),
    Question(
        "AWSDataTransfer",
        {"transferType": "AWS Outbound", "toLocation": "External"},
        used("DataTransfer-Out-Bytes", "data-out"),
        place="fromRegionCode",
    ),
    Question(
        "AWSDataTransfer",
        {"transferType": "IntraRegion"},
        used("DataTransfer-Regional-Bytes", "between-zones"),
        place="fromRegionCode",
    ),
)


def read(question: Question, answers: Iterable[str]) -> Iterator[Found]:
    """The prices in the products (JSON texts) that a search found, those of the first of their steps by quantity. A key
    with several prices has none that could be told apart, and is left out."""
    found: dict[str, set[Found]] = {}
    for text in answers:
        product = json.loads(text)
        key = question.key(product["product"]["attributes"])
        if key is not None:
            published = product["publicationDate"][:10]
            for usd in _on_demand(product):
                one = Found(key, usd * question.units, question.service, published)
                found.setdefault(key, set()).add(one)
    yield from (one for several in found.values() if len(several) == 1 for one in several)


def _on_demand(product: Mapping[str, Any]) -> Iterator[Decimal]:
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for step in term["priceDimensions"].values():
            usd = Decimal(step["pricePerUnit"].get("USD", "0"))
            if Decimal(step.get("beginRange", "0") or "0") == 0 and usd > 0:
                yield usd


def table(region: str, found: Iterable[Found], earlier: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A table as infra.prices reads it: these prices of the region, before those of an earlier table."""
    sources = dict((earlier or {}).get("sources", {}))
    prices = {name: dict(rows) for name, rows in (earlier or {}).get("prices", {}).items()}
    here = prices.setdefault(region, {})
    for one in sorted(found, key=lambda one: one.key):
        source = f"{one.service}-{one.published}"
        sources[source] = {"title": f"AWS Price List, {one.service}", "date": one.published}
        here[one.key] = [f"{one.usd.normalize():f}", source]
    named = {source for rows in prices.values() for _, source in rows.values()}
    return {"sources": {name: one for name, one in sources.items() if name in named}, "prices": prices}
