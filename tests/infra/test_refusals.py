"""What AWS says when it does not do as asked, in the words that others have met, becomes a failure of ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deployer.errors import aws as words
from deployer.errors.base import Failure
from infra.problems import Problem, bare, failure, problem
from infra.refusals import Refusal, explained, failure_of, heard

Golden = Callable[[str, str], None]
WHO = "arn:aws:sts::123456789012:assumed-role/deploy/me"

# From issues on GitHub, shortened: the numbers of accounts and requests are others.
DENIED = (  # DataDog/stratus-red-team#387
    "operation error EC2: RunInstances, https response error StatusCode: 403, RequestID: 993a3d41-5543, api error "
    "UnauthorizedOperation: You are not authorized to perform this operation. Encoded authorization failure message: "
    "qoYeuy5DNQMk_k7JauWsrjPnqAi9h90gWITrdEQKpzKtUH4C4XeRuGX"
)
FORBIDDEN = (  # aws/karpenter-provider-aws#7370
    "operation error EC2: RunInstances, https response error StatusCode: 403, RequestID: 7a1e88bc, api error "
    f"UnauthorizedOperation: You are not authorized to perform this operation. User: {WHO} is not "
    "authorized to perform: "
    "ec2:RunInstances on resource: arn:aws:ec2:us-east-2:123456789012:instance/* with an explicit deny in a service "
    "control policy. Encoded authorization failure message: g4oZPBqZ4Bni8dE5dGjxYTnOZ"
)
EXPIRED = (  # pulumi/pulumi-aws#2560
    "error configuring Terraform AWS Provider: error validating provider credentials: error calling "
    "sts:GetCallerIdentity: operation error STS: GetCallerIdentity, https response error StatusCode: 403, RequestID: "
    "87fecadb, api error ExpiredToken: The security token included in the request is expired"
)
SSO = (  # pulumi/pulumi-aws#3023
    "unable to validate AWS credentials.\nDetails: no valid credential sources for Pulumi AWS Classic found.\n\n"
    "Error: failed to refresh cached credentials, the SSO session has expired or is invalid: failed to read cached SSO "
    "token file, open /home/me/.aws/sso/cache/x.json: no such file or directory"
)
# pulumi-aws, provider/errors/expired_sso.txt and no_credentials.txt, with what the engine says before them.
PROBLEM = "pulumi:providers:aws resource 'aws' has a problem: "
SIGN_IN = f"{PROBLEM}Failed to refresh cached SSO credentials.\nPlease refresh SSO login.\nNEW: You can use ..."
NOTHING = (
    f"{PROBLEM}No valid credential sources found.\nPlease see https://www.pulumi.com/registry/ for more.\nNEW: ..."
)
PROFILE = f'{PROBLEM}The AWS profile "prod" was not found.\nConfigured profiles: default.'
PORTAL = (  # the answer of the portal: aws/aws-cli#7340
    "get identity: get credentials: failed to refresh cached credentials, operation error SSO: "
    "GetRoleCredentials, https "
    "response error StatusCode: 401, RequestID: 4df368b4, UnauthorizedException: Session token not found or invalid"
)
NO_METADATA = (  # hashicorp/terraform-provider-aws, many
    "operation error STS: GetCallerIdentity, get identity: get credentials: failed to refresh cached "
    "credentials, no EC2 "
    "IMDS role found, operation error ec2imds: GetMetadata, request canceled, context deadline exceeded"
)
ROLE = (  # port-labs/ocean#854: a code that the model of the service knows
    "creating IAM Role (deployer-production-host): operation error IAM: CreateRole, https response error "
    "StatusCode: 409, "
    "RequestID: 277306c3, EntityAlreadyExists: Role with name deployer-production-host already exists."
)
STORAGE = (  # ministryofjustice/cloud-platform#6424
    "updating RDS DB Instance (x): operation error RDS: ModifyDBInstance, https response error "
    "StatusCode: 400, RequestID: "
    "314d5e61, StorageQuotaExceeded: The operation cannot be completed. The storage quota for this account has been "
    "exceeded by 7068; requested iops: 16000; computed size: 500."
)
VCPUS = (  # bentoml/bentoctl#202
    "operation error EC2: RunInstances, https response error StatusCode: 400, RequestID: 0d394442, api error "
    "VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 32 allows "
    "for the instance "
    "bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to "
    "request an adjustment to this limit."
)
SCALING = (  # hashicorp/terraform-provider-aws#33665
    "waiting for Auto Scaling Group (x) capacity satisfied: scaling activity (y): Failed: We currently do not have "
    "sufficient t4g.small capacity in the Availability Zone you requested (us-east-1b). Our system will be working on "
    "provisioning additional capacity."
)
THROTTLED = (
    "operation error Auto Scaling: CreateAutoScalingGroup, exceeded maximum number of attempts, 25, "
    "https response error "
    "StatusCode: 400, RequestID: 2b59b155, api error Throttling: Rate exceeded"
)
STATE = (  # of gocloud.dev/blob, which Pulumi keeps its state with
    "could not list bucket: blob (code=PermissionDenied): operation error S3: ListObjectsV2, https response error "
    "StatusCode: 403, RequestID: 5AB, HostID: d2=, api error AccessDenied: Access Denied"
)
NO_HOST = (  # szabgab/code-maven.com, wrong region
    "retrieving caller identity from STS: operation error STS: GetCallerIdentity, exceeded maximum "
    "number of attempts, 3, "
    "https response error StatusCode: 0, RequestID: , request send failed, Post "
    '"https://sts.us-east-1a.amazonaws.com/": '
    "dial tcp: lookup sts.us-east-1a.amazonaws.com on 127.0.0.53:53: no such host"
)
TEXTS: dict[str, tuple[str, type[Failure]]] = {
    "denied": (DENIED, words.AwsDeniedInCode),
    "forbidden": (FORBIDDEN, words.AwsForbidden),
    "expired": (EXPIRED, words.CredentialsExpired),
    "sso": (SSO, words.CredentialsExpired),
    "sign-in": (SIGN_IN, words.CredentialsExpired),
    "portal": (PORTAL, words.CredentialsExpired),
    "nothing": (NOTHING, words.CredentialsMissing),
    "profile": (PROFILE, words.CredentialsMissing),
    "no-metadata": (NO_METADATA, words.CredentialsMissing),
    "role": (ROLE, words.AwsNameTaken),
    "storage": (STORAGE, words.AwsQuota),
    "vcpus": (VCPUS, words.AwsQuota),
    "scaling": (SCALING, words.AwsFull),
    "throttled": (THROTTLED, words.AwsThrottled),
    "state": (STATE, words.AwsDenied),
    "no-host": (NO_HOST, words.AwsUnreachable),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_message_of_the_engine_is_understood(case: str) -> None:
    text, kind = TEXTS[case]
    assert type(explained(text)) is kind
    assert type(explained(f"sdk-v2/provider2.go:572: sdk.helper_schema: {text}: provider=aws@7.51.1")) is kind


def test_the_words_of_each(golden: Golden) -> None:
    found = {case: explained(text) for case, (text, _) in TEXTS.items()}
    golden("cloud/refusals.txt", "\n".join(f"=== {case}\n{one}\n" for case, one in found.items()))


# Codes of the services' API references, and what each is; those of boto3's exceptions are the same.
CODES = {
    ("ec2", "CreateVpc", "VpcLimitExceeded"): words.AwsQuota,
    ("ec2", "AllocateAddress", "AddressLimitExceeded"): words.AwsQuota,
    ("rds", "CreateDBInstance", "InstanceQuotaExceeded"): words.AwsQuota,
    ("elasticloadbalancing", "CreateLoadBalancer", "TooManyLoadBalancers"): words.AwsQuota,
    ("iam", "CreateRole", "LimitExceeded"): words.AwsQuota,
    ("acm", "RequestCertificate", "LimitExceededException"): words.AwsQuota,
    ("ec2", "RunInstances", "InsufficientInstanceCapacity"): words.AwsFull,
    ("rds", "CreateDBInstance", "InsufficientDBInstanceCapacity"): words.AwsFull,
    ("s3", "CreateBucket", "BucketAlreadyExists"): words.AwsNameTaken,
    ("rds", "CreateDBInstance", "DBInstanceAlreadyExists"): words.AwsNameTaken,
    ("elasticloadbalancing", "CreateLoadBalancer", "DuplicateLoadBalancerName"): words.AwsNameTaken,
    ("ec2", "CreateSecurityGroup", "InvalidGroup.Duplicate"): words.AwsNameTaken,
    ("ec2", "DescribeRegions", "OptInRequired"): words.AwsClosed,
    ("ec2", "RunInstances", "PendingVerification"): words.AwsClosed,
    ("ec2", "DescribeVpcs", "AuthFailure"): words.CredentialsUnknown,
    ("sts", "GetCallerIdentity", "InvalidClientTokenId"): words.CredentialsUnknown,
    ("ssm", "GetParameter", "UnrecognizedClientException"): words.CredentialsUnknown,
    ("ssm", "GetParameter", "ExpiredTokenException"): words.CredentialsExpired,
    ("ec2", "DescribeVpcs", "RequestExpired"): words.CredentialsExpired,
    ("s3", "PutObject", "RequestTimeTooSkewed"): words.ClockSkewed,
    ("ec2", "DescribeVpcs", "RequestLimitExceeded"): words.AwsThrottled,
    ("s3", "PutObject", "SlowDown"): words.AwsThrottled,
    ("acm", "RequestCertificate", "TooManyRequestsException"): words.AwsThrottled,
    ("s3", "PutObject", "InternalError"): words.AwsBroken,
    ("ssm", "PutParameter", "AccessDeniedException"): words.AwsDenied,
    ("ec2", "DeleteVpc", "DependencyViolation"): words.AwsRefused,
    ("rds", "CreateDBInstance", "NobodyKnowsThis"): words.AwsRefused,
}


@pytest.mark.parametrize("asked", CODES)
def test_a_code_is_understood(asked: tuple[str, str, str]) -> None:
    found = failure_of(Refusal(*asked, reason="so it is"))
    assert type(found) is CODES[asked]
    assert not isinstance(found, words.AwsRefused) or all(one in str(found) for one in (*asked[1:], "so it is"))


@pytest.mark.parametrize(
    ("why", "kind", "action"),
    [
        (" on resource: x because no identity-based policy allows the iam:PassRole action", words.AwsDenied, ""),
        (' on resource: "x" because no resource-based policy allows the iam:PassRole action', words.AwsForbidden, ""),
        (" on resource: x with an explicit deny in an identity-based policy", words.AwsForbidden, "`Deny`"),
        (" because no permissions boundary allows the iam:PassRole action", words.AwsForbidden, "boundary"),
        (" because no session policy allows the iam:PassRole action", words.AwsForbidden, "session"),
        (" on resource: x", words.AwsDenied, ""),  # before 2021
    ],
)
def test_what_has_to_be_allowed_is_named(why: str, kind: type[Failure], action: str) -> None:
    """Of the call it is another one."""
    found = failure_of(
        Refusal("ec2", "RunInstances", "AccessDenied", f"User: {WHO} is not authorized to perform: iam:PassRole{why}")
    )
    assert type(found) is kind
    assert (found.facts()["action"], found.facts()["call"]) == ("iam:PassRole", "ec2:RunInstances")
    assert action in str(found).partition("\n")[0]


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("S3: ListObjectsV2", "s3:ListBucket"),
        ("S3: PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
        ("Elastic Load Balancing v2: CreateListener", "elasticloadbalancing:CreateListener"),
        ("Auto Scaling: CreateAutoScalingGroup", "autoscaling:CreateAutoScalingGroup"),
        ("Budgets: CreateBudget", "budgets:ModifyBudget"),
    ],
)
def test_without_a_sentence_the_action_is_that_of_the_call(text: str, action: str) -> None:
    answer = "https response error StatusCode: 403, RequestID: 1, api error AccessDenied: Access Denied"
    found = explained(f"operation error {text}, {answer}")
    assert isinstance(found, words.AwsDenied) and found.action == action


def test_the_innermost_answer_is_the_cause() -> None:
    said = f"User: {WHO} is not authorized to perform: sts:AssumeRole on resource: x"
    inner = f"operation error STS: AssumeRole, https response error StatusCode: 403, RequestID: 9, AccessDenied: {said}"
    outer = "operation error S3: PutObject, get identity: get credentials: failed to refresh cached credentials"
    found = explained(f"{outer}, {inner}")
    assert isinstance(found, words.AwsDenied) and found.action == "sts:AssumeRole"


def test_what_is_no_answer_of_aws_stays_as_it_is() -> None:
    for text in (
        "the value should be a number",
        "aws:ec2/vpc:Vpc resource 'x' has a problem: Missing required argument",
    ):
        assert heard(text) is None and explained(text) is None


URN = "urn:pulumi:production::deployer::deployer:index:Hosts$aws:ec2/launchTemplate:LaunchTemplate::{}"


def wrapped(urn: str, text: str) -> str:
    """As the real provider says it."""
    return f"1 error occurred:\n\t* creating {urn}: 1 error occurred:\n\t* {text}\n\n"


def test_each_cause_is_told_once(golden: Golden) -> None:
    one, other = (URN.format(name) for name in ("deployer-production-host", "other"))
    role = URN.format("host").replace("ec2/launchTemplate:LaunchTemplate", "iam/role:Role")
    told = [
        problem(one, f"sdk-v2/provider2.go:572: sdk.helper_schema: {FORBIDDEN}: provider=aws@7.51.1"),
        problem(one, wrapped(one, FORBIDDEN)),
        problem(other, wrapped(other, FORBIDDEN)),
        problem(role, wrapped(role, ROLE)),
        problem("", "resource registration was cancelled"),
    ]
    golden("cloud/problems.txt", f"{failure('production', told, 'nothing')}\n")


def test_credentials_that_end_are_why_all_else_went_wrong() -> None:
    told = [Problem("VPC a", ROLE), Problem("VPC b", "state could not be written"), Problem("VPC c", EXPIRED)]
    assert isinstance(failure("production", told, "nothing"), words.CredentialsExpired)


def test_where_the_engine_told_nothing_the_command_has() -> None:
    said = f"\n code: 255\n stdout: \n stderr: error: {STATE}"
    assert "These credentials may not do s3:ListBucket." in str(failure("production", [], said))
    assert "error: no such stack\n" in str(
        failure("production", [], "\n code: 1\n stdout: x\n stderr: error: no such stack\n")
    )


def test_of_a_traceback_the_last_line_is_told() -> None:
    assert bare("Traceback (most recent call last):\n  File x\nException: no such image") == "Exception: no such image"
    assert bare("one\ntwo") == "one\ntwo"


def test_of_a_question_of_the_program_the_answer_is_told() -> None:
    asked = "aws:ec2/getAmi:getAmi"
    text = f"Exception: invoke of {asked} failed: invocation of {asked} returned an error: no results"
    assert bare(text) == "getAmi: no results"
