"""The page's server: whom it answers, and what it refuses."""

import ast
import concurrent.futures
import copy
import json
import os
import pathlib
import shutil
import socket
import sys
import time

import numpy as np
import pytest
import werkzeug.test

from scripts.page import sentences
from tests.scripts.page.conftest import MAX_BYTES, encoded, noisy


@pytest.mark.parametrize("path", ["/state", "/zip", "/pictures/x/view"])
def test_only_who_has_the_token_is_answered(client, path):
    stranger = werkzeug.test.Client(client.page)
    with stranger.get(path) as answer:
        assert answer.status_code == 403
        assert "Open the whole address" in json.loads(answer.get_data())["error"]
    assert stranger.get("/?token=wrong").status_code == 200  # the page, which holds no secret
    assert stranger.get("/state").status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8642", 200),
        ("127.0.0.1:1234", 200),
        ("127.0.0.2", 200),
        ("[::1]:8642", 200),
        ("evil.example", 403),  # a name that somebody made point here
        ("localhost.evil.example", 403),
        ("192.168.1.7", 403),
    ],
)
def test_it_answers_under_names_of_this_machine_alone(host, status, client):
    other = werkzeug.test.Client(client.page)
    with other.get("/", base_url=f"http://{host}") as answer:
        assert answer.status_code == status


def test_with_the_networks_leave_addresses_and_its_own_name_will_do(client):
    page = copy.copy(client.page)
    page._is_local = False
    other = werkzeug.test.Client(page)
    for host, status in ((socket.gethostname(), 200), ("192.168.1.7", 200), ("evil.example", 403)):
        with other.get("/", base_url=f"http://{host}") as answer:
            assert answer.status_code == status


def test_other_pages_change_nothing(client):
    for origin in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        with client.http.post(
            "/pictures", data=b"x", headers={"X-Name": "a.png", **origin}
        ) as answer:
            assert answer.status_code == 403


def test_answers_forbid_what_the_page_does_not_do(client):
    with client.http.get("/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "token" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\windows\\a.png", "a.png"),
        ("a%00b%0a.png", "a_b_.png"),
        ("<script>.png", "_script_.png"),
        (".png.png", "png.png"),
        ("x" * 500 + ".png", "x" * 196 + ".png"),
        ("%D1%84%D0%BE%D1%82%D0%BE.png", "фото.png"),
    ],
)
def test_names_are_shown_and_are_no_paths(name, kept, client):
    key = client.add(name, encoded(noisy((8, 8, 1)), "png"))["id"]
    assert client.picture(key)["name"] == kept
    folder = client.pictures.folder / key
    assert {path.name for path in folder.iterdir()} >= {"input.png", "picture.json"}
    client.ask(f"/pictures/{key}", "DELETE")
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the opener has another name there")
def test_the_folder_of_a_picture_is_shown(client, tmp_path, monkeypatch):
    key = client.add("a.png", encoded(noisy((20, 24, 1)), "png"))["id"]
    folder, program = client.pictures.folder / key, tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.symlink_to(shutil.which("touch"))  # a file just written may still be busy
    monkeypatch.setenv("PATH", str(program.parent))
    os.utime(folder, (0, 0))
    client.ask(f"/pictures/{key}/folder", "POST", content={})
    until = time.monotonic() + 20
    while folder.stat().st_mtime == 0 and time.monotonic() < until:
        time.sleep(0.02)
    assert folder.stat().st_mtime > 0
    program.unlink()
    message = client.ask(f"/pictures/{key}/folder", "POST", 422, content={})["error"]
    assert message == f"No program here shows folders; it is {client.pictures.folder / key}"


@pytest.mark.parametrize("name", ["answers", "server", "store", "training", "views", "work"])
def test_sentences_stand_in_one_module(name):
    """So that a translator finds them; none is written where it is raised."""
    path = pathlib.Path(sentences.__file__).with_name(f"{name}.py")
    raised = [
        argument
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
        for argument in node.exc.args
    ]
    assert raised
    written = [node for node in raised if isinstance(node, (ast.Constant, ast.JoinedStr))]
    assert not [ast.unparse(node) for node in written]


def test_what_is_no_picture_is_refused_in_a_sentence_and_leaves_nothing(client):
    before = set(client.pictures.folder.iterdir())
    good = encoded(noisy((40, 40, 3)), "png")
    rng = np.random.default_rng(0)
    damaged = [good[: rng.integers(len(good))] for _ in range(10)]
    for _ in range(20):
        other = bytearray(good)
        other[rng.integers(8, 60)] ^= 255
        damaged.append(bytes(other))
    for content in damaged:
        headers = {"X-Name": "holiday.png", "Origin": "http://localhost"}
        with client.http.post("/pictures", data=content, headers=headers) as answer:
            told = json.loads(answer.get_data())
            if answer.status_code == 201:  # bytes that no decoder looks at
                client.ask(f"/pictures/{told['id']}", "DELETE")
            else:
                assert answer.status_code == 422 and told["error"].startswith("holiday.png: ")
                assert str(client.pictures.folder) not in told["error"]
    for name in ("notes.txt", "noending", "a.zarr", "raw.cr2", ""):
        assert "is not the name of a picture" in client.add(name, good, status=422)["error"]
    too_large = client.add("large.png", bytes(MAX_BYTES + 1), status=413)
    assert "3 MB" in too_large["error"]
    assert set(client.pictures.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"model": "nothing"}, "There is no such model here."),
        ({}, "There is no such model here."),
        ({"model": "photo-grey"}, "photo-grey restores pictures of 1 channels; mine.png has 3."),
        ({"model": "photo", "strength": 2}, "The strength goes from 0 to 1.5."),
        ({"model": "photo", "strength": "1"}, "The strength goes from 0 to 1.5."),
        ({"model": "photo", "noise_level": -1}, "The level of the noise is a number above 0."),
    ],
)
def test_wishes_that_make_no_sense_are_refused(wishes, message, client):
    key = client.add("mine.png", encoded(noisy((32, 32, 3)), "png"))["id"]
    assert client.restore(key, status=422, **wishes) == message
    for content in (b"[1]", b"[" * 9000, b'{"model": []}', b'{"model": "photo", "strength": NaN}'):
        client.ask(f"/pictures/{key}/results", "POST", 422, data=content)
    pieces = {"Transfer-Encoding": "chunked"}
    client.ask(f"/pictures/{key}/results", "POST", 413, data=bytes(20_000))
    client.ask(f"/pictures/{key}/results", "POST", 411, data=b"{}", headers=pieces)
    client.ask(f"/pictures/{key}", "DELETE")


def test_fifty_requests_at_once_are_answered(client):
    key = client.add("busy.png", encoded(noisy((64, 64, 3)), "png"))["id"]
    cookies = client.http.get_cookie("noise2x-80")

    def ask(number):
        other = werkzeug.test.Client(client.page)
        other.set_cookie(cookies.key, cookies.value)
        path = ("/state", f"/pictures/{key}/view?what=before")[number % 2]
        with other.get(path) as answer:
            return answer.status_code

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        assert set(pool.map(ask, range(50))) == {200}
