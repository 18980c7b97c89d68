"""The commands of domains and certificates."""

from __future__ import annotations

from deployer.cli.entry import Entry

ENTRIES = (
    Entry("domains", "domains:domains", "List the domains of an app", ("domains", "domains --json")),
    Entry(
        "domains:add",
        "domains:add",
        "Have a domain lead to the app",
        ("domains:add www.example.com", "domains:add example.com --wait", 'domains:add "*.example.com" -a my-shop'),
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
    Entry(
        "domains:wait",
        "domains:wait",
        "Wait until DNS leads a domain here and its certificate is in force",
        ("domains:wait www.example.com", "domains:wait --timeout 300"),
    ),
    Entry(
        "certs",
        "certs:certs",
        "List the certificates that are in force for an app",
        ("certs", "certs --json"),
    ),
    Entry(
        "certs:info",
        "certs:info",
        "Show what stands in the certificates of an app",
        ("certs:info", "certs:info --name www.example.com"),
    ),
    Entry(
        "certs:auto",
        "certs:auto",
        "Show how far the certificate of each domain is",
        ("certs:auto", "certs:auto --wait", "certs:auto --json"),
    ),
    Entry(
        "certs:auto:refresh",
        "certs:refresh",
        "Try again at once what has failed",
        ("certs:auto:refresh", "certs:auto:refresh -a my-shop"),
    ),
    Entry(
        "certs:auto:enable",
        "certs:enable",
        "Say that certificates are always automatic",
        ("certs:auto:enable",),
    ),
    Entry(
        "certs:auto:disable",
        "certs:disable",
        "Say what to do instead of ending automatic certificates",
        ("certs:auto:disable",),
    ),
    Entry(
        "certs:redirect",
        "certs:redirect",
        "Say or set whether HTTP leads to HTTPS",
        ("certs:redirect", "certs:redirect off -a my-shop", "certs:redirect on"),
    ),
)
