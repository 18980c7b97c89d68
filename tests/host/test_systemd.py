"""What systemd answers, read as it prints it."""

import pytest

from deployer.host import systemd

ANSWER = """\
Id=deployer-dyno-v1@shop.web.1.v12.service
ActiveState=active
MainPID=321
Environment=A=b=c

Id=deployer-dyno-v1@shop.worker.1.v12.service
ActiveState=inactive
MainPID=0
"""


def test_properties_are_told_apart_by_unit():
    states = systemd.parse_show(ANSWER)
    assert states["deployer-dyno-v1@shop.web.1.v12.service"]["Environment"] == "A=b=c"
    assert states["deployer-dyno-v1@shop.worker.1.v12.service"]["ActiveState"] == "inactive"


def test_nothing_asked_is_nothing_run():
    assert systemd.show([], ["ActiveState"]) == {}


@pytest.mark.parametrize(("code", "status", "said"), [("1", "0", 0), ("1", "3", 3), ("2", "15", 143), ("3", "11", 139)])
def test_exit_statuses_are_a_shells(code, status, said):
    assert systemd.exit_status({"ExecMainCode": code, "ExecMainStatus": status}) == said
