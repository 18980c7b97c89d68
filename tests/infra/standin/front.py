"""Load balancers and certificates. Replace rules: internal/service/elbv2/*.go, acm/certificate.go of the provider."""

from __future__ import annotations

from typing import Any

from tests.infra.standin.kind import Aws, Kind, Refused, changed, gone, plain, renamed
from tests.infra.standin.values import Values

ATTRIBUTES = {
    "idleTimeout": "idle_timeout.timeout_seconds",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
}
CHECK = {
    "path": "HealthCheckPath",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthyThreshold": "HealthyThresholdCount",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}
REDIRECT = {"protocol": "Protocol", "port": "Port", "statusCode": "StatusCode"}
LISTENER = {"port": "Port", "protocol": "Protocol", "sslPolicy": "SslPolicy"}


def _attributes(new: Values, table: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": str(value).lower()} for key, value in renamed(new, table).items()]


def _retag(aws: Aws, resource: str, old: Values, new: Values) -> None:
    if changed(old, new, "tags"):
        aws.elbv2.add_tags(ResourceArns=[resource], Tags=aws.tag_list(new))


def _tags(aws: Aws, resource: str, state: Values) -> Values:
    return aws.tagged(state, aws.elbv2.describe_tags(ResourceArns=[resource])["TagDescriptions"][0]["Tags"])


def balancer_create(aws: Aws, new: Values) -> str:
    if len(new["subnets"]) < 2:
        raise Refused("ValidationError: At least two subnets in two different Availability Zones must be specified")
    made = aws.elbv2.create_load_balancer(
        Name=new["name"],
        Type=new["loadBalancerType"],
        Subnets=new["subnets"],
        SecurityGroups=new["securityGroups"],
        Tags=aws.tag_list(new),
    )["LoadBalancers"][0]["LoadBalancerArn"]
    balancer_update(aws, made, {}, new)
    return str(made)


def balancer_update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    if changed(old, new, *ATTRIBUTES):
        aws.elbv2.modify_load_balancer_attributes(LoadBalancerArn=resource, Attributes=_attributes(new, ATTRIBUTES))
    if old and changed(old, new, "securityGroups"):
        aws.elbv2.set_security_groups(LoadBalancerArn=resource, SecurityGroups=new["securityGroups"])
    if old and changed(old, new, "subnets"):
        aws.elbv2.set_subnets(LoadBalancerArn=resource, Subnets=new["subnets"])
    _retag(aws, resource, old, new)


@gone("LoadBalancerNotFound")
def balancer_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.elbv2.describe_load_balancers(LoadBalancerArns=[resource])["LoadBalancers"][0]
    answer = aws.elbv2.describe_load_balancer_attributes(LoadBalancerArn=resource)["Attributes"]
    attributes = {one["Key"]: one["Value"] for one in answer}
    return {
        "arn": resource,
        "arnSuffix": resource.split("loadbalancer/")[1],
        "name": found["LoadBalancerName"],
        "dnsName": found["DNSName"],
        "zoneId": found["CanonicalHostedZoneId"],
        "vpcId": found["VpcId"],
        "loadBalancerType": found["Type"],
        "subnets": [one["SubnetId"] for one in found["AvailabilityZones"]],
        "securityGroups": found.get("SecurityGroups", []),
        "idleTimeout": int(attributes[ATTRIBUTES["idleTimeout"]]),
        "dropInvalidHeaderFields": attributes.get(ATTRIBUTES["dropInvalidHeaderFields"]) == "true",
        **_tags(aws, resource, state),
    }


BALANCER = Kind(
    plain("name", "loadBalancerType", "subnets", "securityGroups", *ATTRIBUTES, "tags"),
    balancer_create,
    balancer_read,
    lambda aws, resource, state: aws.elbv2.delete_load_balancer(LoadBalancerArn=resource),
    balancer_update,
    replaces=frozenset({"name", "loadBalancerType"}),
    sets=frozenset({"subnets", "securityGroups"}),
    computed=("arn", "arnSuffix", "dnsName", "zoneId", "vpcId"),
    defaults={"loadBalancerType": "application", "idleTimeout": 60, "dropInvalidHeaderFields": False},
    autoname=("name", 32),
)


def targets_create(aws: Aws, new: Values) -> str:
    made = aws.elbv2.create_target_group(
        Name=new["name"],
        Port=new["port"],
        Protocol=new["protocol"],
        VpcId=new["vpcId"],
        TargetType=new["targetType"],
        Tags=aws.tag_list(new),
        **_check(new),
    )["TargetGroups"][0]["TargetGroupArn"]
    _delay(aws, made, new)
    return str(made)


def _check(new: Values) -> dict[str, Any]:
    check = new.get("healthCheck") or {}
    matcher = {"Matcher": {"HttpCode": check["matcher"]}} if "matcher" in check else {}
    return {**renamed(check, CHECK), **matcher}


def _delay(aws: Aws, resource: str, new: Values) -> None:
    attributes = _attributes(new, {"deregistrationDelay": "deregistration_delay.timeout_seconds"})
    aws.elbv2.modify_target_group_attributes(TargetGroupArn=resource, Attributes=attributes)


def targets_update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    if changed(old, new, "healthCheck"):
        aws.elbv2.modify_target_group(TargetGroupArn=resource, **_check(new))
    _delay(aws, resource, new)
    _retag(aws, resource, old, new)


@gone("TargetGroupNotFound")
def targets_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.elbv2.describe_target_groups(TargetGroupArns=[resource])["TargetGroups"][0]
    answer = aws.elbv2.describe_target_group_attributes(TargetGroupArn=resource)["Attributes"]
    attributes = {one["Key"]: one["Value"] for one in answer}
    check = {ours: found.get(theirs) for ours, theirs in CHECK.items()}
    return {
        "arn": resource,
        "arnSuffix": resource.rsplit(":", 1)[1],
        "name": found["TargetGroupName"],
        "port": found["Port"],
        "protocol": found["Protocol"],
        "vpcId": found["VpcId"],
        "deregistrationDelay": int(attributes["deregistration_delay.timeout_seconds"]),
        "healthCheck": {**check, "matcher": found.get("Matcher", {}).get("HttpCode")},
        **_tags(aws, resource, state),
    }


def targets_delete(aws: Aws, resource: str, state: Values) -> None:
    """moto lets one go that a listener names; AWS does not."""
    for balancer in aws.elbv2.describe_load_balancers()["LoadBalancers"]:
        listeners = aws.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        if resource in str(listeners):
            raise Refused(f"ResourceInUse: Target group '{resource}' is currently in use by a listener or a rule")
    aws.elbv2.delete_target_group(TargetGroupArn=resource)


TARGETS = Kind(
    {
        **plain("name", "port", "protocol", "vpcId", "targetType", "deregistrationDelay", "tags"),
        "healthCheck": plain(*CHECK, "matcher"),
    },
    targets_create,
    targets_read,
    targets_delete,
    targets_update,
    replaces=frozenset({"name", "port", "protocol", "vpcId", "targetType"}),
    computed=("arn", "arnSuffix"),
    defaults={"targetType": "instance", "deregistrationDelay": 300},
    autoname=("name", 32),
)


def listener_create(aws: Aws, new: Values) -> str:
    if certificate := new.get("certificateArn"):
        status = aws.acm.describe_certificate(CertificateArn=certificate)["Certificate"]["Status"]
        if status != "ISSUED":
            raise Refused(f"UnsupportedCertificate: The certificate '{certificate}' is {status}")
    made = aws.elbv2.create_listener(LoadBalancerArn=new["loadBalancerArn"], Tags=aws.tag_list(new), **_listener(new))
    return str(made["Listeners"][0]["ListenerArn"])


def _listener(new: Values) -> dict[str, Any]:
    certificate = {"Certificates": [{"CertificateArn": new["certificateArn"]}]} if "certificateArn" in new else {}
    return {**renamed(new, LISTENER), **certificate, "DefaultActions": [_action(one) for one in new["defaultActions"]]}


def _action(one: Values) -> dict[str, Any]:
    if one["type"] == "forward":
        return {"Type": "forward", "TargetGroupArn": one["targetGroupArn"]}
    return {"Type": one["type"], "RedirectConfig": renamed(one["redirect"], REDIRECT)}


def listener_update(aws: Aws, resource: str, old: Values, new: Values) -> None:
    aws.elbv2.modify_listener(ListenerArn=resource, **_listener(new))
    _retag(aws, resource, old, new)


@gone("ListenerNotFound", "LoadBalancerNotFound")
def listener_read(aws: Aws, resource: str, state: Values) -> Values:
    found = aws.elbv2.describe_listeners(ListenerArns=[resource])["Listeners"][0]
    tags = _tags(aws, resource, state)
    return {"arn": resource, "port": found["Port"], "protocol": found["Protocol"], **tags}


LISTENER_KIND = Kind(
    {
        **plain("loadBalancerArn", "certificateArn", *LISTENER, "tags"),
        "defaultActions": {**plain("type", "targetGroupArn"), "redirect": plain(*REDIRECT)},
    },
    listener_create,
    listener_read,
    lambda aws, resource, state: aws.elbv2.delete_listener(ListenerArn=resource),
    listener_update,
    required=("loadBalancerArn", "defaultActions"),
    replaces=frozenset({"loadBalancerArn"}),
    computed=("arn",),
)


def _shown(aws: Aws, listener: str) -> list[str]:
    """Those beside the listener's own."""
    found = aws.elbv2.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    return [one["CertificateArn"] for one in found if not one.get("IsDefault")]


def shown_create(aws: Aws, new: Values) -> str:
    status = aws.acm.describe_certificate(CertificateArn=new["certificateArn"])["Certificate"]["Status"]
    if status != "ISSUED":
        raise Refused(f"UnsupportedCertificate: The certificate '{new['certificateArn']}' is {status}")
    one = [{"CertificateArn": new["certificateArn"]}]
    aws.elbv2.add_listener_certificates(ListenerArn=new["listenerArn"], Certificates=one)
    return f"{new['listenerArn']}_{new['certificateArn']}"


@gone("ListenerNotFound", "LoadBalancerNotFound")
def shown_read(aws: Aws, resource: str, state: Values) -> Values | None:
    listener, _, certificate = resource.partition("_")
    there = certificate in _shown(aws, listener)
    return {"listenerArn": listener, "certificateArn": certificate} if there else None


def shown_delete(aws: Aws, resource: str, state: Values) -> None:
    listener, _, certificate = resource.partition("_")
    aws.elbv2.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": certificate}])


SHOWN_KIND = Kind(
    plain("listenerArn", "certificateArn"),
    shown_create,
    shown_read,
    shown_delete,
    required=("listenerArn", "certificateArn"),
    replaces=frozenset({"listenerArn", "certificateArn"}),
)


def certificate_create(aws: Aws, new: Values) -> str:
    made = aws.acm.request_certificate(
        DomainName=new["domainName"],
        SubjectAlternativeNames=[new["domainName"], *(new.get("subjectAlternativeNames") or [])],
        ValidationMethod=new["validationMethod"],
        Tags=aws.tag_list(new),
    )
    return str(made["CertificateArn"])


@gone("ResourceNotFoundException")
def certificate_read(aws: Aws, resource: str, state: Values) -> Values | None:
    found = aws.acm.describe_certificate(CertificateArn=resource)["Certificate"]
    if found["Status"] == "VALIDATION_TIMED_OUT":
        return None  # the provider takes it for gone
    tags = aws.acm.list_tags_for_certificate(CertificateArn=resource)["Tags"]
    return {
        "arn": resource,
        "domainName": found["DomainName"],
        "status": found["Status"],
        "domainValidationOptions": [
            {
                "domainName": one["DomainName"],
                "resourceRecordName": one["ResourceRecord"]["Name"],
                "resourceRecordType": one["ResourceRecord"]["Type"],
                "resourceRecordValue": one["ResourceRecord"]["Value"],
            }
            for one in found["DomainValidationOptions"]
        ],
        **aws.tagged(state, tags),
    }


def certificate_delete(aws: Aws, resource: str, state: Values) -> None:
    """moto lets one go that a listener names; AWS does not."""
    for balancer in aws.elbv2.describe_load_balancers()["LoadBalancers"]:
        listeners = aws.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        if resource in str(listeners):
            raise Refused(f"ResourceInUseException: Certificate {resource} in account {aws.account} is in use.")
    aws.acm.delete_certificate(CertificateArn=resource)


CERTIFICATE = Kind(
    plain("domainName", "subjectAlternativeNames", "validationMethod", "tags"),
    certificate_create,
    certificate_read,
    certificate_delete,
    lambda aws, resource, old, new: aws.acm.add_tags_to_certificate(CertificateArn=resource, Tags=aws.tag_list(new)),
    replaces=frozenset({"domainName", "subjectAlternativeNames", "validationMethod"}),
    sets=frozenset({"subjectAlternativeNames"}),
    computed=("arn", "status", "domainValidationOptions"),
)
