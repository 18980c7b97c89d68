"""What AWS answers instead of doing what it was asked, in boto3's exceptions or the engine's messages, as failures.

    operation error EC2: CreateVpc, https response error StatusCode: 400, RequestID: 1f, api error VpcLimitExceeded: ...

is how the AWS SDK for Go, which the real provider and Pulumi's state speak with, words an answer; codes that a model
of a service knows come without `api error`. Codes that nobody knows stay as they are, with the call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from deployer.errors import aws as words
from deployer.errors.base import Failure
from deployer.model import aws_codes as codes
from infra.actions import action_of, prefix_of
from infra.quotas import quota

# `operation error IAM: CreateRole, exceeded maximum number of attempts, 25, https response error StatusCode: 409,
# RequestID: 277306c3-5a41, HostID: x, EntityAlreadyExists: Role with name x already exists.`
ANSWER = re.compile(
    r"operation error (?P<service>[A-Z][\w ]*): (?P<operation>\w+), "
    r"(?:exceeded maximum number of attempts, (?P<tries>\d+), )?"
    r"https response error StatusCode: [1-9]\d*, RequestID: [^,]*, (?:HostID: [^,]*, )?"
    r"(?:api error )?(?P<code>[\w.]+)(?:: (?P<reason>[^\n]*))?"
)
BARE = re.compile(r"api error (?P<code>[\w.]+): (?P<reason>[^\n]*)")
BY = re.compile(r": provider=\w+@[\w.+-]+$")  # what the real provider adds to its log lines
NO_ANSWER = re.compile(r"(?:request send failed|StatusCode: 0\b|dial tcp|no such host|connection refused|i/o timeout)")
# Of a group that waits for its hosts, and of a database: AWS took the call, and could not keep it.
NO_ROOM = re.compile(
    r"We currently do not have sufficient [^\n]*|[^\n]*unexpected state 'insufficient-capacity'[^\n]*"
    r"|[^\n]*instance type [^\n]* is not supported in your requested Availability Zone[^\n]*"
)
OVER_QUOTA = re.compile(r"You have requested more (?:vCPU capacity|instances) [^\n]*")
# The real provider's own words, of provider/errors in pulumi-aws, and those of the SDK for Go beneath them.
SIGNED_OUT = re.compile(
    r"(?:Failed to refresh cached SSO credentials|failed to refresh cached credentials, (?!no EC2 IMDS)"
    r"|The configured AWS credentials (?:are invalid or )?have expired|Invalid credentials configured"
    r"|The AWS login session for |the SSO session has expired)[^\n]*"
)
NO_SOURCE = re.compile(
    r"(?:No valid credential sources found|no EC2 IMDS role found|The AWS profile \"[^\"]*\" was not found"
    r"|failed to get shared config profile|The credential_process configured for )[^\n]*"
)
OWN_WORDS: tuple[tuple[re.Pattern[str], Callable[[str], Failure]], ...] = (
    (SIGNED_OUT, words.CredentialsExpired),
    (NO_SOURCE, words.CredentialsMissing),
    (NO_ROOM, words.AwsFull),
    (OVER_QUOTA, lambda reason: failure_of(Refusal("ec2", "RunInstances", "VcpuLimitExceeded", reason))),
)
NOT_ALLOWED = re.compile(r"not authorized to perform:? (?P<action>[\w-]+:\w+)(?P<why>[^\n]*)")
ENCODED = re.compile(r"\s*Encoded authorization failure message: (?P<message>\S+)")
# Of a group of hosts: it asks for the right to start them itself.
NO_TEMPLATE = re.compile(r"not authorized to use launch template")
LIMIT = re.compile(r"(?:Limit|Quota)(?:Exceeded|Reached)|^TooMany(?!Requests)|MaxSpotInstanceCountExceeded")
TAKEN = re.compile(r"AlreadyExists|^Duplicate")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error: `service` as actions of IAM spell it; it and `operation` are empty where nothing says
    them. `tries`: how often it was asked."""

    service: str
    operation: str
    code: str
    reason: str
    tries: int = 1

    @property
    def call(self) -> str:
        """`ec2:RunInstances`"""
        return ":".join(filter(None, (self.service, self.operation))) or "a call"

    @property
    def why(self) -> str:
        return self.reason or "It says no more."


