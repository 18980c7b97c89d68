"""AWS in a box: what tests of spaces in AWS stand on."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from deployer.model.space import Host
from deployer.remote import ssh
from deployer.spaces.aws import tunnel
from deployer.spaces.aws.tunnel import Endpoint
from tests.box.box import Box, box
from tests.box.ordered import BUCKET, GROUP, ROLE, Ordered, allow, balance, keep, order
from tests.infra.moto_here import REGION, issue_certificates
from tests.infra.standin.walls import ABOUT

pytestmark = pytest.mark.hosts
# What a host does at its first boot: it says who it is, leaves its console a word, and completes its launch.
SCRIPT = """#!/bin/bash
set -eu
ask() { curl -sf -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/"$1"; }
token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
id=$(ask meta-data/instance-id)
creds=$(ask meta-data/iam/security-credentials/$(ask meta-data/iam/security-credentials/))
of() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1" <<< "$creds"; }
aws() {
  service=$1; shift
  curl -sS --fail-with-body --aws-sigv4 "aws:amz:$(ask meta-data/placement/region):$service" \\
    --user "$(of AccessKeyId):$(of SecretAccessKey)" -H "x-amz-security-token: $(of Token)" "$@"
}
me=$(aws sts ENDPOINT/ -d 'Action=GetCallerIdentity&Version=2011-06-15')
me=$(sed -n 's:.*<UserId>\\(.*\\)</UserId>.*:\\1:p' <<< "$me")
echo "I am $me in $(ask meta-data/placement/availability-zone)"
ask meta-data/local-ipv4 > /root/address
mkdir -p /srv/www/-; echo "$id" | tee /srv/www/index.html > /srv/www/-/ready
systemd-run --quiet --unit=web --working-directory=/srv/www python3 -m http.server 80
aws s3 ENDPOINT/BUCKET/hosts/"$me" -T /root/address
aws autoscaling ENDPOINT/ -d "Action=CompleteLifecycleAction&Version=2011-01-01&LifecycleHookName=join\\
&AutoScalingGroupName=GROUP&LifecycleActionResult=CONTINUE&InstanceId=$id" > /dev/null
"""


@pytest.fixture(scope="module")
def here() -> Iterator[Box]:
    with box() as made:
        yield made


@pytest.fixture(scope="module")
def made(here: Box) -> Ordered:
    """A space whose group has two hosts that have joined, behind a load balancer."""
    ordered = order(here)
    script = SCRIPT.replace("ENDPOINT", here.cloud.endpoint).replace("BUCKET", BUCKET).replace("GROUP", GROUP)
    keep(ordered, script, 2, [balance(ordered)])
    ordered.serving(2)
    return ordered


def test_hosts_of_a_group_join_and_one_that_ends_is_replaced(made: Ordered) -> None:
    here, first = made.here, made.serving(2)
    assert sorted(one.id for one in here.instances()) == sorted(first)
    role = made.client("iam").get_role(RoleName=ROLE)["Role"]["RoleId"]
    for one in here.instances():
        assert f"I am {role}:{one.id} in eu-central-1" in one.console
        assert here.run(one.id, "cat", "/root/address") == one.address
        stored = made.client("s3").get_object(Bucket=BUCKET, Key=f"hosts/{role}:{one.id}")
        assert stored["Body"].read().decode() == one.address
    here.terminate(first[0], hard=True)
    here.wait(lambda: first[0] not in made.states())
    second = made.serving(2)
    assert first[1] in second and first[0] not in second
    assert "I am" in here.console(first[0])  # EC2 keeps what hosts that are gone have said


def test_the_load_balancer_follows_its_targets(made: Ordered) -> None:
    serving = made.serving(2)
    made.here.wait(lambda: made.health() == dict.fromkeys(serving, "healthy"))
    assert {asked(made) for _ in range(4)} == set(serving)
    made.here.run(serving[0], "mv", "/srv/www/-/ready", "/srv/www/-/gone")
    told = made.here.wait(lambda: [one for one in made.targets() if one["TargetHealth"]["State"] == "unhealthy"])
    assert told[0]["Target"]["Id"] == serving[0]
    assert told[0]["TargetHealth"]["Description"] == "Health checks failed with these codes: [404]"
    assert {asked(made) for _ in range(4)} == {serving[1]}
    made.here.run(serving[0], "mv", "/srv/www/-/gone", "/srv/www/-/ready")
    made.here.wait(lambda: made.health() == dict.fromkeys(serving, "healthy"))


def test_https_begins_with_a_certificate(made: Ordered) -> None:
    """Its listener has a certificate of that name, and the other one leads there."""
    elb, balancer = made.client("elbv2"), made.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    arn = made.client("acm").request_certificate(DomainName="example.com", ValidationMethod="DNS")["CertificateArn"]
    issue_certificates(REGION)
    http = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"][0]
    forward = {"Type": "forward", "TargetGroupArn": http["DefaultActions"][0]["TargetGroupArn"]}
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Port=443,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[forward],
    )
    to = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    elb.modify_listener(ListenerArn=http["ListenerArn"], DefaultActions=[to])
    near = ["curl", "-s", "--noproxy", "*", "--connect-to", f"::{made.here.front_address()}:"]
    where = [*near, "-o", "/dev/null", "-w", "%{redirect_url}", "http://example.com/a?b"]
    made.here.wait(lambda: said(where) == "https://example.com:443/a?b")
    secure = [*near, "--cacert", made.here.front.certificates(arn), "https://example.com/"]
    made.here.wait(lambda: said(secure) in made.states())
    elb.modify_listener(ListenerArn=http["ListenerArn"], DefaultActions=[forward])
    made.here.wait(lambda: asked(made))


def said(words: Sequence[str | Path]) -> str:
    return subprocess.run(words, capture_output=True, text=True, timeout=20, check=False).stdout.strip()


def test_nobody_else_comes_in(made: Ordered) -> None:
    """The group of the hosts lets in the load balancer, at port 80; a rule that is added lets in whom it names."""
    first, second = made.here.instances()[:2]
    ask = ["curl", "-s", "--max-time", "0.5", f"http://{second.address}/"]
    with pytest.raises(subprocess.CalledProcessError):
        made.here.run(first.id, *ask)
    allow(made, (80, 80), group=made.walls)
    made.here.wait(lambda: reached(made, first.id, *ask))


def test_ssh_goes_through_the_endpoint(made: Ordered, tmp_path: Path) -> None:
    host = made.here.instances()[0]
    own = made.client("ec2").create_security_group(GroupName="access", Description="of SSH", VpcId=made.vpc)["GroupId"]
    made.client("ec2").create_network_interface(SubnetId=made.subnets[0], Groups=[own], Description=ABOUT)
    allow(made, (22, 22), group=own)
    found = made.client("ec2").describe_instance_connect_endpoints()["InstanceConnectEndpoints"][0]
    endpoint = Endpoint(found["InstanceConnectEndpointId"], found["DnsName"], REGION)
    key = made.here.run(host.id, "cat", "/etc/ssh/ssh_host_ed25519_key.pub")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True)
    words = ["sh", "-c", 'mkdir -p /root/.ssh && echo "$1" > /root/.ssh/authorized_keys', "sh"]
    made.here.run(host.id, *words, (tmp_path / "id.pub").read_text())
    known = Host(host.id, 1, "", host.address, " ".join(key.split()[:2]))
    made.here.wait(lambda: endpoint.id in made.here.tunnel.known())
    connection = ssh.connect(known, tmp_path / "id", tunnel.dialler(endpoint))
    assert connection.open(["hostname"]).read(100).startswith(b"ip-")
    connection.close()


def test_an_elastic_ip_goes_where_it_is_associated(made: Ordered) -> None:
    ec2 = made.client("ec2")
    address = ec2.allocate_address(Domain="vpc")
    allow(made, (80, 80), network="0.0.0.0/0")
    for one in made.serving(2):
        ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=one, AllowReassociation=True)
        made.here.wait(lambda: got(f"http://{address['PublicIp']}/") == one)  # noqa: B023 - called at once


def asked(made: Ordered) -> str:
    return got(f"{made.here.front_url()}/")


def got(url: str) -> str:
    """What answers there; empty where nobody does."""
    with suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
        return str(answer.read().decode().strip())
    return ""


def reached(made: Ordered, *words: str) -> bool:
    with suppress(subprocess.CalledProcessError):
        return bool(made.here.run(*words))
    return False


def test_a_launch_that_is_given_up_is_followed_by_another(made: Ordered) -> None:
    made.serving(2)
    scaling = made.client("autoscaling")
    made.here.scaling.seconds = {"join": 0.3, "drain": 60}  # less than a host takes
    scaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=3)
    timed_out = "was abandoned: Heartbeat Timeout"
    told = made.here.wait(lambda: [a for a in made.activities() if a.get("StatusMessage", "").endswith(timed_out)])
    assert {one["StatusCode"] for one in told} == {"Cancelled"}
    made.here.scaling.seconds = {}
    assert len(made.serving(3)) == 3


def test_a_host_that_is_sent_away_has_time(made: Ordered) -> None:
    made.serving(3)
    made.client("autoscaling").set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=2)
    going = made.here.wait(lambda: [one for one, state in made.states().items() if state == "Terminating:Wait"])[0]
    assert made.here.run(going, "hostname").startswith("ip-")
    made.complete(going, hook="drain")
    assert going not in made.serving(2)
    made.here.wait(lambda: going not in {one.id for one in made.here.instances()})
    with pytest.raises(made.client("autoscaling").exceptions.ClientError, match="No active Lifecycle Action found"):
        made.complete(going, hook="drain")


def test_a_reboot_keeps_the_disk_and_runs_no_user_data(made: Ordered) -> None:
    one = made.serving(2)[0]
    look = "stat --format=%Y /proc/1; wc -l < /var/log/cloud-init-output.log; systemctl is-active cloud-final"
    before = made.here.run(one, "sh", "-c", look).split()
    made.client("ec2").reboot_instances(InstanceIds=[one])

    def again() -> list[str]:
        with suppress(subprocess.SubprocessError, LookupError):
            return made.here.run(one, "sh", "-c", look).split()
        return before  # it is on its way

    made.here.wait(lambda: again()[0] > before[0])
    assert again()[1:] == before[1:] and made.states()[one] == "InService"


def test_a_host_that_shuts_itself_down_is_replaced(made: Ordered) -> None:
    one = made.serving(2)[0]
    with suppress(subprocess.CalledProcessError):
        made.here.run(one, "systemctl", "poweroff", "--force")
    made.here.wait(lambda: made.states().get(one, "Terminating").startswith("Terminating"))
    made.complete(one, hook="drain")
    assert one not in made.serving(2)


def test_the_console_is_what_ec2_says(made: Ordered) -> None:
    name = made.serving(2)[0]
    assert (
        "cloud-init: user data ended with status 0" in made.client("ec2").get_console_output(InstanceId=name)["Output"]
    )


def test_metadata_speaks_version_2_alone_to_its_own_host(made: Ordered) -> None:
    one = made.here.instances()[0]
    status = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"]
    assert made.here.run(one.id, *status, "http://169.254.169.254/latest/meta-data/instance-id") == "401"
    ask = """
    token=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 9' http://169.254.169.254/latest/api/token)
    for path in meta-data/ meta-data/autoscaling/target-lifecycle-state dynamic/instance-identity/document; do
      curl -s -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/$path; echo
    done"""
    names, _, document = made.here.run(one.id, "bash", "-c", ask).partition("\nInService\n")
    assert {"instance-id", "iam/", "placement/"} <= set(names.splitlines())
    assert json.loads(document)["instanceId"] == one.id


def test_a_host_may_do_what_its_role_says(made: Ordered) -> None:
    """It writes what is its own, as the first test has shown, and nothing else."""
    one = made.here.instances()[0]
    write = (
        SCRIPT.partition("me=$(")[0] + f"aws s3 {made.here.cloud.endpoint}/{BUCKET}/apps/blog/current -T /etc/hostname"
    )
    with pytest.raises(subprocess.CalledProcessError) as raised:
        made.here.run(one.id, "bash", "-c", SCRIPT.partition("me=$(")[0] + write)
    assert "<Code>AccessDenied</Code>" in raised.value.stdout
    assert f"/{one.id} is not authorized to perform: s3:PutObject" in raised.value.stdout


def test_hosts_have_no_way_out(made: Ordered) -> None:
    name = made.here.instances()[0].id
    assert "default" not in made.here.run(name, "ip", "route")
    assert json.loads(made.here.run(name, "ip", "-j", "route", "show", "default")) == []
