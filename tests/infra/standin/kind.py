"""What the stand-in knows of a type of resource, and AWS as it reaches it."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tests.infra.standin.values import Values

_one_at_a_time = threading.Lock()
Shape = Mapping[str, "Shape | None"]  # names of inputs; those that are tables, or lists of tables, with theirs


class Refused(Exception):
    """AWS, or the real provider, would refuse this; moto would not."""


def client(service: str, region: str, endpoint: str) -> Any:
    """A client of boto3; making one takes up to half a second, so each is made once."""
    with _one_at_a_time:
        return _made(service, region, endpoint)


@functools.cache
def _made(service: str, region: str, endpoint: str) -> Any:
    import boto3

    session = boto3.session.Session(aws_access_key_id="of-tests", aws_secret_access_key="of-tests")
    found = session.client(service, region_name=region, endpoint_url=endpoint)
    found.meta.events.register("after-call", _note_service)
    return found


def _note_service(parsed: dict[str, Any], model: Any, **others: Any) -> None:
    """What boto3 raises does not say whose operation it is; the real provider does."""
    parsed.setdefault("ResponseMetadata", {})["Service"] = model.service_model.service_id


class Aws:
    """Clients for one region of moto, and the tags that the provider gives everything."""

    def __init__(self, endpoint: str, region: str, default_tags: Mapping[str, str]) -> None:
        self.endpoint, self.region, self.default_tags = endpoint, region, dict(default_tags)

    def __getattr__(self, service: str) -> Any:
        return client(service, self.region, self.endpoint)

    @functools.cached_property
    def account(self) -> str:
        return str(self.sts.get_caller_identity()["Account"])

    def arn(self, service: str, what: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{what}"

    def tags(self, inputs: Values) -> dict[str, str]:
        """The resource's own and the provider's."""
        return {**self.default_tags, **(inputs.get("tags") or {})}

    def tag_list(self, inputs: Values) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in sorted(self.tags(inputs).items())]

    def specification(self, inputs: Values, kind: str) -> list[dict[str, Any]]:
        """As EC2's Create calls want tags."""
        return [{"ResourceType": kind, "Tags": self.tag_list(inputs)}]

    def tagged(self, state: Values, found: list[dict[str, str]]) -> Values:
        """The outputs that tags of AWS make: `tags` has the provider's own only where the resource names them too."""
        live = {tag["Key"]: tag["Value"] for tag in found if not tag["Key"].startswith("aws:")}
        own = state.get("tags") or {}
        return {"tagsAll": live, "tags": {k: v for k, v in live.items() if k in own or k not in self.default_tags}}

    def retag(self, resource: str, old: Values, new: Values) -> None:
        """EC2's resources, by their id."""
        if gone := self.tags(old).keys() - self.tags(new).keys():
            self.ec2.delete_tags(Resources=[resource], Tags=[{"Key": key} for key in gone])
        self.ec2.create_tags(Resources=[resource], Tags=self.tag_list(new))


def _nothing_to_update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    raise Refused(f"{resource} has nothing that can be changed in place")


@dataclass(frozen=True)
class Kind:
    """`inputs` are those that are implemented, any other is an error; `sets` of them are lists whose order means
    nothing, `policies` texts of JSON. A change of one in `replaces` replaces the resource: facts of the schema of
    terraform-provider-aws (ForceNew, RequiresReplace), which the real provider is made from. `computed` is known once
    it is made, `moving` anew after every update. `autoname`: the input that Pulumi makes up from the logical name, and
    its greatest length."""

    inputs: Shape
    create: Callable[[Aws, Values], str]
    read: Callable[[Aws, str, Values], Values | None]
    delete: Callable[[Aws, str, Values], object]
    update: Callable[[Aws, str, Values, Values], object] = _nothing_to_update
    required: tuple[str, ...] = ()
    replaces: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
    computed: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    autoname: tuple[str, int] | None = None

    def same(self, name: str, one: Any, other: Any) -> bool:
        """Whether two values of an input mean the same."""
        if name in self.sets and isinstance(one, list) and isinstance(other, list):
            return _sorted(one) == _sorted(other)
        if name in self.policies and isinstance(one, str) and isinstance(other, str):
            return _parsed(one) == _parsed(other)
        return bool(one == other)


def _sorted(values: list[Any]) -> list[str]:
    return sorted(json.dumps(one, sort_keys=True) for one in values)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def gone(*codes: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A read that AWS answers with one of these codes finds nothing; so does one that finds an empty list."""

    def decorate(read: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(read)
        def reading(aws: Aws, resource: str, state: Values) -> Any:
            try:
                return read(aws, resource, state)
            except ClientError as error:
                if error.response["Error"]["Code"] in codes:
                    return None
                raise
            except IndexError:
                return None

        return reading

    return decorate


def changed(old: Values, new: Values, *names: str) -> bool:
    """Whether one of these differs."""
    return any(old.get(name) != new.get(name) for name in names)


def renamed(inputs: Values, table: Mapping[str, str]) -> dict[str, Any]:
    """The inputs that are there, under the names that boto3 has for them."""
    return {theirs: inputs[ours] for ours, theirs in table.items() if inputs.get(ours) is not None}


def plain(*names: str) -> dict[str, None]:
    """Inputs that are no tables."""
    return dict.fromkeys(names)
