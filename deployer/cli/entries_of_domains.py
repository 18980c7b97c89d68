"""The commands of domains and certificates."""

from __future__ import annotations

from deployer.cli.entry import Entry

ENTRIES = (
    Entry("domains", "domains:domains", "List the domains of an app", ("domains", "domains --json")),
    Entry(
        "domains:add",
        "domains:add",
        "Have a domain lead to the app",
        ("domains:add www.example.com", "domains:add example.com -a my-shop", 'domains:add "*.example.com"'),
    ),
    Entry(
        "domains:remove", "domains:remove", "Take a domain from the app", ("domains:remove www.example.com -a my-shop",)
    ),
    Entry(
        "domains:clear",
        "domains:clear",
        "Take all domains from the app that were added to it",
        ("domains:clear", "domains:clear -a my-shop --confirm my-shop"),
    ),
    Entry(
        "domains:info",
        "domains:info",
        "Describe a domain of an app",
        ("domains:info www.example.com", "domains:info www.example.com --json"),
    ),
)
