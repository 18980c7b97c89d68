"""How SSH reaches hosts: through an EC2 Instance Connect Endpoint, or from networks that the specification names."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.components.network import Network
from infra.components.noun import Noun
from infra.components.rules import allow_in, allow_out, group
from infra.spec import Spec

SSH = (22, 22)


class Access(Noun):
    """Opens port 22 of the hosts' security group, never to the whole internet."""

    def __init__(
        self,
        space: str,
        spec: Spec,
        network: Network,
        hosts: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(space, "access", opts)
        for n, source in enumerate(spec.ssh_from):
            allow_in(self, f"ssh-{n}", hosts, SSH, cidr_ipv4=source)
        if not spec.ssh_from:
            self._endpoint(network, hosts)
        self.leave()

    def _endpoint(self, network: Network, hosts: pulumi.Input[str]) -> None:
        own = group(self, "access", "The endpoint through which SSH comes", network.vpc.id)
        allow_out(self, "access-out", own.id, SSH, referenced_security_group_id=hosts)
        allow_in(self, "ssh", hosts, SSH, referenced_security_group_id=own.id)
        # The hosts see the endpoint's address, not the laptop's: the rule above names the endpoint.
        aws.ec2transitgateway.InstanceConnectEndpoint(
            "access",
            subnet_id=network.public[0],
            security_group_ids=[own.id],
            preserve_client_ip=False,
            tags=self.tags("access"),
            opts=self.inside,
        )
