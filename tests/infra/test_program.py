"""The Pulumi program under Pulumi's own mocks: what it makes of a specification, and what of it is open to whom."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from infra.components.hosts import hooks
from infra.kinds import WORDS
from infra.names import ADDED, LIMITS
from infra.policies import may
from infra.program import Settings, program
from infra.records import Records
from infra.resources import resources
from tests.infra.evaluator import allows
from tests.infra.recorder import MADE, SPECS, Recorder, of, only, run

WORLD = "0.0.0.0/0"
# Made before the program runs, or a rule of another group's there.
NOT_OF_THE_PROGRAM = {("store", "SSM parameter"), ("access", "security group rule")}


@pytest.fixture(scope="module")
def runs() -> dict[str, Recorder]:
    return {name: run(spec) for name, spec in SPECS.items()}


@pytest.mark.parametrize("zone", [None, "Z0123"])
@pytest.mark.parametrize("case", SPECS)
def test_the_program_makes_what_the_preview_without_an_account_lists(case: str, zone: str | None) -> None:
    made = Counter(kind for one in run(SPECS[case], zone=zone).made if (kind := WORDS[one.kind]))
    listed = Counter(
        one.kind
        for one in resources("production", SPECS[case], has_zone=zone is not None)
        if (one.noun, one.kind) not in NOT_OF_THE_PROGRAM and "-state" not in one.name and not one.when
    )
    assert made == listed


@pytest.mark.parametrize("case", SPECS)
def test_names_in_the_list_are_those_of_the_program(case: str, runs: dict[str, Recorder]) -> None:
    listed = {one.name for one in resources("production", SPECS[case]) if one.name.startswith("deployer-")}
    made = {one.name for one in runs[case].made}
    assert {name for name in listed if not name.endswith("-state")} <= made


@pytest.mark.parametrize("case", SPECS)
def test_everything_that_can_have_tags_says_whose_it_is(case: str, runs: dict[str, Recorder]) -> None:
    tagged = [one for one in runs[case].made if WORDS[one.kind] and not one.kind.endswith(":Group")]
    for one in tagged:
        tags = one.inputs["tags"]
        assert tags["deployer:space"] == "production", one.name
        assert tags["deployer:noun"] and tags["deployer:name"], one.name
    [group] = of(runs[case], "Group")
    assert {"key": "deployer:space", "value": "production", "propagateAtLaunch": False} in group.inputs["tags"]


@pytest.mark.parametrize("case", SPECS)
def test_one_provider_makes_everything(case: str, runs: dict[str, Recorder]) -> None:
    assert len({one.provider for one in runs[case].made}) == 1
    assert "aws::" in runs[case].made[0].provider


@pytest.mark.parametrize("case", SPECS)
def test_only_web_ports_of_the_front_are_open_to_the_world(case: str, runs: dict[str, Recorder]) -> None:
    rules = [one.inputs for one in of(runs[case], "SecurityGroupIngressRule")]
    world = [rule for rule in rules if rule.get("cidrIpv4") == WORLD]
    assert sorted((rule["fromPort"], rule["toPort"]) for rule in world) == [(80, 80), (443, 443)]
    front = "front" if SPECS[case].load_balancer else "hosts"
    assert {rule["securityGroupId"] for rule in world} == {f"deployer-production-{front}-id"}


@pytest.mark.parametrize("case", SPECS)
def test_ssh_comes_from_the_endpoint_or_from_named_networks(case: str, runs: dict[str, Recorder]) -> None:
    rules = [one.inputs for one in of(runs[case], "SecurityGroupIngressRule")]
    [ssh] = [rule for rule in rules if rule["fromPort"] == 22]
    if SPECS[case].ssh_from:
        assert ssh["cidrIpv4"] == "203.0.113.7/32"
        assert not of(runs[case], "InstanceConnectEndpoint")
    else:
        assert ssh["referencedSecurityGroupId"] == "deployer-production-access-id"
        assert only(runs[case], "InstanceConnectEndpoint")["preserveClientIp"] is False


@pytest.mark.parametrize("case", SPECS)
def test_hosts_are_kept_by_a_group_that_no_app_can_upset(case: str, runs: dict[str, Recorder]) -> None:
    group, count = only(runs[case], "Group"), SPECS[case].hosts.count
    assert (group["minSize"], group["desiredCapacity"], group["maxSize"]) == (count, count, count + 1)
    assert group["healthCheckType"] == "EC2"
    assert group["suspendedProcesses"] == ["AZRebalance"]
    assert [hook["lifecycleTransition"].rpartition("_")[2] for hook in group["initialLifecycleHooks"]] == [
        "LAUNCHING",
        "TERMINATING",
    ]
    assert [hook["default_result"] for hook in hooks()] == ["ABANDON", "CONTINUE"]


@pytest.mark.parametrize("case", SPECS)
def test_a_host_starts_encrypted_and_its_metadata_is_for_itself(case: str, runs: dict[str, Recorder]) -> None:
    template = only(runs[case], "LaunchTemplate")
    assert template["imageId"] == "ami-newest"
    [disk] = template["blockDeviceMappings"]
    assert disk["deviceName"] == "/dev/xvda"
    assert (disk["ebs"]["encrypted"], disk["ebs"]["volumeType"]) == ("true", "gp3")
    assert template["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    assert ("creditSpecification" in template) == SPECS[case].hosts.size.startswith("t")


def test_an_image_that_the_space_is_pinned_to_is_not_looked_up() -> None:
    found = run(SPECS["one host"], image="ami-pinned")
    assert only(found, "LaunchTemplate")["imageId"] == "ami-pinned"
    assert "aws:ssm/getParameter:getParameter" not in [token for token, _ in found.asked]


def test_the_image_is_of_the_architecture_of_the_hosts(runs: dict[str, Recorder]) -> None:
    for case, architecture in (("one host", "arm64"), ("domain", "amd64")):
        [asked] = [args for token, args in runs[case].asked if token.startswith("aws:ssm")]
        assert asked["name"] == f"/aws/service/debian/release/13/latest/{architecture}"


@pytest.mark.parametrize("case", [case for case, spec in SPECS.items() if spec.database])
def test_the_database_is_private_encrypted_and_hard_to_lose(case: str, runs: dict[str, Recorder]) -> None:
    database = only(runs[case], "Instance")
    assert database["engineVersion"] == "17"
    assert "password" not in database and database["manageMasterUserPassword"] is True
    assert (database["publiclyAccessible"], database["storageEncrypted"]) == (False, True)
    assert (database["deletionProtection"], database["skipFinalSnapshot"]) == (True, False)
    assert database["finalSnapshotIdentifier"] == "production-1a2b3c"
    assert only(runs[case], "ParameterGroup")["parameters"] == [{"name": "rds.force_ssl", "value": "1"}]
    assert only(runs[case], "SubnetGroup")["subnetIds"] == ["data-a-id", "data-b-id"]
    rules = [one.inputs for one in of(runs[case], "SecurityGroupIngressRule")]
    [rule] = [one for one in rules if one["fromPort"] == 5432]
    assert rule["referencedSecurityGroupId"] == "deployer-production-hosts-id"


@pytest.mark.parametrize("case", SPECS)
def test_the_store_is_private_and_wants_tls(case: str, runs: dict[str, Recorder]) -> None:
    block = only(runs[case], "BucketPublicAccessBlock")
    assert [block[key] for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")]
    assert all(value is True for key, value in block.items() if key != "bucket")
    [statement] = json.loads(only(runs[case], "BucketPolicy")["policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_https_is_listened_to_once_the_certificate_is_issued() -> None:
    before, after = (run(SPECS["domain"], certificate_issued=issued) for issued in (False, True))
    assert [one.inputs["port"] for one in of(before, "Listener")] == [80]
    assert sorted(one.inputs["port"] for one in of(after, "Listener")) == [80, 443]
    [http] = [one.inputs for one in of(after, "Listener") if one.inputs["port"] == 80]
    [action] = http["defaultActions"]
    assert action["type"] == "forward", "apps say themselves whether HTTP leads to HTTPS"


def test_further_domains_are_shown_by_the_listener_once_their_certificates_are_issued() -> None:
    further = ("www.shop.example", "*.shop.example")
    alone = replace(SPECS["load balancer"], domains=further)
    beside = replace(SPECS["domain"], domains=further)
    assert [one.inputs["port"] for one in of(run(alone), "Listener")] == [80]
    wanted = {"certificate-www.shop.example", "certificate-_wildcard.shop.example"}
    assert {one.name for one in of(run(alone), "Certificate")} == wanted

    found = run(alone, proved=further)
    [https] = [one.inputs for one in of(found, "Listener") if one.inputs["port"] == 443]
    assert https["certificateArn"] == "arn:aws:::certificate-www.shop.example"
    assert only(found, "ListenerCertificate")["certificateArn"] == "arn:aws:::certificate-_wildcard.shop.example"

    found = run(beside, certificate_issued=True, proved=further[:1])
    [http] = [one.inputs for one in of(found, "Listener") if one.inputs["port"] == 80]
    assert http["defaultActions"][0]["type"] == "forward", "a name without a certificate needs HTTP"
    [https] = [one.inputs for one in of(found, "Listener") if one.inputs["port"] == 443]
    assert https["certificateArn"] == "arn:aws:::certificate"
    assert only(found, "ListenerCertificate")["certificateArn"] == "arn:aws:::certificate-www.shop.example"


def test_the_domain_leads_to_the_front_and_is_proved_where_its_zone_is_here() -> None:
    found = run(SPECS["domain"], zone="Z0123")
    made = {one.name: one.inputs for one in of(found, "Record")}
    apps, proof = made["apps"], made["proof"]
    target = {"name": "front.example.com", "zoneId": "Z1", "evaluateTargetHealth": False}
    assert apps == {"zoneId": "Z0123", "name": "*.example.com", "type": "A", "aliases": [target]}
    assert (proof["name"], proof["type"]) == ("_ab.example.com", "CNAME")
    assert proof["records"] == ["_cd.acm-validations.aws."]
    assert proof["allowOverwrite"] is True  # another certificate of the same name wants the very same record
    assert "allowOverwrite" not in apps


def test_further_domains_lead_to_the_front_and_are_proved_in_zones_that_are_here() -> None:
    further = ("shop.example", "*.shop.example", "www.other.example", "elsewhere.example")
    records = (
        Records("shop.example", "Z1"),
        Records("*.shop.example", "Z1", there=True),
        Records("www.other.example", "Z2", leads=False),
    )
    for spec, zone in ((replace(SPECS["load balancer"], domains=further), None), (SPECS["domain"], "Z0123")):
        found = run(replace(spec, domains=further), zone=zone, records=records)
        made = {one.name: one.inputs for one in of(found, "Record")}
        assert made.keys() - {"apps", "proof"} == {
            "leads-shop.example",
            "leads-_wildcard.shop.example",
            "proof-shop.example",  # the same for all names of a domain
            "proof-www.other.example",
        }
        target = {"name": "front.example.com", "zoneId": "Z1", "evaluateTargetHealth": False}
        leads = {"zoneId": "Z1", "name": "shop.example", "type": "A", "aliases": [target]}
        assert made["leads-shop.example"] == leads
        assert made["leads-_wildcard.shop.example"] == {**leads, "name": "*.shop.example", "allowOverwrite": True}
        assert made["proof-www.other.example"]["zoneId"] == "Z2"


def test_a_domain_that_becomes_the_spaces_own_has_one_record_that_proves_it() -> None:
    spec = replace(SPECS["domain"], domains=("example.com",))
    found = run(spec, zone="Z0123", records=(Records("example.com", "Z0123"),))
    assert sorted(one.name for one in of(found, "Record")) == ["apps", "leads-example.com", "proof"]


def test_without_a_load_balancer_the_domain_leads_to_the_host() -> None:
    [apps] = of(run(replace(SPECS["one host"], domain="example.com"), zone="Z0123"), "Record")
    assert apps.inputs == {
        "zoneId": "Z0123",
        "name": "*.example.com",
        "type": "A",
        "records": ["203.0.113.9"],
        "ttl": 300,
    }


def test_another_account_is_refused_by_the_provider() -> None:
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project="deployer", stack="production", preview=False)
    providers: list[dict[str, Any]] = []
    recorder.new_resource = lambda args: _kept(providers, args)  # type: ignore[method-assign]
    settings = Settings("production", SPECS["domain"], "", snapshot="s")
    pulumi.runtime.test(lambda: program(settings))()
    [one] = providers
    assert json.loads(one["allowedAccountIds"]) == ["123456789012"]
    assert one["region"] == "us-east-1"


def _kept(providers: list[dict[str, Any]], args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[Any, Any]]:
    if args.typ == "pulumi:providers:aws":
        providers.append(args.inputs)
    return f"{args.name}-id", {"arn": "arn", "name": args.name, **MADE.get(args.typ, {}), **args.inputs}


def test_names_that_pulumi_may_choose_fit() -> None:
    """A space's name of the greatest length, in names that AWS bounds most narrowly."""
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project="deployer", stack="s", preview=False)
    pulumi.runtime.test(lambda: program(Settings("s" * 30, SPECS["domain"], "", snapshot="s")))()
    for kind, limit in (("LoadBalancer", "load-balancer"), ("TargetGroup", "target-group"), ("Bucket", "bucket")):
        assert len(of(recorder, kind)[0].name) + ADDED <= LIMITS[limit]


