"""HAProxy's answers, as it gave them, and the commands that follow from them."""

from __future__ import annotations

from pathlib import Path

from deployer.host import router_socket
from deployer.host.router_socket import Counters, Slot
from deployer.model.routes import Routes, Server

STATE = """\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight \
srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state \
bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr \
srv_agent_addr srv_agent_port
5 be_shop 1 web.1 10.0.0.1 2 0 1 1 4 6 3 4 6 0 0 0 - 7001 - 0 0 - - 0
5 be_shop 2 web.2 127.0.0.1 0 5 1 1 4 1 0 1 14 0 0 0 - 1 - 0 0 - - 0
5 be_shop 3 web.3 10.0.0.2 0 0 1 1 4 6 3 0 6 0 0 0 - 7003 - 0 0 - - 0
5 be_shop 11 hold - 2 0 1 1 4 1 0 1 0 0 0 0 - 0 - 0 0 - - 0

"""
SLOTS = {slot.name: slot for slot in router_socket.parse_slots(STATE)}


def test_slots_tell_where_they_point_and_whether_they_are_in_use() -> None:
    assert {
        "web.1": Slot("web.1", "10.0.0.1", 7001, True, True),
        "web.2": Slot("web.2", "127.0.0.1", 1, False, False),
        "web.3": Slot("web.3", "10.0.0.2", 7003, True, False),
    } == SLOTS


def test_a_backend_that_is_not_there_has_no_slots() -> None:
    assert list(router_socket.parse_slots("Can't find backend.\n\n")) == []


def test_a_swap_moves_the_address_and_leaves_the_rest_alone() -> None:
    routes = _routes(Server("web.1", "10.0.0.1", 7009, "i"), Server("web.3", "10.0.0.2", 7003, "i"))
    assert router_socket.slot_changes("be_shop", SLOTS, routes) == [
        "set server be_shop/web.1 addr 10.0.0.1 port 7009",
        "set server be_shop/web.1 health up",
        "set server be_shop/web.3 health up",
    ]


def test_new_slots_are_ready_before_old_ones_leave() -> None:
    assert router_socket.slot_changes("be_shop", SLOTS, _routes(Server("web.2", "10.0.0.3", 7004, "i"))) == [
        "set server be_shop/web.2 addr 10.0.0.3 port 7004",
        "set server be_shop/web.2 state ready",
        "set server be_shop/web.2 health up",
        "set server be_shop/web.1 state maint",
        "set server be_shop/web.3 state maint",
    ]


def test_what_is_right_already_needs_no_command() -> None:
    assert router_socket.slot_changes("be_shop", {"web.1": SLOTS["web.1"]}, _routes(_SAME)) == []


def test_maps_change_by_what_differs() -> None:
    now = router_socket.parse_map("0x55f0 a.test be_a\n0x55f8 b.test be_b\n0x5600 c.test be_c\n\n")
    wanted = {"a.test": "be_a", "b.test": "be_x", "d.test": "be_d"}
    assert router_socket.map_changes(Path("/etc/haproxy/hosts.map"), now, wanted) == [
        "add map /etc/haproxy/hosts.map d.test be_d",
        "set map /etc/haproxy/hosts.map b.test be_x",
        "del map /etc/haproxy/hosts.map c.test",
    ]


def test_counters_by_slot() -> None:
    text = (
        "# pxname,svname,scur,econ,eresp,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,ttime,-\n"
        "be_shop,web.1,2,1,3,0,90,5,4,7,12,\nweb,FRONTEND,0,,,0,0,0,0,0,,\n"
    )
    counted = {(proxy, slot): found for proxy, slot, found in router_socket.parse_counters(text)}
    assert counted["be_shop", "web.1"] == Counters(requests=106, errors=4, server_errors=7, sessions=2, latency=12)
    assert counted["web", "FRONTEND"] == Counters(0, 0, 0, 0, 0)


_SAME = Server("web.1", "10.0.0.1", 7001, "i")


def _routes(*servers: Server) -> Routes:
    return Routes("shop", 1, ("shop.test",), "running", servers)
