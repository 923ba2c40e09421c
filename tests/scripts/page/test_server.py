"""The page's server with its worker: what it gives, whom it answers, what it refuses."""

import concurrent.futures
import copy
import io
import json
import socket
import zipfile

import numpy as np
import pytest
import werkzeug.test
from PIL import Image

from scripts.page import store, views, work
from tests.scripts.page import conftest
from tests.scripts.page.conftest import MAX_BYTES, encoded, noisy, until


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "image", "wishes", "flags"),
    [
        ("png", noisy((40, 56, 3)), {"model": "photo"}, ["--model=photo"]),
        ("jpg", noisy((40, 56, 3)), {"model": "photo"}, ["--model=photo"]),
        (
            "tif",
            noisy((2, 48, 40), np.uint16),
            {"model": "photo-grey", "calibrate": False},
            ["--model=photo-grey"],
        ),
        (
            "png",
            noisy((41, 56, 1)),
            {"model": "ssdn-gauss25-known-grey", "noise_level": 20},
            ["--model=ssdn-gauss25-known-grey", "--noise_level=20", "--std"],
        ),
    ],
)
def test_a_picture_is_restored_as_the_command_restores_it(
    kind, image, wishes, flags, client, tmp_path, run_command
):
    content = encoded(image, kind)
    key = client.add(f"mine.{kind}", content)["id"]
    for strength in (1.0, 0.7):
        result = client.restore(key, **wishes, strength=strength)
        done = client.finished(key, result)
        assert done["state"] == "done", done["error"]
        (tmp_path / f"mine.{kind}").write_bytes(content)
        flags = [*flags, f"--strength={strength}", "--precision=float32"]
        output = f"--output={tmp_path / 'out'}"
        command = run_command("noise2x", "denoise", *flags, output, tmp_path / f"mine.{kind}")
        assert command.returncode == 0, command.stderr
        assert client.file(key, result) == (tmp_path / "out" / f"mine.{kind}").read_bytes()
        if "--std" in flags:
            std = client.bytes(f"/pictures/{key}/results/{result}/std")
            assert std == (tmp_path / "out" / "mine-std.tif").read_bytes()
            with Image.open(view(client, key, "std", result)) as picture:
                assert picture.size == (56, 41)
    # The other strength came from what was kept: the model was not asked again.
    assert done["seconds"] < 2


@pytest.mark.slow
def test_a_calibration_is_that_of_the_command_and_serves_other_strengths(
    client, tmp_path, run_command
):
    content = encoded(noisy((96, 96), np.uint16)[..., 0:96], "tif")
    key = client.add("cells.tif", content)["id"]
    (tmp_path / "cells.tif").write_bytes(content)
    for strength in (1.0, 0.5):
        wishes = {"model": "photo-grey", "calibrate": True, "strength": strength}
        done = client.finished(key, client.restore(key, **wishes))
        assert done["state"] == "done", done["error"]
    flags = ["--model=photo-grey", "--calibrate", "--strength=0.5", "--precision=float32"]
    command = run_command(
        "noise2x", "denoise", *flags, f"--output={tmp_path / 'out'}", tmp_path / "cells.tif"
    )
    assert command.returncode == 0, command.stderr
    assert client.file(key, done["id"]) == (tmp_path / "out" / "cells.tif").read_bytes()


def view(client, key, what, result=None, page=0):
    more = f"&result={result}" if result else ""
    return io.BytesIO(client.bytes(f"/pictures/{key}/view?what={what}&page={page}{more}"))


@pytest.mark.slow
def test_what_is_shown_is_the_file(client):
    image = noisy((600, 40, 3))  # more rows than are drawn at once
    key = client.add("mine.png", encoded(image, "png"))["id"]
    result = client.restore(key, model="photo")
    assert client.finished(key, result)["state"] == "done"
    with Image.open(view(client, key, "before")) as shown:
        np.testing.assert_array_equal(np.asarray(shown), image)
    with Image.open(io.BytesIO(client.file(key, result))) as restored:
        after = np.asarray(restored)
    with Image.open(view(client, key, "after", result)) as shown:
        np.testing.assert_array_equal(np.asarray(shown), after)
    with Image.open(view(client, key, "removed", result)) as shown:
        removed = np.asarray(shown, np.float64).ravel()
    taken = (image.astype(np.float64) - after).ravel()
    assert np.corrcoef(removed, taken)[0, 1] > 0.99 and abs(removed.mean() - 128) < 2
    for path in (
        f"/pictures/{key}/view?what=before&page=1",
        f"/pictures/{key}/view?what=before&page=-1",
        f"/pictures/{key}/view?what=std&result={result}",
        f"/pictures/{key}/view?what=after&result=none",
        f"/pictures/{key}/view?what=..%2Fpicture.json",
        "/pictures/none/view",
        "/static/..%2Fserver.py",
        "/nothing",
    ):
        client.ask(path, status=404)


