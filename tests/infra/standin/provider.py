"""Stands in for pulumi-resource-aws: Pulumi's engine speaks to it over gRPC, and it makes everything in moto.

Strict: an input that it does not implement is an error. `fault` is asked before and after each call of AWS, and may
raise: Refused is an error of AWS.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as pb

from tests.infra.standin.kind import Aws, Kind, Refused, Shape
from tests.infra.standin.values import UNKNOWN, Values, dump, is_known, load

SKIPPED = ("CredentialsValidation", "MetadataApiCheck", "RegionValidation")
ADDED = 8  # characters that Pulumi adds to a name that it may choose
# Those after the third are the SDK's own: what they skip the stand-in does not do.
SETTINGS = ("region", "allowedAccountIds", "defaultTags", "version", *(f"skip{what}" for what in SKIPPED))
Function = Callable[[Aws, Values], Values]


@dataclass(frozen=True)
class Call:
    """Something that is done in AWS. `done`: it is, and the engine has not heard of it yet."""

    what: str  # create, read, update, delete
    kind: str
    name: str
    done: bool


@dataclass
class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider, configured by the program that runs."""

    kinds: Mapping[str, Kind]
    functions: Mapping[str, Function]
    endpoint: str
    version: str
    fault: Callable[[Call], None] = lambda call: None
    calls: list[Call] = field(default_factory=list)
    aws: Aws | None = None

    def Handshake(self, request: Any, context: Any) -> Any:
        return pb.ProviderHandshakeResponse()

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return pb.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        old, new = load(request.old_inputs), load(request.news)
        differ = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        changes = pb.DiffResponse.DIFF_SOME if differ else pb.DiffResponse.DIFF_NONE
        return pb.DiffResponse(changes=changes, diffs=differ, replaces=[one for one in differ if one == "region"])

    def Configure(self, request: Any, context: Any) -> Any:
        with reported(context):
            settings = {name: _parsed(value) for name, value in load(request.args).items()}
            refuse_unknown(settings, dict.fromkeys(SETTINGS), "the provider")
            self.aws = Aws(self.endpoint, settings["region"], (settings.get("defaultTags") or {}).get("tags", {}))
            _check_account(self.aws, settings.get("allowedAccountIds"))
        return pb.ConfigureResponse(supportsPreview=True)

    def Invoke(self, request: Any, context: Any) -> Any:
        with reported(context):
            if request.tok not in self.functions:
                raise Refused(f"the stand-in has no function {request.tok}")
            answer = self.functions[request.tok](self._aws, load(request.args))
            return pb.InvokeResponse(**{"return": dump(answer)})

    def Check(self, request: Any, context: Any) -> Any:
        with reported(context):
            kind, new, old = self._kind(request), load(request.news), load(request.olds)
            if kind.autoname and new.get(kind.autoname[0]) is None:
                new[kind.autoname[0]] = old.get(kind.autoname[0]) or _made_up(_name(request), kind, request.randomSeed)
            new = {**kind.defaults, **new}
            refuse_unknown(new, kind.inputs, request.urn)
            missing = [name for name in kind.required if new.get(name) is None]
            failures = [pb.CheckFailure(property=one, reason=f'Missing required argument "{one}"') for one in missing]
            return pb.CheckResponse(inputs=dump(new), failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        with reported(context):
            kind, old, new = self._kind(request), load(request.old_inputs), load(request.news)
            details = {
                name: _difference(name, old, new, kind)
                for name in sorted(old.keys() | new.keys())
                if name not in request.ignoreChanges and not kind.same(name, old.get(name), new.get(name))
            }
            replaces = [name for name in details if name in kind.replaces]
            named = kind.autoname is not None and old.get(kind.autoname[0]) == new.get(kind.autoname[0])
            return pb.DiffResponse(
                changes=pb.DiffResponse.DIFF_SOME if details else pb.DiffResponse.DIFF_NONE,
                diffs=list(details),
                replaces=replaces,
                detailedDiff=details,
                hasDetailedDiff=True,
                deleteBeforeReplace=bool(replaces) and named,
            )

    def Create(self, request: Any, context: Any) -> Any:
        kind, new = self._kind(request), load(request.properties)
        if request.preview:
            tags = new.get("tags")  # an Auto Scaling group has a list of its own kind, and no tagsAll
            has_table = "tags" in kind.inputs and not isinstance(tags, list) and is_known(tags)
            known = {"tagsAll": self._aws.tags(new)} if has_table else {}
            return pb.CreateResponse(properties=dump({**dict.fromkeys(kind.computed, UNKNOWN), **new, **known}))
        with reported(context, f"creating {request.urn}"):
            made = self._done("create", request, lambda: kind.create(self._aws, new))
            live = kind.read(self._aws, made, new)
            if live is None:
                raise Refused(f"{made} was made, and is not found")
            return pb.CreateResponse(id=made, properties=dump({**live, **new, **_computed(live, kind)}))

    def Read(self, request: Any, context: Any) -> Any:
        with reported(context, f"reading {request.urn}"):
            kind, state, inputs = self._kind(request), load(request.properties), load(request.inputs)
            live = self._done("read", request, lambda: kind.read(self._aws, request.id, {**inputs, **state}))
            if live is None:
                return pb.ReadResponse()  # without an id: it is gone
            wanted = inputs or {name: None for name in kind.inputs if name in live}
            seen = {name: _seen(name, value, live, kind) for name, value in wanted.items()}
            outputs = {**state, **live, **seen, **_computed(live, kind)}
            return pb.ReadResponse(id=request.id, properties=dump(outputs), inputs=dump(seen))

    def Update(self, request: Any, context: Any) -> Any:
        kind, state = self._kind(request), load(request.olds)
        old, new = load(request.old_inputs), load(request.news)
        kept = {name: value for name, value in state.items() if name not in old}
        if request.preview:
            return pb.UpdateResponse(properties=dump({**kept, **new, **dict.fromkeys(kind.moving, UNKNOWN)}))
        with reported(context, f"updating {request.urn}"):
            self._done("update", request, lambda: kind.update(self._aws, request.id, old, new))
            live = kind.read(self._aws, request.id, {**kept, **new}) or {}
            return pb.UpdateResponse(properties=dump({**kept, **live, **new, **_computed(live, kind)}))

    def Delete(self, request: Any, context: Any) -> Any:
        with reported(context, f"deleting {request.urn}"):
            kind, state = self._kind(request), {**load(request.old_inputs), **load(request.properties)}
            if kind.read(self._aws, request.id, state) is not None:
                self._done("delete", request, lambda: kind.delete(self._aws, request.id, state))
            return empty_pb2.Empty()

    @property
    def _aws(self) -> Aws:
        assert self.aws, "the engine configures a provider before it uses it"
        return self.aws

    def _kind(self, request: Any) -> Kind:
        kind = _type(request)
        if kind not in self.kinds:
            raise Refused(f"the stand-in has no type {kind}")
        return self.kinds[kind]

    def _done(self, what: str, request: Any, do: Callable[[], Any]) -> Any:
        for done in (False, True):
            call = Call(what, _type(request), _name(request), done)
            self.calls.append(call)
            self.fault(call)
            if not done:
                answer = do()
        return answer


def refuse_unknown(given: Any, shape: Shape | None, path: str) -> None:
    """Refuse inputs that are not implemented, nested ones too."""
    if isinstance(given, list):
        for one in given:
            refuse_unknown(one, shape, path)
    elif isinstance(given, dict) and shape is not None:
        for name, value in given.items():
            if name not in shape:
                raise Refused(f"the stand-in does not implement {path}.{name}")
            refuse_unknown(value, shape[name], f"{path}.{name}")


@contextmanager
def reported(context: Any, doing: str = "") -> Iterator[None]:
    """Errors of AWS as the real provider words them: `doing` is `creating URN`."""
    try:
        yield
    except ClientError as error:
        context.abort(grpc.StatusCode.UNKNOWN, wrapped(doing, answer_of(error)))
    except Refused as error:
        context.abort(grpc.StatusCode.UNKNOWN, wrapped(doing, str(error)))
    except (BotoCoreError, ResponseParserError, LookupError, TypeError, ValueError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, f"{type(error).__name__}: {error}")


def wrapped(doing: str, text: str) -> str:
    """As the bridge between Pulumi and the provider does it."""
    return f"1 error occurred:\n\t* {doing}: 1 error occurred:\n\t* {text}\n\n" if doing else text


def answer_of(error: ClientError) -> str:
    """As the SDK for Go says it, which leaves `api error` out of codes that the service's model knows."""
    answer, meta = error.response["Error"], error.response.get("ResponseMetadata", {})
    tries = f"exceeded maximum number of attempts, {meta['RetryAttempts'] + 1}, " if meta.get("RetryAttempts") else ""
    what = f"operation error {meta.get('Service')}: {error.operation_name}, {tries}https response error"
    kind = "api error " if type(error) is ClientError else ""
    status = f"StatusCode: {meta.get('HTTPStatusCode')}, RequestID: {meta.get('RequestId')}"
    return f"{what} {status}, {kind}{answer['Code']}: {answer.get('Message')}"


@contextmanager
def serving(provider: Provider) -> Iterator[int]:
    """Serve it on loopback; the port, for PULUMI_DEBUG_PROVIDERS."""
    server = grpc.server(futures.ThreadPoolExecutor(16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        stopped: threading.Event = server.stop(grace=None)
        stopped.wait()


def _check_account(aws: Aws, allowed: list[str] | None) -> None:
    """Word for word what the real provider says."""
    if allowed and aws.account not in allowed:
        raise Refused(f"AWS account ID not allowed: {aws.account}")


def _parsed(value: Any) -> Any:
    """Configuration arrives as texts; those of tables and lists are JSON."""
    if isinstance(value, str) and (value[:1] in "{[" or value in ("true", "false")):
        return json.loads(value or '""')
    return value


def _type(request: Any) -> str:
    """`urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`"""
    return str(request.urn.split("::")[2].split("$")[-1])


def _name(request: Any) -> str:
    return str(request.urn.split("::")[3])


def _made_up(name: str, kind: Kind, seed: bytes) -> str:
    assert kind.autoname
    if len(name) + ADDED > kind.autoname[1]:
        raise Refused(f"{name} is too long for Pulumi to make a name of {kind.autoname[1]} characters from it")
    return f"{name}-{hashlib.sha256(seed).hexdigest()[: ADDED - 1]}"


def _difference(name: str, old: Values, new: Values, kind: Kind) -> Any:
    verb = "ADD" if old.get(name) is None else "DELETE" if new.get(name) is None else "UPDATE"
    replaces = "_REPLACE" if name in kind.replaces else ""
    return pb.PropertyDiff(kind=getattr(pb.PropertyDiff, verb + replaces), inputDiff=True)


def _seen(name: str, given: Any, live: Values, kind: Kind) -> Any:
    """An input as AWS has it now; as it was given where that means the same, or where AWS does not tell."""
    if name not in live:
        return given
    found = _projected(given, live[name])
    return given if kind.same(name, given, found) else found


def _projected(given: Any, live: Any) -> Any:
    """Of tables only what was given: AWS fills in its own for the rest."""
    if isinstance(given, dict) and isinstance(live, dict):
        return {name: _projected(value, live.get(name)) for name, value in given.items()}
    if isinstance(given, list) and isinstance(live, list) and len(given) == len(live):
        return [_projected(*pair) for pair in zip(given, live, strict=True)]
    return live


def _computed(live: Values, kind: Kind) -> Values:
    return {name: value for name, value in live.items() if name in (*kind.computed, "tagsAll")}
