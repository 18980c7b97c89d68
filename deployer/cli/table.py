"""Every command by name: its help line, its examples, and where its function is. No command's code is loaded for this.

A new command is an entry here and a function at `module:function` of deployer.cli; tests see to it that both fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Entry:
    """One command. `at` is `module:function` in deployer.cli; `daily` ones stand in `--help` itself."""

    name: str
    at: str
    help: str
    examples: tuple[str, ...]
    daily: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def changes_dynos(self) -> bool:
        """Whether it needs every host: it takes `--leave-out` and `--wait`."""
        return self.name in CHANGES_DYNOS

    @property
    def topic(self) -> str:
        """`ps` for `ps:scale`."""
        return self.name.partition(":")[0]


TOPICS = {
    "addons": "databases and other services of apps",
    "apps": "apps in a space",
    "buildpacks": "which buildpacks build an app",
    "builds": "build caches",
    "config": "config vars: an app's environment",
    "git": "git remotes that deploy",
    "hosts": "the machines of a space",
    "maintenance": "a page in the place of an app",
    "pg": "PostgreSQL databases",
    "prices": "what AWS takes for what",
    "ps": "dynos: the processes of an app",
    "releases": "what was deployed, when, by whom",
    "spaces": "where apps run",
}

CHANGES_DYNOS = (
    "addons:create",
    "addons:destroy",
    "apps:destroy",
    "config:set",
    "config:unset",
    "deploy",
    "hosts:add",
    "hosts:promote",
    "hosts:remove",
    "maintenance:off",
    "maintenance:on",
    "ps:restart",
    "ps:scale",
    "ps:stop",
    "ps:type",
    "releases:retry",
    "releases:rollback",
    "up",
)

ENTRIES = (
    Entry(
        "apps:create",
        "apps:create",
        "Create an app and a git remote for it",
        ("create", "create my-shop", "create my-shop --space production"),
        daily=True,
        aliases=("create",),
    ),
    Entry(
        "up",
        "up:up",
        "Make everything true that the folder declares: space, app, add-ons, release",
        ("up", "up --space production --yes", "up --set DOMAIN=example.com"),
        daily=True,
    ),
    Entry(
        "down",
        "up:down",
        "Take a space down, with all apps and data in it",
        ("down", "down --space sandbox --confirm sandbox", "down --space production --delete-data"),
        daily=True,
    ),
    Entry(
        "preview",
        "preview:preview",
        "Show what the app of this folder would cost in AWS, beside Heroku",
        ("preview", "preview --region eu-central-1", "preview --space production --json"),
        daily=True,
    ),
    Entry(
        "deploy",
        "deploy:deploy",
        "Build and release the folder as it is, or a commit",
        ("deploy", "deploy --commit v1.2", "deploy --leave-out sandbox-h2"),
        daily=True,
    ),
    Entry(
        "build",
        "build:build",
        "Build the folder without releasing it",
        ("build", "build --plan", "build --no-cache --json"),
    ),
    Entry(
        "builds:cache:purge",
        "build:purge",
        "Delete the build cache of an app on this machine",
        ("builds:cache:purge -a my-shop",),
    ),
    Entry(
        "apps:open",
        "apps:open_app",
        "Open the app in a browser",
        ("open", "open /admin"),
        daily=True,
        aliases=("open",),
    ),
    Entry(
        "logs",
        "logs:logs",
        "Show the lines that an app, its dynos and the router wrote",
        ("logs", "logs --tail", "logs -n 500 -d web.1", "logs --source app"),
        daily=True,
    ),
    Entry(
        "run",
        "run:run",
        "Run a command in a one-off dyno",
        ("run python manage.py shell", "run --size Standard-2X -- bash", "run worker < job.json"),
        daily=True,
    ),
    Entry(
        "run:detached", "run:detached", "Run a command in a dyno that outlives this terminal", ("run:detached ./job",)
    ),
    Entry(
        "doctor",
        "doctor:doctor",
        "Look for what is wrong: with this machine, hosts, and what runs on them",
        ("doctor", "doctor --space production --deep", "doctor --repair", "doctor -a my-shop --json"),
        daily=True,
    ),
    Entry("apps", "apps:apps", "List the apps of a space", ("apps", "apps --space production --json")),
    Entry("apps:info", "apps:info", "Describe an app", ("apps:info", "apps:info -a my-shop --json"), aliases=("info",)),
    Entry(
        "apps:destroy",
        "apps:destroy",
        "Delete an app with its add-ons and all their data",
        ("apps:destroy -a my-shop", "apps:destroy -a my-shop --confirm my-shop"),
        aliases=("destroy",),
    ),
    Entry("config", "config:config", "Show the config vars of an app", ("config", "config -s > .env"), daily=True),
    Entry(
        "config:get",
        "config:get",
        "Print the value of a config var",
        ("config:get DATABASE_URL", "config:get DATABASE_URL SECRET_KEY -s"),
    ),
    Entry(
        "config:set",
        "config:set_vars",
        "Set config vars, as one release",
        (
            "config:set SECRET_KEY=abc DEBUG=false",
            "config:set --from-file .env",
            "config:set - < .env",
        ),
        aliases=("config:add",),
    ),
    Entry(
        "config:unset",
        "config:unset",
        "Remove config vars, as one release",
        ("config:unset DEBUG",),
        aliases=("config:remove",),
    ),
    Entry("ps", "ps:ps", "List the dynos of an app", ("ps", "ps web --json"), daily=True),
    Entry(
        "ps:scale",
        "ps:scale",
        "Change how many dynos of each process type run, and their size",
        ("ps:scale web=2 worker=1", "ps:scale web+1", "ps:scale web=2:Standard-2X", "ps:scale"),
        daily=True,
        aliases=("scale",),
    ),
    Entry(
        "ps:restart",
        "ps:restart",
        "Restart dynos",
        ("ps:restart", "ps:restart -d web.1", "ps:restart -p worker"),
        aliases=("restart",),
    ),
    Entry(
        "ps:stop",
        "dynos:stop",
        "Stop a dyno, or those of a process type",
        ("ps:stop -d run.1234", "ps:stop -p worker"),
        aliases=("stop", "ps:kill", "kill"),
    ),
    Entry(
        "ps:type",
        "dynos:size",
        "Change the size of dynos",
        ("ps:type", "ps:type Standard-2X", "ps:type web=Standard-2X worker=Basic"),
        aliases=("ps:resize", "resize"),
    ),
    Entry(
        "ps:wait",
        "dynos:wait",
        "Wait until every dyno runs the current release",
        ("ps:wait", "ps:wait -t web --timeout 60"),
    ),
    Entry(
        "maintenance",
        "maintenance:maintenance",
        "Say whether the routers answer with the maintenance page",
        ("maintenance", "maintenance --json"),
    ),
    Entry(
        "maintenance:on",
        "maintenance:turn_on",
        "Answer every request with the maintenance page",
        ("maintenance:on", "maintenance:on -a my-shop"),
    ),
    Entry("maintenance:off", "maintenance:turn_off", "Let the app answer again", ("maintenance:off",)),
    Entry(
        "releases",
        "releases:releases",
        "List the releases of an app",
        ("releases", "releases -n 50 --json"),
        daily=True,
    ),
    Entry("releases:info", "releases:info", "Describe a release", ("releases:info", "releases:info v12")),
    Entry(
        "releases:output",
        "releases:output",
        "Print what a release command wrote",
        ("releases:output", "releases:output v12"),
    ),
    Entry(
        "releases:retry",
        "releases:retry",
        "Make the newest release again, with its release command",
        ("releases:retry", "releases:retry -a my-shop"),
    ),
    Entry(
        "releases:rollback",
        "releases:rollback",
        "Return to the code and config vars of an earlier release",
        ("rollback", "rollback v12"),
        daily=True,
        aliases=("rollback",),
    ),
    Entry("addons", "addons:addons", "List the add-ons of an app", ("addons", "addons --all", "addons --json")),
    Entry("addons:info", "addons:info", "Describe an add-on", ("addons:info postgresql-shaped-12345",)),
    Entry("addons:plans", "addons:plans", "List the plans of a service", ("addons:plans heroku-postgresql",)),
    Entry(
        "addons:create",
        "addons:create",
        "Create an add-on and attach it to an app",
        ("addons:create heroku-postgresql:essential-0", "addons:create heroku-postgresql:mini --as REPORTS"),
        daily=True,
    ),
    Entry(
        "addons:destroy",
        "addons:destroy",
        "Delete an add-on and all its data",
        ("addons:destroy postgresql-shaped-12345", "addons:destroy DATABASE --confirm my-shop"),
    ),
    Entry(
        "pg:info",
        "pg:info",
        "Describe the databases of an app",
        ("pg:info", "pg:info HEROKU_POSTGRESQL_COBALT", "pg --json"),
        aliases=("pg",),
    ),
    Entry(
        "pg:psql",
        "pg:psql",
        "Open psql in a database",
        ("pg:psql", "psql -c 'select count(*) from auth_user'", "pg:psql REPORTS -f report.sql"),
        aliases=("psql",),
    ),
    Entry(
        "prices:update",
        "prices:update",
        "Read today's prices from AWS",
        ("prices:update", "prices:update --region eu-central-1 --region eu-west-1"),
    ),
    Entry("buildpacks", "buildpacks:buildpacks", "Show the buildpacks of an app", ("buildpacks", "buildpacks --json")),
    Entry(
        "buildpacks:set",
        "buildpacks:set_buildpack",
        "Set the buildpack of an app, or the one at a position",
        ("buildpacks:set heroku/python", "buildpacks:set heroku/python -i 2"),
    ),
    Entry(
        "buildpacks:add",
        "buildpacks:add",
        "Add a buildpack, at the end or at a position",
        ("buildpacks:add heroku/nodejs -i 1",),
    ),
    Entry(
        "buildpacks:remove",
        "buildpacks:remove",
        "Remove a buildpack by name or position",
        ("buildpacks:remove heroku/nodejs", "buildpacks:remove -i 1"),
    ),
    Entry("buildpacks:clear", "buildpacks:clear", "Let the buildpacks be detected again", ("buildpacks:clear",)),
    Entry(
        "git:remote",
        "git:remote",
        "Add or change a git remote that deploys to an app",
        ("git:remote -a my-shop", "git:remote -a production/my-shop -r production"),
    ),
    Entry("spaces", "spaces:spaces", "List the spaces that this machine knows", ("spaces", "spaces --json")),
    Entry(
        "spaces:create",
        "spaces:create",
        "Create a space, on this machine or of machines that you have",
        (
            "spaces:create sandbox",
            "spaces:create sandbox --hosts 3 --platform debian-12",
            "spaces:create sandbox --store s3://my-bucket",
            "spaces:create production --host ubuntu@203.0.113.7",
            "spaces:create production --host web1 --host web2 --domain apps.example.com",
            "spaces:create production --region eu-central-1 --database db.t4g.micro",
        ),
    ),
    Entry(
        "spaces:join",
        "spaces:join",
        "Use a space of rented hosts that another machine has made",
        ("spaces:join ubuntu@203.0.113.7",),
    ),
    Entry("spaces:info", "spaces:info", "Describe a space", ("spaces:info", "spaces:info sandbox --json")),
    Entry("spaces:refresh", "in_aws:refresh", "Show what was changed by hand in AWS", ("spaces:refresh production",)),
    Entry("spaces:unlock", "in_aws:unlock", "Take the right to change a space away", ("spaces:unlock production",)),
    Entry("spaces:start", "spaces:start", "Start a space again, or repair it", ("spaces:start sandbox",)),
    Entry("spaces:stop", "spaces:stop", "Shut a space down; its data stays", ("spaces:stop sandbox",)),
    Entry(
        "spaces:destroy",
        "spaces:destroy",
        "Remove a space with all apps and data in it",
        (
            "spaces:destroy sandbox",
            "spaces:destroy sandbox --confirm sandbox",
            "spaces:destroy production --keep-data",
        ),
    ),
    Entry("hosts", "hosts:hosts", "List the machines of a space", ("hosts", "hosts --json")),
    Entry(
        "hosts:add",
        "hosts:add",
        "Add a host to a space",
        ("hosts:add", "hosts:add --space production --host ubuntu@203.0.113.8"),
    ),
    Entry("hosts:remove", "hosts:remove", "Move a host's dynos away, then remove it", ("hosts:remove sandbox-h2",)),
    Entry(
        "hosts:promote",
        "hosts:promote",
        "Make another host the first one, when the first one is lost",
        ("hosts:promote production-h2", "hosts:promote production-h2 --space production --confirm production"),
    ),
    Entry("hosts:reboot", "hosts:reboot", "Reboot hosts, one by one", ("hosts:reboot", "hosts:reboot sandbox-h1")),
    Entry(
        "completion",
        "completion:completion",
        "Print what makes a shell complete the names of commands",
        ("completion bash >> ~/.bashrc", "completion zsh >> ~/.zshrc", "completion fish"),
    ),
    Entry("version", "version:version", "Print the version of deployer", ("version",)),
)


@cache
def by_name() -> dict[str, Entry]:
    """Every command under its name and its aliases."""
    return {name: entry for entry in ENTRIES for name in (entry.name, *entry.aliases)}


def of_topic(topic: str) -> tuple[Entry, ...]:
    """The commands of a topic, by name."""
    return tuple(sorted((entry for entry in ENTRIES if entry.topic == topic), key=lambda entry: entry.name))


def alike(name: str) -> list[str]:
    """Names that a mistyped one may have meant, the likeliest first."""
    from difflib import get_close_matches

    return get_close_matches(name, list(by_name()), n=3, cutoff=0.6)
