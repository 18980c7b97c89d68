"""`python -m tests.hosts.images`: the platform images that tests on hosts need, before the first test has to wait for
them: minutes on a machine that has none."""

from __future__ import annotations

from typing import get_args

from deployer.build import platform_image
from deployer.build.image_recipe import Kind
from deployer.model import platforms
from tests.hosts.conftest import PLATFORM

for kind in get_args(Kind):
    print(platform_image.ensure(platforms.parse(PLATFORM), kind, lambda event: None).name)
