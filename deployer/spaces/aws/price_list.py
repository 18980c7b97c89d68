"""The AWS Price List, asked with the credentials that the SDK finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deployer.errors.preview import PriceListUnread

REGION = "us-east-1"  # one of the three where the service answers; it knows the prices of all regions
PAGE = 100  # products in an answer, at most


class PriceList:
    """The service. Raises PriceListUnread, with the SDK's own reason."""

    def __init__(self) -> None:
        from boto3.session import Session
        from botocore.exceptions import BotoCoreError

        try:
            self._client: Any = Session().client("pricing", region_name=REGION)
        except BotoCoreError as error:
            raise PriceListUnread(str(error)) from error

    def products(self, service: str, attributes: Mapping[str, str]) -> Iterator[str]:
        """The products of a service that have these attributes, as JSON texts."""
        from botocore.exceptions import BotoCoreError, ClientError

        filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in attributes.items()]
        pages = self._client.get_paginator("get_products").paginate(
            ServiceCode=service, Filters=filters, FormatVersion="aws_v1", PaginationConfig={"PageSize": PAGE}
        )
        try:
            for page in pages:
                yield from page["PriceList"]
        except (BotoCoreError, ClientError) as error:
            raise PriceListUnread(str(error)) from error
