"""Previews: regions that are none, specifications that cannot be."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure


class RegionUnknown(UsageFailure):
    """No region of AWS. `hint` names the nearest, or is empty."""

    region: str
    hint: str  # ` Did you mean eu-central-1?`

    headline = "`{region}` is no region of AWS.{hint}"
    advice = "Name one like us-east-1 or eu-central-1 with --region."


class SpecificationBroken(Failure):
    """A space of deployer.toml that cannot be. `problems` has one line each, with the path in the file."""

    problems: str

    headline = "deployer.toml describes a space that cannot be:"
    seen = "{problems}"
    advice = "Mend these lines, then try again."


class SpaceNotProposed(Failure):
    """deployer.toml has no such space."""

    space: str
    known: str  # `production, staging`, or `none`

    headline = "deployer.toml proposes no space {space}."
    seen = "It proposes: {known}."
    advice = 'Describe it there: `[space.{space}]`, and below it `region = "eu-central-1"`.'


class PriceListUnread(Failure):
    """AWS did not answer with its prices. `reason` is the SDK's."""

    reason: str

    headline = "The prices could not be read from AWS."
    seen = "{reason}"
    advice = """
        It takes credentials that may do pricing:GetProducts: AWS_PROFILE, or AWS_ACCESS_KEY_ID and its kin.
        `deployer preview` goes on with the prices that it has.
        """


class NoPricesFound(Failure):
    """AWS answered, and nothing in it was a price of ours."""

    region: str

    headline = "AWS has no prices for {region} that deployer knows how to read."
    advice = "The prices that were here before stay."


class PricesUnreadable(Failure):
    """The table that `prices:update` wrote is damaged."""

    path: str
    reason: str

    headline = "The table of prices cannot be read: {path}."
    seen = "{reason}"
    advice = "Delete it, or have it written anew with `deployer prices:update`."
