"""The page at work: what it restores, shows, trains, and what becomes of it."""

import concurrent.futures
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from common.files import atomic
from scripts.page import store, training, views, work
from tests.scripts.page import conftest
from tests.scripts.page.conftest import encoded, noisy, until


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


def test_a_picture_of_a_training_that_is_being_written_is_none_yet(client):
    key = client.add("cells.png", encoded(noisy((32, 32, 1)), "png"))["id"]
    samples = client.pictures.picture(key).folder / training.FOLDER / "samples"
    with atomic.replacing(samples / "000000500.png") as temporary:
        temporary.write_bytes(b"whole")
        client.ask(f"/pictures/{key}/training/sample", status=404)
    assert client.bytes(f"/pictures/{key}/training/sample") == b"whole"


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
    # Its noise was looked at, or will be the next time.
    assert picture.about["noise"] is None or picture.about["noise"]["kind"]


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


@pytest.mark.slow
def test_the_process_makes_way_for_a_new_one_and_no_job_is_lost(client, monkeypatch):
    key = client.add("renewed.png", encoded(noisy((32, 32, 3)), "png"))["id"]
    until(lambda: client.picture(key)["noise"] is not None)
    monkeypatch.setattr(work, "JOBS", 1)
    before = set()
    for strength in (1.0, 0.31, 0.32):
        done = client.finished(key, client.restore(key, model="photo", strength=strength))
        assert done["state"] == "done", done["error"]
        until(lambda: client.work._process is not None)
        before.add(client.work._process.pid)
    assert len(before) > 1
