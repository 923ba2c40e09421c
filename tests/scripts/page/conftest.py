"""A page with its worker, and a client that talks to it as a browser does."""

import io
import json
import time

import numpy as np
import pytest
import tifffile
import werkzeug.test
from PIL import Image

from noise2x import methods
from scripts.page import models, server, store, training, work

MAX_BYTES = 3_000_000


class Client:
    """A browser that has opened the page's address."""

    def __init__(self, folder):
        self.pictures = store.Store(folder)
        self.work = work.Work(self.pictures, memory_gb=3.0, precision="float32")
        self.trainings = training.Trainings(
            self.pictures, begin_with=methods.find("ssdn").ready, precision="float32"
        )
        self.page = server.Page(
            self.pictures,
            self.work,
            self.trainings,
            models.offered(),
            max_bytes=MAX_BYTES,
            made_by="precision float32",
            is_local=True,
        )
        self.http = werkzeug.test.Client(self.page)
        assert self.http.get(f"/?token={self.page.token}").status_code == 303

    def close(self):
        self.trainings.close()
        self.work.close()

    def ask(self, path, method="GET", status=200, content=None, **more):
        """The JSON that is answered, with the status that is expected."""
        more.setdefault("headers", {}).setdefault("Origin", "http://localhost")
        if content is not None:
            more["data"] = json.dumps(content)
        with self.http.open(path, method=method, **more) as answer:
            told = json.loads(answer.get_data())
            assert answer.status_code == status, told
        return told

    def bytes(self, path):
        with self.http.get(path) as answer:
            assert answer.status_code == 200, answer.get_data()
            return answer.get_data()

    def add(self, name, content, status=201):
        headers = {"X-Name": name, "Origin": "http://localhost"}
        return self.ask("/pictures", "POST", status, data=content, headers=headers)

    def picture(self, key):
        (found,) = (p for p in self.ask("/state")["pictures"] if p["id"] == key)
        return found

    def restore(self, key, status=202, **wishes):
        """Id of the result that was asked for."""
        told = self.ask(f"/pictures/{key}/results", "POST", status, content=wishes)
        return told.get("id") or told["error"]

    def finished(self, key, result, seconds=120):
        """A result when it is finished, as the state has it."""
        return until(
            lambda: next(
                (
                    r
                    for r in self.picture(key)["results"]
                    if r["id"] == result and r["state"] in store.FINISHED
                ),
                None,
            ),
            seconds,
        )

    def file(self, key, result):
        return self.bytes(f"/pictures/{key}/results/{result}/file")


def until(found, seconds=60):
    """What `found` gives, as soon as it is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen")


@pytest.fixture(scope="session")
def client(tmp_path_factory):
    opened = Client(tmp_path_factory.mktemp("page"))
    yield opened
    opened.close()


def noisy(shape, dtype=np.uint8, seed=0):
    """A slope with noise, in the middle of the type's range."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0.2, 0.8, shape[1])[None, :, None]
    values = slope + 0.1 * rng.standard_normal(shape)
    return np.clip(values * np.iinfo(dtype).max, 0, np.iinfo(dtype).max).astype(dtype)


def encoded(image, kind):
    """The bytes of a picture as a PNG, JPEG or TIFF file."""
    file = io.BytesIO()
    if kind == "tif":
        tifffile.imwrite(file, image, photometric="minisblack")
    else:
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        picture.save(file, {"png": "PNG", "jpg": "JPEG"}[kind])
    return file.getvalue()