def test_other_than_eight_bits_are_spread_and_pages_shown_one_by_one(client):
    stack = np.stack([np.full((40, 40), 1000, np.uint16), noisy((40, 40, 1), np.uint16)[..., 0]])
    key = client.add("stack.tif", encoded(stack, "tif"))["id"]
    about = client.picture(key)
    assert about["pages"] == 2 and about["dtype"] == "uint16" and len(about["spread"]) == 2
    shown = [np.asarray(Image.open(view(client, key, "before", page=page))) for page in (0, 1)]
    assert np.ptp(shown[0]) == 0 and shown[0].shape == (40, 40, 3)
    # Spread as the first page is, which is constant: all black up to its value, white beyond.
    assert about["spread"] == [1000.0, 1001.0] and set(np.unique(shown[1])) <= {0, 255}
    assert np.mean(shown[1]) > 250


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


@pytest.mark.slow
def test_work_can_be_cancelled_and_goes_on_with_the_next(client):
    large = client.add("large.png", encoded(noisy((900, 900, 1)), "png"))["id"]
    small = client.add("small.png", encoded(noisy((32, 32, 3)), "png"))["id"]
    first = client.restore(large, model="ssdn-gauss25-known-grey")
    waiting = client.restore(small, model="photo", strength=0.4)
    until(lambda: client.picture(large)["results"][0]["state"] == "working")
    client.ask(f"/pictures/{large}/results/{first}", "DELETE")
    assert client.finished(large, first)["state"] == "cancelled"
    assert client.finished(small, waiting)["state"] == "done"
    # Asked for again, it is done after all.
    assert client.restore(large, model="ssdn-gauss25-known-grey") == first
    client.ask(f"/pictures/{large}", "DELETE")
    again = client.restore(small, model="photo", strength=0.3)
    assert client.finished(small, again)["state"] == "done"


@pytest.mark.slow
def test_a_page_that_is_opened_again_has_what_was_finished(client):
    key = client.add("kept.png", encoded(noisy((32, 32, 3)), "png"))["id"]
    result = client.restore(key, model="photo")
    assert client.finished(key, result)["state"] == "done"
    until(lambda: client.picture(key)["noise"] is not None)
    other = store.Result({**client.pictures.picture(key).results[result].settings, "std": True})
    client.pictures.picture(key).save(other)  # as if the program ended while it waited
    (client.pictures.folder / "something else").mkdir(exist_ok=True)
    (client.pictures.folder / "something else" / "picture.json").write_text("[]")
    opened = store.Store(client.pictures.folder)
    assert list(opened.pictures) == list(client.pictures.pictures)
    picture = opened.picture(key)
    assert picture.results[result].state == "done"
    assert picture.result_file(picture.results[result]).is_file()
    assert picture.results[other.id].state == "interrupted"


@pytest.mark.slow
def test_all_restored_pictures_come_in_one_zip_under_names_of_their_own(client):
    contents = set()
    for seed in (0, 1):
        image = encoded(noisy((32, 32, 3), seed=seed), "png")
        key = client.add("twin.png", image)["id"]
        result = client.restore(key, model="photo")
        assert client.finished(key, result)["state"] == "done"
        contents.add(client.file(key, result))
    with zipfile.ZipFile(io.BytesIO(client.bytes("/zip"))) as archive:
        names = archive.namelist()
        assert {"twin-denoised.png", "twin-denoised-2.png"} <= set(names)
        assert len(set(names)) == len(names)
        assert contents <= {archive.read(name) for name in names}


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


@pytest.mark.slow
def test_a_training_shows_its_curve_stops_and_goes_on(client):
    key = client.add("cells.png", encoded(noisy((64, 64, 1)), "png"))["id"]
    client.ask(f"/pictures/{key}/training", "POST", 422, content={"method": "n2v", "steps": 7})
    client.ask(f"/pictures/{key}/training/sample", status=404)
    client.ask(f"/pictures/{key}/training", "POST", 202, content={"method": "n2v", "steps": 500})
    other = client.add("other.png", encoded(noisy((64, 64, 1)), "png"))["id"]
    refused = client.ask(
        f"/pictures/{other}/training", "POST", 422, content={"method": "n2v", "steps": 500}
    )
    assert "cells.png is being trained on" in refused["error"]
    until(lambda: client.picture(key)["training"]["sample"], 300)
    client.ask(f"/pictures/{key}/training", "DELETE")
    assert client.picture(key)["training"]["curve"]
    stopped = until(lambda: (t := client.picture(key)["training"])["state"] != "working" and t, 60)
    assert stopped["state"] == "stopped"
    assert client.bytes(f"/pictures/{key}/training/sample").startswith(b"\x89PNG")
    client.ask(f"/pictures/{key}/training", "POST", 202, content={"method": "n2v", "steps": 500})
    shown = stopped["curve"][-1][0]
    until(lambda: client.picture(key)["training"]["curve"][-1][0] > shown, 300)
    client.ask(f"/pictures/{key}", "DELETE")
    assert not (client.pictures.folder / key).exists()


