"""What `make lab` starts is for the reader of this machine alone: it listens on loopback, and asks for a token."""

import json
import os
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from time import monotonic, sleep
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest


def listening(pid: int) -> set[str]:
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return {connection.laddr.ip for process in processes for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN}


def is_loopback(address: str) -> bool:
    return ip_address(address.removeprefix("::ffff:")).is_loopback


@pytest.fixture(scope="module")
def lab(root, tmp_path_factory):
    """The very command of `make lab`, but that no browser opens and the settings of whoever runs the tests stay out."""
    home = tmp_path_factory.mktemp("home")
    told = subprocess.run(["make", "--no-print-directory", "--dry-run", "--assume-old=.venv/reader", "lab"], cwd=root,
                          capture_output=True, text=True)
    program, *words = told.stdout.splitlines()[-1].split()
    assert program == ".venv/bin/jupyter" and words[0] == "lab"
    keep_out = ["JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
    environment = os.environ | {name: str(home / name) for name in keep_out}
    with (home / "log").open("w") as log, subprocess.Popen(
            [Path(sys.executable).with_name("jupyter"), *words, "--no-browser"], cwd=root, stdout=log, stderr=log,
            env={name: value for name, value in environment.items() if name != "JUPYTER_TOKEN"}) as server:
        try:
            deadline = monotonic() + 120
            while not (files := list((home / "JUPYTER_RUNTIME_DIR").glob("jpserver-*.json"))) or not files[0].stat().st_size:
                assert server.poll() is None and monotonic() < deadline, (home / "log").read_text()[-2000:]
                sleep(0.1)
            yield server, json.loads(files[0].read_text())
        finally:
            server.terminate()
            server.wait(30)


def answer(address: str, **headers: str) -> int:
    try:
        with urlopen(Request(address, headers=headers), timeout=30) as page:
            return 200 if "/login" not in page.url else 403  # a page for people redirects to the login
    except HTTPError as error:
        return error.code


def test_it_listens_on_loopback_only(lab):
    server, told = lab
    where = listening(server.pid)
    assert where and all(map(is_loopback, where)), where
    assert told["url"].startswith("http://localhost:")


def test_without_its_token_nobody_gets_in_and_with_it_the_reader_does(lab):
    _, told = lab
    assert len(told["token"]) >= 32
    for page in ("api/contents", "api/kernels", "api/terminals", "lab/tree/notebooks/00_welcome.ipynb"):
        address = told["url"] + page
        assert answer(address) == answer(address, Authorization="token " + "0" * 48) == 403
        assert answer(address, Authorization=f"token {told['token']}") == 200


def test_an_address_that_others_reach_is_told_from_loopback():
    assert is_loopback("127.0.0.1") and is_loopback("::1") and is_loopback("::ffff:127.0.0.1")
    assert not any(map(is_loopback, ["0.0.0.0", "::", "192.168.0.4"]))
