"""Names for apps that nobody named: words that can be said on the telephone."""

from __future__ import annotations

import secrets

ADJECTIVES = """
amber ancient autumn bold brave bright calm clear cool crisp damp dawn deep eager early fancy fast fresh gentle glad
golden green happy hidden humble icy jolly keen kind late light little lively lucky mellow mild misty modest morning
noble patient plain polished proud quiet rapid restless rough round royal shiny shy silent small smooth snowy soft
sparkling still summer sunny swift tidy tiny wandering warm weathered wild winter wise young
"""
NOUNS = """
badger basin beach bird bread brook bush canyon castle cedar cherry cliff cloud coast comet creek dew dream dune falcon
fern field fire fjord flower fog forest fox frog frost garden glade grass grove harbor haze hill island kite lake
lantern leaf marsh meadow moon mountain oasis ocean orchard otter owl paper peak pebble pine plateau pond prairie rain
reef ridge river sea shore sky snow star stone stream sun surf thunder tree valley violet voice water wave wind
"""


def random_name() -> str:
    """`quiet-river-48213`."""
    words = (secrets.choice(text.split()) for text in (ADJECTIVES, NOUNS))
    return "-".join([*words, str(secrets.randbelow(90000) + 10000)])
