# SPDX-License-Identifier: Apache-2.0
"""The control socket, and plugs that are pulled under a running host."""

import errno
import os
import select
import socket
import stat
import threading
import time
from contextlib import contextmanager

import pytest
from two_lines import PAIR

from drivers import protocol as dxl
from drivers.virtual_control import ControlSocket, ControlTakenError, NoControlError, control_path, request
from drivers.virtual_robot import link_paths, run_virtual_robot
from robots import load_robot

DEADLINE_S = 20.0


@contextmanager
def running(robot, link):
    """A virtual robot in a thread; gives its paths and a function that asks for faults."""
    stop, ready, told = threading.Event(), threading.Event(), {}
    control = control_path(link)

    def on_ready(paths):
        told.update(paths)
        ready.set()

    thread = threading.Thread(target=run_virtual_robot, args=(robot, link, False, on_ready, stop, control))
    thread.start()
    try:
        assert ready.wait(DEADLINE_S)
        yield told, lambda line: request(control, line)
    finally:
        stop.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def open_port(path):
    return os.open(path, os.O_RDWR | os.O_NOCTTY)


def exchange(host, wanted, size=14):
    os.write(host, wanted)
    got, until = b"", time.monotonic() + DEADLINE_S
    while len(got) < size and time.monotonic() < until:
        if select.select([host], [], [], 0.5)[0]:
            got += os.read(host, 4096)
    return got


def test_every_line_of_a_robot_has_a_port_of_its_own(tmp_path):
    with running(PAIR, tmp_path / "pair") as (paths, _):
        assert paths == {"left": str(tmp_path / "pair-left"), "right": str(tmp_path / "pair-right")}
        hosts = {name: open_port(path) for name, path in paths.items()}
        assert dxl.decode(exchange(hosts["left"], dxl.ping(1))).params[:2] == (1020).to_bytes(2, "little")
        assert dxl.decode(exchange(hosts["right"], dxl.ping(2))).params[:2] == (4150).to_bytes(2, "little")
        for host in hosts.values():
            os.close(host)
    assert list(tmp_path.iterdir()) == [], "links and socket are gone"


def test_links_of_one_line_are_plain():
    op3 = load_robot("op3")
    assert [str(path) for path in link_paths(op3, control_path("/x/op3").with_suffix("")).values()] == ["/x/op3"]


def test_pulling_a_plug_hangs_up_and_removes_the_link_and_plugging_brings_both_back(tmp_path):
    with running(PAIR, tmp_path / "pair") as (paths, ask):
        hosts = {name: open_port(path) for name, path in paths.items()}
        assert ask("unplug right").startswith("ok")
        with pytest.raises(OSError, match="Input/output") as caught:
            for _ in range(100):
                os.write(hosts["right"], dxl.ping(2))
        assert caught.value.errno == errno.EIO
        assert not (tmp_path / "pair-right").is_symlink()
        assert dxl.decode(exchange(hosts["left"], dxl.ping(1))).id == 1, "the other line goes on"
        assert ask("unplug right").startswith("ok"), "again changes nothing"
        assert ask("plug right") == f"ok {paths['right']}"
        again = open_port(paths["right"])
        assert dxl.decode(exchange(again, dxl.ping(2))).id == 2
        for host in (*hosts.values(), again):
            os.close(host)


def test_clear_puts_plugs_back(tmp_path):
    with running(PAIR, tmp_path / "pair") as (paths, ask):
        ask("unplug")
        assert not any(os.path.lexists(path) for path in paths.values())
        assert ask("clear") == "ok"
        host = open_port(paths["left"])
        assert dxl.decode(exchange(host, dxl.ping(1))).id == 1
        os.close(host)


def test_a_servo_falls_silent_at_once(tmp_path):
    with running(PAIR, tmp_path / "pair") as (paths, ask):
        host = open_port(paths["right"])
        assert len(exchange(host, dxl.ping(), 28)) == 28
        assert ask("silent 2 on") == "ok"
        got = exchange(host, dxl.ping(), 14)
        assert dxl.decode(got).id == 3
        os.close(host)


# --- the socket


@pytest.fixture
def echo(tmp_path):
    with ControlSocket(tmp_path / "c", lambda line: f"ok {line}") as control:
        yield control


def test_one_line_in_one_line_out(echo):
    assert request(echo.path, "hello there") == "ok hello there"
    assert request(echo.path, "two\nlines") == "ok two lines"


def test_several_lines_on_one_connection(echo):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(echo.path))
        client.sendall(b"a\nb\n")
        assert client.makefile().readline() == "ok a\n"


def test_only_the_owner_may_open_it(echo):
    assert stat.S_IMODE(echo.path.stat().st_mode) == 0o600


def test_a_client_that_says_nothing_or_too_much_harms_nobody(echo):
    with socket.socket(socket.AF_UNIX) as mute:
        mute.connect(str(echo.path))
        mute.sendall(b"x" * 9000)
        assert mute.makefile().readline().startswith("error: a request is one line")
    with socket.socket(socket.AF_UNIX) as rude:
        rude.connect(str(echo.path))
    assert request(echo.path, "still there") == "ok still there"


def test_a_socket_that_nobody_listens_at_is_replaced_and_a_live_one_is_not(tmp_path):
    path = tmp_path / "c"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with ControlSocket(path, str.upper):
        assert request(path, "a") == "A"
        with pytest.raises(ControlTakenError, match="another virtual robot"):
            ControlSocket(path, str.upper)
        assert request(path, "b") == "B"
    assert not path.exists()


def test_nobody_there_is_an_answer(tmp_path):
    with pytest.raises(NoControlError, match="no virtual robot listens at"):
        request(tmp_path / "nothing", "status")


def test_a_path_too_long_for_a_socket_is_told(tmp_path):
    with pytest.raises(ControlTakenError, match="too long"):
        ControlSocket(tmp_path / ("x" * 200), str.upper)
