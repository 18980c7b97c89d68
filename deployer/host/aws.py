"""What a host asks of AWS, with the standard library alone: metadata, signed requests, S3, its group.

Stands alone: it is part of user data, which runs where there is no agent yet. Where an `endpoint` is given everything
is asked of it, objects by path; AWS itself is asked at the endpoints of a region.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

METADATA = "http://169.254.169.254"
TOKEN_LIVES = 21_600  # seconds
RENEW_BEFORE = 300.0  # seconds: so long before their end the metadata has new credentials
TIMEOUT = 20.0  # seconds without a byte
PAUSES = (0.2, 1.0, 3.0)  # seconds before what had no answer is asked again
AGAIN = (429, 500, 502, 503, 504)
THROTTLED = ("Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown", "ConditionalRequestConflict")
VERSIONS = {"sts": "2011-06-15", "autoscaling": "2011-01-01", "ec2": "2016-11-15"}
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names
PLAIN = "-_.~"  # what a signed text leaves as it is, beside letters and digits

Response = http.client.HTTPResponse


class Refused(Exception):
    """AWS answered, and it is no."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code = status, code


class Unanswered(OSError):
    """There was no answer, or half of one."""


@dataclass(frozen=True)
class Answer:
    """A body, and the headers before it, their names in lower case."""

    body: bytes
    headers: dict[str, str]

    @property
    def now(self) -> float:
        """The clock of who answered, in seconds since 1970."""
        date = self.headers.get("date")
        return parsedate_to_datetime(date).timestamp() if date else time.time()


@dataclass(frozen=True)
class Credentials:
    """Those of a role; `until` in seconds since 1970."""

    key: str
    secret: str
    token: str = ""
    until: float = float("inf")


class Metadata:
    """The instance's metadata, version 2. A proxy of the environment has no part in it."""

    def __init__(self, address: str = METADATA) -> None:
        self._address = address
        self._token = ""
        self._credentials: Credentials | None = None

    def read(self, path: str) -> str:
        """What stands at a path below /latest/; Refused with 404 where nothing does."""
        if not self._token:
            lives = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_LIVES)}
            self._token = self._ask("PUT", "api/token", lives)
        return self._ask("GET", path, {"X-aws-ec2-metadata-token": self._token})

    def instance(self) -> str:
        """The instance's id."""
        return self.read("meta-data/instance-id")

    def private_address(self) -> str:
        """Its address in the space's network."""
        return self.read("meta-data/local-ipv4")

    def credentials(self) -> Credentials:
        """The role's, new ones when these are about to end."""
        if self._credentials is None or self._credentials.until - time.time() < RENEW_BEFORE:
            folder = "meta-data/iam/security-credentials/"
            found = json.loads(self.read(folder + self.read(folder).split()[0]))
            if found.get("Code", "Success") != "Success":
                raise Refused(403, str(found["Code"]), "the metadata has no credentials of the role yet")
            until = datetime.fromisoformat(found["Expiration"].replace("Z", "+00:00")).timestamp()
            self._credentials = Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["Token"], until)
        return self._credentials

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> str:
        request = urllib.request.Request(f"{self._address}/latest/{path}", headers=headers, method=method)
        with _whole(), _open(request, DIRECT) as response:
            return str(response.read().decode())


