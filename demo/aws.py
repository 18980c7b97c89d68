"""`make demo-aws`: from an empty account to a site with HTTPS and a database; a push; a host that dies; nothing again.

All of it is typed as a person types it, in an AWS that is played on this machine: hosts are real systems that run their
real user data, the database is a real PostgreSQL, the load balancer a real HAProxy. It has no account; what it asks of
the world outside are the packages that the site needs."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from demo import site
from demo.cloud import ISSUED, left_over, own_folders
from tests.box.box import Box, box
from tests.box.person import Person, at_work, visitor
from tests.infra.moto_here import issue_certificates

APP, DOMAIN, REGION = "my-portfolio-app", "example.org", "us-east-1"
NAME = f"{APP}.{DOMAIN}"
SPACE = """\
app = "{app}"

[space.production]
region = "{region}"
account = "123456789012"
hosts = {{ size = "t3.small", count = 2 }}
database = {{ size = "db.t4g.micro" }}
load-balancer = true
domain = "{domain}"
network = "{network}"
"""
GREETING = "home/templates/home/welcome_page.html"
PREVIEW, UP = "deployer preview --space production", "deployer up --space production --yes"
PUSH = (
    f"sed -i 's/Welcome to your new Wagtail site!/Hello from my own account!/' {GREETING} && "
    "git commit -q -a -m 'Say hello' && git push deployer main"
)
SCALE = "deployer ps:scale web=2"
DIES, DOWN = "# EC2 loses one of the hosts", "deployer down --space production --confirm production --delete-data"
HOSTS = "deployer hosts --space production"
BACK = 180.0  # seconds until another host serves in the place of one that died
# Minutes on AWS, reckoned from what its documentation and those who wait for it say (infra/kinds.py): nobody has
# measured them with deployer yet.
EXPECTED = {
    PREVIEW: "seconds",
    UP: "10 to 20 minutes: the database takes most of them",
    ISSUED: "minutes, once DNS has the record",
    PUSH: "a minute, as on every space",
    SCALE: "seconds",
    DIES: "3 to 8 minutes until the group has another; the other host serves on",
    DOWN: "10 to 20 minutes",
}


@dataclass
class Show:
    """What is played, and what it came to: `took` are seconds by step, `asked` what visitors were answered by step."""

    person: Person
    took: dict[str, float] = field(default_factory=dict)
    asked: dict[str, Counter[int]] = field(default_factory=dict)

    @property
    def here(self) -> Box:
        return self.person.here

    def play(self) -> None:
        """All steps; AssertionError where one does not come to what it should."""
        for step in ("cat deployer.toml", PREVIEW, UP, ISSUED, UP):
            self._step(step)
        self._looks("Welcome to your new Wagtail site!")
        with visitor(self.person, secure=True) as seen:
            self._step(PUSH)
        self._counted(PUSH, seen)
        assert seen.keys() == {200}, seen
        self._looks("Hello from my own account!")
        self._step(SCALE)
        with visitor(self.person, secure=True) as seen:
            self._step(DIES)
        self._counted(DIES, seen)
        for step in (HOSTS, DOWN):
            self._step(step)

    def _step(self, step: str) -> None:
        self.person.watching(f"$ {step}\n")
        began = time.monotonic()
        if step == ISSUED:
            issue_certificates(REGION)
        elif step == DIES:
            self._lose_a_host()
        elif step.startswith("deployer "):
            self.person.types(*step.split()[1:])
        else:
            self.person.does(step)
        self.took[step] = self.took.get(step, 0.0) + time.monotonic() - began
        self.person.watching("\n")

    def _lose_a_host(self) -> None:
        victim, *_ = [one.id for one in self.here.instances()]
        self.here.terminate(victim, hard=True)
        self.person.watching(f"{victim} is gone\n")
        began = time.monotonic()
        self.here.wait(lambda: self._has_joined(victim), BACK)
        self.person.watching(f"another one serves in its place after {time.monotonic() - began:.0f} s\n")

    def _has_joined(self, victim: str) -> bool:
        [group] = self.here.cloud.client("autoscaling", REGION).describe_auto_scaling_groups()["AutoScalingGroups"]
        states = {one["InstanceId"]: one["LifecycleState"] for one in group["Instances"]}
        return victim not in states and list(states.values()) == ["InService"] * 2

    def _looks(self, greeting: str) -> None:
        self.person.watching(f"$ curl https://{NAME}/\n")
        status, text = self.person.asks(secure=True)
        assert status == 200 and greeting in text, (status, text[:2000])
        self.person.watching(f"{status}: {greeting}\n\n")

    def _counted(self, step: str, seen: Counter[int]) -> None:
        self.asked[step] = seen
        failed = seen.total() - seen[200]
        self.person.watching(f"# Somebody outside asked all the while: {seen.total()} requests, {failed} failed\n\n")


def times(took: dict[str, float]) -> Iterator[str]:
    """A line for each step: how long it took here, and what to expect of AWS."""
    yield "Seconds here, and what to expect of AWS itself, where nobody has measured it:"
    for step, expected in EXPECTED.items():
        yield f"  {took[step]:6.1f}  {step.split(' && ')[-1].partition(' --')[0]:55}  {expected}"


def show(here: Box, folder: Path, watching: Callable[[str], object]) -> Show:
    """Play it before a box, with the site in a folder. AssertionError where it fails, or something is left."""
    before = here.cloud.there(REGION)
    here.cloud.client("route53").create_hosted_zone(Name=DOMAIN, CallerReference="the demo")
    with at_work(here, folder, APP, None) as person:
        site.make(person.folder)
        person.name, person.watching = NAME, watching
        said = SPACE.format(app=APP, region=REGION, domain=DOMAIN, network=here.network)
        (person.folder / "deployer.toml").write_text(said)
        site.git(person.folder, "add", "deployer.toml")
        site.git(person.folder, "commit", "--quiet", "--message=Say where it runs")
        shown = Show(person)
        shown.play()
    left = left_over(here.cloud, before)
    assert not left and not here.instances(), left
    return shown


def main() -> int:
    """Show it on this terminal."""
    with own_folders() as folder, box(hooks={"drain": 2.0}) as here:
        shown = show(here, folder, lambda text: print(text, end="", flush=True))
    print("\n".join(times(shown.took)))
    print("-----> All of that was on this machine, and nothing of it is left")
    return 0


if __name__ == "__main__":
    sys.exit(main())
