"""The store of a space: the way to it, the right to use it, what it cannot do, and who else holds it."""

from __future__ import annotations

from deployer.errors.base import Failure, UsageFailure
from deployer.errors.host import words


class StoreAddressBad(UsageFailure):
    """What `--store` and `--store-endpoint` say is no place for a store."""

    address: str
    reason: str

    headline = "{address} cannot be a store: {reason}."
    advice = """
        Say it like this, the second line for anything that speaks S3 but is not AWS:
            --store s3://BUCKET/PREFIX
            --store s3://BUCKET/PREFIX --store-endpoint https://HOST:PORT
        """


class StoreCredentialsMissing(Failure):
    """The AWS SDK found no credentials. `reason` is its own words."""

    store: str
    reason: str

    headline = "There are no credentials for the store {store}."
    seen = "{reason}"
    advice = """
        Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE for a profile of ~/.aws/config;
        `aws sts get-caller-identity` says who you are to AWS.
        """


class StoreCredentialsExpired(Failure):
    """They were good once."""

    store: str
    reason: str

    headline = "The credentials for the store {store} have expired."
    seen = "{reason}"
    advice = "Get new ones (`aws sso login`, or the line that you got these with), then run the command again."


class StoreCredentialsRefused(Failure):
    """The endpoint does not know the key, or the secret does not fit."""

    store: str
    code: str
    reason: str

    headline = "The store {store} does not accept these credentials."
    seen = "{code}: {reason}"
    advice = "Are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_PROFILE those of this bucket's owner?"


class StoreDenied(Failure):
    """Known, but not allowed. `doing` is the name of the request in S3's words."""

    store: str
    doing: str
    reason: str

    headline = "The store {store} does not allow {doing}."
    seen = "{reason}"
    advice = """
        Whoever changes a space needs s3:GetObject, s3:PutObject and s3:DeleteObject on BUCKET/PREFIX/*, and
        s3:ListBucket on BUCKET; whoever destroys it also s3:ListBucketVersions and s3:DeleteObjectVersion.
        """


class StoreMissing(Failure):
    """No such bucket."""

    store: str
    bucket: str

    headline = "There is no bucket {bucket} where the store {store} should be."
    advice = "Make it (`aws s3 mb s3://{bucket}`), or correct --store, --store-endpoint or AWS_PROFILE."


class StoreClockSkewed(Failure):
    """The endpoint refuses requests whose signature is too old or too new. `off` is `62 minutes ahead`."""

    store: str
    off: str

    headline = "This computer's clock is {off} of the clock of the store {store}."
    seen = "Requests are signed with the time, and refused when it is more than 15 minutes off."
    advice = "Set the clock (`timedatectl set-ntp true`), then run the command again."


class StoreUnreachable(Failure):
    """No answer, though asked several times."""

    store: str
    reason: str

    headline = "Could not reach the store {store}."
    seen = "{reason}"
    advice = """
        What runs on the hosts goes on running. Look at your connection and the endpoint, then run the command again:
        it finishes or undoes what this one may have begun.
        """


class StoreRefused(Failure):
    """Any other answer that is an error. `doing` is the name of the request in S3's words."""

    store: str
    doing: str
    status: int
    code: str
    reason: str

    headline = "The store {store} failed at {doing}."
    seen = "HTTP {status} {code}: {reason}"
    advice = "Run the command again: it finishes or undoes what this one may have begun."


class StoreConditionsIgnored(Failure):
    """A put that had to be refused was done, or one that had to be done was refused. `header` is the condition's."""

    store: str
    header: str
    found: str

    headline = "The store {store} does not honour conditional writes, without which two laptops could both win."
    seen = "A put with {header} {found}."
    advice = """
        AWS S3 does, and so do Cloudflare R2 and MinIO in their present versions. Choose another --store-endpoint, or
        leave --store out: the ledger then lies on the first host.
        """


class StoreTaken(Failure):
    """Another space's ledger lies there already."""

    store: str
    space: str

    headline = "The store {store} holds the space {space} already."
    advice = "Choose another prefix: --store s3://BUCKET/ANOTHER."


class StoreAlone(Failure):
    """No host but the first one holds what was written; `reasons` is one line for each of the others."""

    host: str
    reasons: str

    headline = "No other host could take the copy of what is written on host {host}."
    seen = "{reasons}"
    advice = """
        In a space of several hosts a change counts when two of them hold it, so that no host that is lost takes it
        along. Bring one back (a sandbox's: `deployer spaces:start`), then run the command again: it finishes or undoes
        what this one may have begun.
        """


@words("no-copy")
class NoCopy(Failure):
    """A host that is to become the first has no whole copy of the ledger, or is the first already."""

    host: str
    at: int
    store: bool

    headline = "Host {host} cannot become the first host."
    seen = "Whole copy of the ledger: {at} changes (0: none). A ledger of its own: {store}."
    advice = "Type the command again. If that changes nothing: look at /srv/deployer/store and store-copy there."