def signed(
    request: urllib.request.Request, credentials: Credentials, region: str, service: str, at: float
) -> urllib.request.Request:
    """The request with a signature, version 4, over its host, its headers and its body."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    body = request.data if isinstance(request.data, bytes) else b""
    url = urllib.parse.urlsplit(request.full_url)
    request.add_header("X-Amz-Date", moment)
    request.add_header("X-Amz-Content-Sha256", hashlib.sha256(body).hexdigest())
    if credentials.token:
        request.add_header("X-Amz-Security-Token", credentials.token)
    headers = {"host": url.netloc, **{name.lower(): value.strip() for name, value in request.header_items()}}
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    query = "&".join(sorted(url.query.split("&"))) if url.query else ""
    text = "\n".join((request.get_method(), url.path, query, lines, names, headers["x-amz-content-sha256"]))
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(text.encode()).hexdigest()
    key = f"AWS4{credentials.secret}".encode()
    for part in (moment[:8], region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    said = hmac.new(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}".encode(), hashlib.sha256).hexdigest()
    who = f"AWS4-HMAC-SHA256 Credential={credentials.key}/{scope}, SignedHeaders={names}, Signature={said}"
    request.add_header("Authorization", who)
    return request


class Aws:
    """Requests in a region, signed by whom `credentials` says."""

    def __init__(self, credentials: Callable[[], Credentials], region: str, endpoint: str | None = None) -> None:
        self.region, self.endpoint = region, endpoint
        self._credentials = credentials
        # To read all authorities again for each request would take longer than most answers.
        tls = urllib.request.HTTPSHandler(context=ssl.create_default_context())
        self._opener = DIRECT if endpoint else urllib.request.build_opener(tls)

    @contextmanager
    def opened(
        self, method: str, service: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[Response]:
        """One request, and its answer to read; Refused, or Unanswered after some tries."""
        response = self._insist(method, service, url, body, headers or {})
        with response, _whole():
            yield response

    def _insist(self, method: str, service: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Response:
        for pause in (*PAUSES, None):
            request = urllib.request.Request(url, body, dict(headers), method=method)
            request = signed(request, self._credentials(), self.region, service, time.time())
            try:
                return _open(request, self._opener)
            except (Unanswered, Refused) as error:
                again = isinstance(error, Unanswered) or error.status in AGAIN or error.code in THROTTLED
                if pause is None or not again:
                    raise
                time.sleep(pause)
        raise AssertionError("the last turn returns or raises")

    def ask(self, service: str, action: str, **facts: str) -> ElementTree.Element:
        """An action of a service that speaks in forms, and what it answers, without namespaces."""
        url = f"{self.endpoint or f'https://{service}.{self.region}.amazonaws.com'}/"
        form = {"Action": action, "Version": VERSIONS[service], **facts}
        kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        with self.opened("POST", service, url, urllib.parse.urlencode(form).encode(), kind) as response:
            return parsed(response.read())


class Bucket:
    """The objects of a bucket."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws = aws
        virtual = f"https://{name}.s3.{aws.region}.amazonaws.com"
        self._url = f"{aws.endpoint}/{name}" if aws.endpoint else virtual

    @contextmanager
    def opened(self, key: str) -> Iterator[Response]:
        """An object's bytes, as they come; Refused with 404 where there is none."""
        with self._aws.opened("GET", "s3", self._at(key)) as response:
            yield response

    def get(self, key: str, unless: str | None = None) -> Answer:
        """An object. Refused: 404 where there is none, 304 where its etag still is `unless`."""
        return self._ask("GET", key, None, {"If-None-Match": unless} if unless else {})

    def put(self, key: str, body: bytes, if_absent: bool = False, if_match: str | None = None) -> Answer:
        """Write an object; Refused with 412 where the condition does not hold."""
        condition = {"If-None-Match": "*"} if if_absent else {"If-Match": if_match} if if_match else {}
        return self._ask("PUT", key, body, {"Content-Type": "application/octet-stream", **condition})

    def list(self, prefix: str) -> tuple[list[tuple[str, int]], float]:
        """Keys that begin so, with sizes in bytes; and the store's clock."""
        found: list[tuple[str, int]] = []
        more = {"list-type": "2", "prefix": prefix}
        while True:
            query = urllib.parse.urlencode(more, quote_via=urllib.parse.quote, safe=PLAIN)
            with self._aws.opened("GET", "s3", f"{self._url}/?{query}") as response:
                answer = Answer(response.read(), _headers(response))
            page = parsed(answer.body)
            found += [(one.findtext("Key", ""), int(one.findtext("Size", "0"))) for one in page.iter("Contents")]
            if page.findtext("IsTruncated") != "true":
                return found, answer.now
            more["continuation-token"] = page.findtext("NextContinuationToken", "")

    def _at(self, key: str) -> str:
        return f"{self._url}/{urllib.parse.quote(key, safe=PLAIN + '/')}"

    def _ask(self, method: str, key: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        with self._aws.opened(method, "s3", self._at(key), body, headers) as response:
            return Answer(response.read(), _headers(response))


@dataclass(frozen=True)
class Member:
    """An instance of a group: `state` as Auto Scaling calls it (`Pending:Wait`, `InService`)."""

    id: str
    state: str
    healthy: bool

    @property
    def is_alive(self) -> bool:
        """Whether it may still hold a seat."""
        return self.healthy and not self.state.startswith(("Terminat", "Detach"))


class Group:
    """The Auto Scaling group that an instance is in."""

    def __init__(self, aws: Aws, instance: str) -> None:
        self._aws, self._instance = aws, instance
        self._found = ""

    @property
    def name(self) -> str:
        """Its name; Refused where the instance is in none."""
        if not self._found:
            facts = {"InstanceIds.member.1": self._instance}
            answer = self._aws.ask("autoscaling", "DescribeAutoScalingInstances", **facts)
            self._found = next((one.text or "" for one in answer.iter("AutoScalingGroupName")), "")
        if not self._found:
            raise Refused(404, "NoGroup", f"the instance {self._instance} is in no Auto Scaling group")
        return self._found

    def members(self) -> list[Member]:
        """Its instances."""
        facts = {"AutoScalingGroupNames.member.1": self.name}
        answer = self._aws.ask("autoscaling", "DescribeAutoScalingGroups", **facts)
        return [_member(one) for one in answer.findall(".//Instances/member")]

    def complete(self, hook: str, result: str) -> None:
        """Say how what a hook waits for has ended: CONTINUE or ABANDON."""
        self._of_hook("CompleteLifecycleAction", hook, LifecycleActionResult=result)

    def heartbeat(self, hook: str) -> None:
        """Have a hook wait on."""
        self._of_hook("RecordLifecycleActionHeartbeat", hook)

    def give_up(self, hook: str) -> None:
        """Have another instance come in the place of this one, whether the hook still waits or not."""
        try:
            self.complete(hook, "ABANDON")
        except Refused:
            self._aws.ask("autoscaling", "SetInstanceHealth", InstanceId=self._instance, HealthStatus="Unhealthy")

    def _of_hook(self, action: str, hook: str, **facts: str) -> None:
        known = {"AutoScalingGroupName": self.name, "LifecycleHookName": hook, "InstanceId": self._instance}
        self._aws.ask("autoscaling", action, **known, **facts)


def user_id(aws: Aws) -> str:
    """Who asks: `ROLE:INSTANCE` for an instance's role."""
    return aws.ask("sts", "GetCallerIdentity").findtext(".//UserId", "")


@dataclass(frozen=True)
class Address:
    """An Elastic IP: its allocation, the instance that it leads to, empty where it leads nowhere, and itself."""

    allocation: str
    holder: str
    public: str = ""


def find_address(aws: Aws, space: str, allocation: str | None = None) -> Address:
    """A space's Elastic IP, by its tag where the allocation is not known; Refused where there is none."""
    tag = {"Filter.1.Name": "tag:deployer:space", "Filter.1.Value.1": space}
    answer = aws.ask("ec2", "DescribeAddresses", **({"AllocationId.1": allocation} if allocation else tag))
    for one in answer.findall(".//addressesSet/item"):
        if found := one.findtext("allocationId"):
            return Address(found, one.findtext("instanceId") or "", one.findtext("publicIp") or "")
    raise Refused(404, "NoAddress", f"no Elastic IP is tagged as one of the space {space}")


def take_address(aws: Aws, allocation: str, instance: str) -> None:
    """Have an Elastic IP lead to the instance, whomever it led to before."""
    facts = {"AllocationId": allocation, "InstanceId": instance, "AllowReassociation": "true"}
    aws.ask("ec2", "AssociateAddress", **facts)


def parsed(body: bytes) -> ElementTree.Element:
    """XML without namespaces; Unanswered where it is none, as of something between here and AWS."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise Unanswered(f"an answer that is no XML: {body[:80]!r}") from error
    for one in root.iter():
        one.tag = one.tag.rpartition("}")[2]
    return root


def _member(found: ElementTree.Element) -> Member:
    healthy = found.findtext("HealthStatus", "Healthy").lower() == "healthy"
    return Member(found.findtext("InstanceId", ""), found.findtext("LifecycleState", ""), healthy)


def _headers(response: Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _open(request: urllib.request.Request, opener: urllib.request.OpenerDirector) -> Response:
    """An answer that is none of refusal."""
    with _whole():
        try:
            response: Response = opener.open(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error.code, error.read()) from error
        return response


@contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except http.client.HTTPException as error:
        raise Unanswered(f"{type(error).__name__}: {error}") from error
    except urllib.error.URLError as error:
        raise Unanswered(str(error.reason)) from error
    except (TimeoutError, ConnectionError) as error:
        raise Unanswered(str(error) or "no answer in time") from error


def _refusal(status: int, body: bytes) -> Refused:
    try:
        root = parsed(body)
    except Unanswered:
        return Refused(status, str(status), body[:200].decode(errors="replace") or "it says no more")
    found = {kind: next((one.text or "" for one in root.iter(kind)), "") for kind in ("Code", "Message")}
    return Refused(status, found["Code"] or str(status), found["Message"] or "it says no more")
