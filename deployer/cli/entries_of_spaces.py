"""The commands of add-ons, sources, spaces and hosts, and of the tool itself."""

from __future__ import annotations

from deployer.cli.entry import Entry

ENTRIES = (
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
    Entry(
        "spaces:upgrade",
        "in_aws:upgrade",
        "Move a space in AWS to newer images and a newer PostgreSQL",
        ("spaces:upgrade production", "spaces:upgrade production --postgres 18", "spaces:upgrade production --json"),
    ),
    Entry(
        "spaces:export",
        "in_aws:export",
        "Write a space in AWS as a project of Pulumi's own",
        ("spaces:export", "spaces:export ../production --space production"),
    ),
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