Fits = Callable[[Refusal], bool]
Make = Callable[[Refusal], Failure]


def heard(text: str) -> Refusal | None:
    """The answer of AWS in a message of the engine, or of something beneath it; the innermost, which is the cause."""
    text = BY.sub("", text.strip())
    found = [*ANSWER.finditer(text)]
    if found:
        one = found[-1]
        service = prefix_of(one["service"])
        return Refusal(service, one["operation"], one["code"], _clean(one["reason"]), int(one["tries"] or 1))
    bare = BARE.search(text)
    return Refusal("", "", bare["code"], _clean(bare["reason"])) if bare else None


def explained(text: str) -> Failure | None:
    """A message of the engine as a failure of ours; None where AWS has no part in it, or not one that anybody knows."""
    if refusal := heard(text):
        return failure_of(refusal)
    for pattern, make in OWN_WORDS:
        if found := pattern.search(text):
            return make(_clean(found[0]))
    return words.AwsUnreachable(_last(text)) if NO_ANSWER.search(text) else None


def failure_of(said: Refusal) -> Failure:
    """The failure that an answer is."""
    return next(make(said) for fits, make in KINDS if fits(said))


def _denied(said: Refusal) -> Failure:
    """What must be allowed: AWS says it in a sentence, or in a message that only those it concerns may decode."""
    named, encoded = NOT_ALLOWED.search(said.why), ENCODED.search(said.why)
    plain = ENCODED.sub("", said.why).strip()
    if named and (who := _forbidder(named["why"])):
        return words.AwsForbidden(said.call, named["action"], who, plain)
    if named:
        return words.AwsDenied(said.call, named["action"], plain)
    action = "ec2:RunInstances" if NO_TEMPLATE.search(plain) else action_of(said.service, said.operation)
    if encoded:
        return words.AwsDeniedInCode(said.call, action, plain, encoded["message"])
    return words.AwsDenied(said.call, action, plain)


def _forbidder(why: str) -> str | None:
    """What stands against it; None where an addition to the credentials' own policy is all that is missing."""
    if "identity-based" in why and "explicit deny" not in why:
        return None
    return next((who for kind, who in words.FORBID.items() if kind in why), None)


def _is(known: Collection[str]) -> Fits:
    return lambda said: said.code in known


def _told(kind: Callable[[str, str, str], Failure]) -> Make:
    return lambda said: kind(said.call, said.code, said.why)


def _is_skewed(said: Refusal) -> bool:
    return said.code in codes.SKEWED or (said.code in codes.UNKNOWN and said.reason.startswith("Signature expired"))


def _is_denied(said: Refusal) -> bool:
    return said.code in codes.DENIED or NOT_ALLOWED.search(said.reason) is not None


def _quota(said: Refusal) -> Failure:
    return words.AwsQuota(said.call, said.code, said.why, *quota(said.code, said.service, said.operation))


KINDS: tuple[tuple[Fits, Make], ...] = (
    (_is_skewed, lambda said: words.ClockSkewed(said.call, said.why)),
    (_is(codes.EXPIRED), lambda said: words.CredentialsExpired(said.why)),
    (_is(codes.UNKNOWN), _told(words.CredentialsUnknown)),
    (_is_denied, _denied),
    (_is(codes.CLOSED), _told(words.AwsClosed)),
    (_is(codes.THROTTLED), lambda said: words.AwsThrottled(said.call, said.code, said.tries)),
    (_is(codes.FULL), lambda said: words.AwsFull(said.why)),
    (lambda said: LIMIT.search(said.code) is not None, _quota),
    (lambda said: said.code in codes.TAKEN or TAKEN.search(said.code) is not None, _told(words.AwsNameTaken)),
    (_is(codes.BROKEN), _told(words.AwsBroken)),
    (lambda said: True, _told(words.AwsRefused)),
)
"""In this order: the first that fits."""


def _clean(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").strip()


def _last(text: str) -> str:
    """Of a chain of causes the last line that says something."""
    return _clean(next(line for line in reversed(text.strip().splitlines()) if line.strip()))