def test_the_role_of_hosts_has_a_boundary_where_there_is_one() -> None:
    assert "permissionsBoundary" not in only(run(SPECS["one host"]), "Role")
    arn = "arn:aws:iam::123456789012:policy/deployer/deployer-production-hosts"
    assert only(run(SPECS["one host"], boundary=arn), "Role")["permissionsBoundary"] == arn


BUCKET = "arn:aws:s3:::store"
HOST = "AROAEXAMPLE:i-0a1b2c3d"


def allowed(action: str, resource: str, *, takes_address: bool = True) -> bool:
    """Whether the policy of a host lets it."""
    context = {"aws:userid": HOST, "aws:ResourceTag/deployer:space": "production"}
    return allows([may(BUCKET, "production", takes_address=takes_address)], action, resource, context)


@pytest.mark.parametrize(
    ("action", "key", "may_do_it"),
    [
        ("s3:GetObject", "apps/shop/current", True),
        ("s3:GetObject", "agent/0123", True),
        ("s3:PutObject", f"hosts/{HOST}", True),
        ("s3:PutObject", f"hosts/{HOST}/health", True),
        ("s3:PutObject", "hosts/AROAEXAMPLE:i-other", False),
        ("s3:PutObject", f"hosts/{HOST}0", False),
        ("s3:PutObject", "seats/1", True),
        ("s3:PutObject", "apps/shop/releases/00000012.result", True),
        ("s3:PutObject", "apps/shop/releases/00000012", False),
        ("s3:PutObject", "apps/shop/current", False),
        ("s3:PutObject", "apps/shop/config/0123", False),
        ("s3:PutObject", "agent/0123", False),
        ("s3:PutObject", "space", False),
        ("s3:PutObject", "leases/space", False),
        ("s3:DeleteObject", f"hosts/{HOST}", False),
        ("s3:PutBucketPolicy", "", False),
    ],
)
def test_what_a_host_may_do_to_each_key(action: str, key: str, may_do_it: bool) -> None:
    assert allowed(action, f"{BUCKET}/{key}") is may_do_it


@pytest.mark.parametrize(
    ("action", "context", "may_do_it"),
    [
        ("s3:PutObject", {"s3:ObjectCreationOperation": "true", "s3:if-none-match": "*"}, True),
        ("s3:PutObject", {"s3:ObjectCreationOperation": "false"}, True),
        ("s3:PutObject", {"s3:ObjectCreationOperation": "true"}, False),
        ("s3:AbortMultipartUpload", {}, True),
        ("s3:DeleteObject", {}, False),
        ("s3:DeleteObjectVersion", {}, False),
    ],
)
def test_a_host_writes_a_backup_once_and_never_over_another(
    action: str, context: dict[str, str], may_do_it: bool
) -> None:
    policy = may(BUCKET, "production", takes_address=True)
    assert allows([policy], action, f"{BUCKET}/backups/shop/b001.dump", context) is may_do_it
    assert not allows([policy], action, f"{BUCKET}/schedules/shop/postgresql-1", context)


def test_only_a_host_without_a_load_balancer_takes_the_address() -> None:
    address = "arn:aws:ec2:us-east-1:123456789012:elastic-ip/eipalloc-1"
    assert allowed("ec2:AssociateAddress", address)
    assert not allowed("ec2:AssociateAddress", address, takes_address=False)
