"""scripts.data.download against a server on the loopback address that behaves as servers do."""

import functools
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile

import numpy as np
import pytest

from common.files import image_files
from scripts.data import download

RNG = np.random.default_rng(0)
PICTURES = {f"kodim{i:02d}.png": RNG.integers(0, 255, (8, 8, 3), np.uint8) for i in range(1, 4)}


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves a dict of bytes, understands Range, and can hang up early."""

    def __init__(self, content, log, hang_up, *args):
        self.content, self.log, self.hang_up = content, log, hang_up
        super().__init__(*args)

    def do_GET(self):
        data = self.content.get(self.path.lstrip("/"))
        self.log.append((self.path, self.headers.get("Range")))
        if data is None:
            self.send_error(404)
            return
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        end = self.hang_up.pop() if self.hang_up else len(data)
        self.wfile.write(data[start:end])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    content, log, hang_up = {}, [], []
    handler = functools.partial(Handler, content, log, hang_up)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/", content, log, hang_up
        running.shutdown()
        thread.join()


@pytest.fixture
def three_pictures(monkeypatch, tmp_path_factory):
    """The Kodak entry, cut down to three made-up pictures; returns their bytes."""
    folder = tmp_path_factory.mktemp("pictures")
    digest, content = hashlib.sha256(), {}
    for name, picture in PICTURES.items():
        image_files.write(folder / name, picture)
        content[name] = (folder / name).read_bytes()
        digest.update(picture)
    source = download.Source(
        base="http://127.0.0.1:9/",
        files=tuple((name, f"kodak/{name}") for name in PICTURES),
        counts={"kodak/*.png": 3},
        pixels_sha256=digest.hexdigest(),
    )
    monkeypatch.setitem(download.SOURCES, "kodak", source)
    return content


def test_a_set_arrives_and_is_not_fetched_twice(server, three_pictures, tmp_path):
    base, content, log, _ = server
    content.update(three_pictures)
    download.download("kodak", tmp_path, base=base)
    assert len(log) == 3
    said = []
    download.download("kodak", tmp_path, base=base, show=said.append)
    assert len(log) == 3
    assert "complete already" in said[0]
    (tmp_path / "kodak" / "kodim02.png").write_bytes(b"damaged")
    download.download("kodak", tmp_path, base=base)
    assert len(log) == 4
    np.testing.assert_array_equal(
        image_files.read_one(tmp_path / "kodak" / "kodim02.png"), PICTURES["kodim02.png"]
    )


def test_a_broken_download_goes_on_where_it_was(server, tmp_path):
    base, content, log, hang_up = server
    content["big"] = RNG.bytes(300_000)
    hang_up.append(100_000)
    with pytest.raises(download.DownloadError, match="run it again to go on"):
        download.fetch(base + "big", tmp_path / "big")
    assert not (tmp_path / "big").exists()
    download.fetch(base + "big", tmp_path / "big")
    assert (tmp_path / "big").read_bytes() == content["big"]
    assert log[1][1] == "bytes=100000-"
    assert list(tmp_path.iterdir()) == [tmp_path / "big"]


def test_wrong_pixels_missing_files_and_no_server_are_named(server, three_pictures, tmp_path):
    base, content, _, _ = server
    content.update(three_pictures | {"kodim02.png": three_pictures["kodim01.png"]})
    with pytest.raises(download.DownloadError, match="not those known"):
        download.download("kodak", tmp_path / "wrong", base=base)
    del content["kodim03.png"]
    with pytest.raises(download.DownloadError, match="kodim03.png: 404"):
        download.download("kodak", tmp_path / "missing", base=base)
    with pytest.raises(download.DownloadError, match="127.0.0.1:9.*refused"):
        download.download("kodak", tmp_path / "none")


def test_archives_are_unpacked_to_their_places(server, tmp_path):
    base, content, _, _ = server
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for part, count in (("train", 200), ("test", 100)):
            for i in range(count):
                info = tarfile.TarInfo(f"BSDS300/images/{part}/{i}.jpg")
                info.size = 1
                tar.addfile(info, io.BytesIO(b"x"))
    content["BSDS300-image_files.tgz"] = buffer.getvalue()
    download.download("bsd300", tmp_path, base=base)
    assert len(list((tmp_path / "BSDS300" / "images" / "test").iterdir())) == 100

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as stored:
        for i in range(14):
            stored.writestr(f"Set14/image_SRF_2/img_{i:03d}_SRF_2_HR.png", b"x")
            stored.writestr(f"Set14/image_SRF_2/img_{i:03d}_SRF_2_LR.png", b"y")
    content["igsnfieh4lz68l926l8xbklwsnnk8we9.zip"] = buffer.getvalue()
    download.download("set14", tmp_path, base=base)
    assert len(list((tmp_path / "Set14").glob("*_HR.png"))) == 14
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for i in range(581):
            info = tarfile.TarInfo(f"IXI{i:03d}-HH-T1.nii.gz")
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    content["IXI-T1.tar"] = buffer.getvalue()
    download.download("ixi", tmp_path, base=base)
    assert (tmp_path / "IXI-T1" / "IXI012-HH-T1.nii.gz").is_file()
    for part, count in (("train", 800), ("valid", 100)):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as stored:
            for i in range(count):
                stored.writestr(f"DIV2K_{part}_HR/{i:04d}.png", b"x")
        content[f"DIV2K_{part}_HR.zip"] = buffer.getvalue()
    download.download("div2k", tmp_path, base=base)
    assert len(list((tmp_path / "DIV2K_valid_HR").iterdir())) == 100
    content["BSDS300-image_files.tgz"] = b"no archive"
    with pytest.raises(download.DownloadError, match="not an archive"):
        download.download("bsd300", tmp_path / "bad", base=base)


def test_the_command_names_what_it_knows(run_command):
    done = run_command("scripts.data.download", "imagenet")
    assert done.returncode == 1
    assert "set 'imagenet': expected some of kodak, bsd300, set14" in done.stderr
