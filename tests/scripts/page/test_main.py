"""`noise2x page`: what it offers, and what it refuses before it opens."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys

import pytest

from scripts.page import __main__ as page
from scripts.page import models
from tests.conftest import ROOT


def test_shipped_models_and_run_folders_are_offered(tiny_run):
    offered = {model["label"]: model for model in models.offered(["photo", tiny_run])}
    assert offered["photo"]["channels"] == 3 and offered["photo"]["calibrates"]
    run = offered[tiny_run.name]
    assert run["predicts_std"] and not run["takes_level"] and not run["calibrates"]
    assert run["digest"] != offered["photo"]["digest"]
    known = models.offered(["ssdn-gauss25-known-grey"])[0]
    assert known["takes_level"] and known["level"] == 25 and known["channels"] == 1
    finds = models.offered(["ssdn-gauss5_50-grey"])[0]
    assert finds["takes_level"] and finds["level"] is None and finds["calibrates"]


def test_models_of_something_else_and_unfinished_ones_are_refused(tiny_run, tmp_path):
    with pytest.raises(ValueError, match="nothing"):
        models.offered(["nothing"])
    shutil.copytree(tiny_run, tmp_path / "run")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    config["config"]["num_images"] = 400
    config["steps"] = 200
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="its training is not finished"):
        models.offered([tmp_path / "run"])


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *[("127.0.0.1", True), ("localhost", True), ("::1", True), ("[::1]", True)],
        *[("0.0.0.0", False), ("192.168.1.7", False), ("example.org", False)],
    ],
)
def test_what_is_this_machine_alone(host, local):
    assert page.is_loopback(host) == local


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--host=0.0.0.0"], "if you want that, add --allow_network"),
        (["--models=nothing"], "nothing"),
        (["--port=70000"], "port"),
        (["photo.jpg"], "Unexpected 'photo.jpg'"),
    ],
)
def test_what_makes_no_sense_is_refused(flags, message, tmp_path, run_command):
    done = run_command("noise2x", "page", "--nobrowser", f"--folder={tmp_path / 'kept'}", *flags)
    assert done.returncode == 1 and message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_one_page_for_a_folder_and_one_program_for_a_port(tmp_path, run_command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        flags = ["--nobrowser", f"--port={port}", f"--folder={tmp_path / 'other'}"]
        done = run_command("noise2x", "page", *flags)
        assert done.returncode == 1 and f"port={port}: address already in use" in done.stderr
    flags = ["--nobrowser", "--port=0", f"--folder={tmp_path / 'kept'}"]
    command = [sys.executable, "-m", "noise2x", "page", *flags]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as first:
        assert re.match(r"Page: http://127\.0\.0\.1:\d+/\?token=", first.stdout.readline())
        done = run_command("noise2x", "page", *flags)
        assert done.returncode == 1 and "is showing it as a page" in done.stderr
        first.terminate()
        assert first.wait(20) == 0
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700


def test_the_token_stands_in_a_file_that_nobody_else_reads(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(page.webbrowser, "open", opened.append)
    page.open_browser("http://127.0.0.1:1/?token=secret", tmp_path)
    (address,) = opened
    assert "secret" not in address and address.endswith("/open.html")
    path = tmp_path / "open.html"
    assert "token=secret" in path.read_text()
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