@pytest.mark.slow
def test_ssdn_learns_the_noise_of_a_picture_and_is_offered_then(client):
    deep = client.add("deep.tif", encoded(noisy((64, 64), np.uint16), "tif"))["id"]
    assert list(client.picture(deep)["trainings"]) == ["n2v"]  # counts are too dark for SSDN
    key = client.add("grain.png", encoded(noisy((72, 72, 1)), "png"))["id"]
    for wishes in ({"method": "ssdn", "steps": 1}, {"method": ["ssdn"], "steps": 300}, {}):
        client.ask(f"/pictures/{key}/training", "POST", 422, content=wishes)
    client.ask(f"/pictures/{key}/training", "POST", 202, content={"method": "ssdn", "steps": 300})
    until(lambda: client.picture(key)["training"]["state"] != "working", 300)
    assert client.picture(key)["training"]["state"] == "done", client.picture(key)["training"]
    (model,) = (m for m in client.ask("/state")["models"] if m.get("trained_on") == "grain.png")
    assert model["predicts_std"] and not model["takes_level"] and model["channels"] == 1
    done = client.finished(key, client.restore(key, model=model["name"]))
    assert done["state"] == "done" and done["has_std"]
    (line,) = (line for line in done["lines"] if "estimated sigma" in line)
    sigma = float(line.split("estimated sigma: ")[1].split()[0])
    assert 20 < sigma < 30  # it is 25.5; from the original's start it would be 5


def test_a_program_that_ends_is_said_and_started_again(client):
    key = client.add("fall.png", encoded(noisy((32, 32, 3)), "png"))["id"]
    until(lambda: client.picture(key)["noise"] is not None)
    client.work._process.kill()
    until(lambda: client.work._process is None or client.work._process.poll() is not None)
    result = client.restore(key, model="photo", strength=0.9)
    assert client.finished(key, result)["state"] == "done"


def test_a_view_is_made_once_however_many_ask(client, monkeypatch):
    key = client.add("one.png", encoded(noisy((64, 64, 3)), "png"))["id"]
    picture, made, render = client.pictures.picture(key), [], views._render
    monkeypatch.setattr(views, "_render", lambda *what: made.append(what) or render(*what))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(views.png, picture, "before", None, 0) for _ in range(8)]
        assert len({one.result() for one in asked}) == 1
    assert len(made) == 1


@pytest.mark.slow
def test_what_is_being_done_when_the_page_is_closed_is_interrupted(tmp_path):
    closed = conftest.Client(tmp_path)
    key = closed.add("large.png", encoded(noisy((900, 900, 1)), "png"))["id"]
    first = closed.restore(key, model="ssdn-gauss25-known-grey")
    second = closed.restore(key, model="photo-grey")
    until(lambda: closed.picture(key)["results"][0]["state"] == "working")
    closed.close()
    picture = store.Store(tmp_path).picture(key)
    assert {picture.results[i].state for i in (first, second)} == {"interrupted"}
    assert picture.about["noise"] is None  # it is looked at the next time


@pytest.mark.slow
def test_a_full_disk_fails_a_job_and_not_the_next(client, monkeypatch):
    key = client.add("full.png", encoded(noisy((32, 32, 3)), "png"))["id"]
    until(lambda: client.picture(key)["noise"] is not None)
    picture = client.pictures.picture(key)
    save, full = picture.save, [True]

    def fails(result=None):
        if full and result is not None and result.state == "done":
            full.clear()
            raise OSError(28, "No space left on device")
        save(result)

    monkeypatch.setattr(picture, "save", fails)
    for strength in (1.0, 0.2):
        result = client.restore(key, model="photo", strength=strength)
        assert client.finished(key, result)["state"] == "done"
    assert not full


def test_what_other_settings_made_is_made_anew(client):
    key = client.add("anew.png", encoded(noisy((32, 32, 3)), "png"))["id"]
    first = client.restore(key, model="photo")
    assert client.finished(key, first)["is_current"]
    before = client.page._made_by
    try:
        client.page._made_by = "precision bfloat16"
        assert not client.finished(key, first)["is_current"]
        assert client.restore(key, model="photo") != first
    finally:
        client.page._made_by = before


def test_lines_name_the_picture_and_not_the_file_that_is_kept(client):
    key = client.add("named.png", encoded(noisy((32, 32, 3)), "png"))["id"]
    assert work._named("input.png: too dark", client.pictures.picture(key)).startswith("named.png")
