"""Hosts of AWS that join their space by themselves: the words for what stops them."""

from __future__ import annotations

from deployer.errors.base import Failure
from deployer.errors.host import words


@words("aws-refused")
class AwsRefusedHost(Failure):
    """AWS said no to a host. `asked` is what for, `reason` AWS's own words."""

    host: str
    asked: str
    reason: str

    headline = "AWS refused what host {host} asked: {asked}."
    seen = "{reason}"
    advice = """\
        `deployer spaces:refresh` says what somebody has changed by hand of the hosts' role or the bucket, and `deployer
        up` puts it right. Else a boundary, or a policy of the organization, forbids it."""


@words("aws-unanswered")
class AwsUnanswered(Failure):
    """A host got no answer from AWS."""

    host: str
    asked: str
    reason: str

    headline = "Host {host} got no answer from AWS: {asked}."
    seen = "{reason}"
    advice = "It tries again by itself. Where this goes on, look at the routes and the S3 endpoint of its subnet."


@words("not-in-group")
class HostNotInGroup(Failure):
    """A host that is about to end: its group has let go of it."""

    host: str
    instance: str

    headline = "{instance} is not in the Auto Scaling group of its space."
    advice = "It takes no part any more. The group starts another one in its place."


@words("store-empty")
class StoreWithoutSpace(Failure):
    """A host found no space in the store."""

    host: str
    bucket: str

    headline = "The bucket {bucket} holds no space yet."
    advice = "Run `deployer up` again: it writes the space before hosts need it."


@words("no-seat")
class NoSeat(Failure):
    """Every seat has a host that is alive."""

    host: str
    most: int
    reason: str

    headline = "Host {host} found no seat: all {most} have a host that is alive."
    seen = "{reason}"
    advice = "Run `deployer up`: it tells new hosts how many there may be."


@words("not-joined")
class NotJoined(Failure):
    """A call for hosts that joined by themselves, on another one."""

    host: str

    exit_status = 70
    headline = "This is a bug in deployer: host {host} did not join its space by itself."


@words("layer-missing")
class LayerMissing(Failure):
    """The store lacks a layer that the ledger names."""

    host: str
    layer: str

    headline = "The store of this space has no layer {layer}, which host {host} needs."
    advice = "Deploy the app again: that puts its layers there."


@words("layer-gone")
class LayerGone(Failure):
    """A host was to send a layer that it has built, and does not have it any more."""

    host: str
    layer: str

    headline = "Host {host} does not have the layer {layer} any more."
    advice = "Deploy again: it is built anew."


@words("upload-refused")
class UploadRefused(Failure):
    """The store did not take a layer from the host that built it. `status` 0: there was no answer."""

    host: str
    status: int
    reason: str

    headline = "The store did not take a layer from host {host}."
    seen = "Status {status}: {reason}"
    advice = "Where it says that the request has expired, or the token: sign in again, and deploy again."
