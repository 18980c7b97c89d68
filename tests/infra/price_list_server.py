"""A small AWS Price List on loopback: it knows a few products, and answers searches for their attributes in pages.

Products have the shape that the Price List Query API documents; none of them was recorded from AWS.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

PAGE = 2  # products: fewer than any search finds, so that pages are turned
TARGET = "AWSPriceListService.GetProducts"


def product(service: str, usage: str, steps: Mapping[str, str], **attributes: str) -> dict[str, Any]:
    """One product, with a price from each quantity on."""
    dimensions = {
        f"code-{begin}": {"beginRange": begin, "unit": "unit", "pricePerUnit": {"USD": usd}}
        for begin, usd in steps.items()
    }
    family = attributes.pop("productFamily", "")
    return {
        "serviceCode": service,
        "publicationDate": "2026-11-20T10:11:12Z",
        "product": {"productFamily": family, "attributes": {"usagetype": usage, **attributes}},
        "terms": {"OnDemand": {"sku.term": {"priceDimensions": dimensions}}},
    }


@dataclass
class Service:
    """What the service knows, what it was asked, and whether it lets anybody in."""

    products: list[dict[str, Any]]
    asked: list[dict[str, Any]] = field(default_factory=list)
    denies: bool = False
    url: str = ""

    def answer(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(request)
        if self.denies:
            return 400, {"__type": "AccessDeniedException", "message": "User is not authorized: pricing:GetProducts"}
        wanted = {one["Field"]: one["Value"] for one in request["Filters"]}
        found = [one for one in self.products if self._fits(one, request["ServiceCode"], wanted)]
        start = int(request.get("NextToken", "0"))
        page = {"FormatVersion": "aws_v1", "PriceList": [json.dumps(one) for one in found[start : start + PAGE]]}
        more = {"NextToken": str(start + PAGE)} if len(found) > start + PAGE else {}
        return 200, {**page, **more}

    def _fits(self, one: dict[str, Any], service: str, wanted: Mapping[str, str]) -> bool:
        has = {**one["product"]["attributes"], "productFamily": one["product"]["productFamily"]}
        return one["serviceCode"] == service and all(has.get(name) == value for name, value in wanted.items())


@contextmanager
def serving(products: list[dict[str, Any]]) -> Iterator[Service]:
    """The service, answering at its url until the block ends."""
    service = Service(products)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.headers["X-Amz-Target"] == TARGET
            status, answer = service.answer(body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
