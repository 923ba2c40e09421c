"""What the page keeps in its folder: pictures as they were dropped, and what was made of them.

A picture has a folder of its own, named by chance:

    picture.json            name, sides, pages, noise
    input.jpg               the file, byte for byte; only its suffix comes from outside
    noise.png               deviation of its noise over the value
    results/RESULT/         result.json, the restored file, input-std.tif, calibration
    results/RESULT/parts/   what the model returned, so that other strengths need no model
    training/               run folder of a training on this file

Names from outside are shown and sent, never used as paths.
"""

import dataclasses
import hashlib
import json
import pathlib
import re
import secrets
import shutil
import threading
import time
import unicodedata

import numpy as np

from common.files import atomic, listing, stacks
from common.files.errors import ImageError
from scripts.page import sentences

FINISHED = ("done", "failed", "cancelled", "interrupted")
CHUNK = 2**20  # bytes that are copied at once
LONGEST_NAME = 200  # bytes; file systems hold 255, and results have longer names


class UnknownError(KeyError):
    """No such picture or result."""


@dataclasses.dataclass
class Result:
    """What a model made of a picture, or is going to.

    Attributes:
        settings: model, strength, noise_level, calibrate, std, and `made_by`: what else decides
            about the result, such as the version.
        state: waiting, working, done, failed, cancelled, or interrupted, where the server stopped.
        lines: what the program said of it.
        error: why there is none, in a sentence.
        file, std: names of what was written; std: or None.
        seconds: that it took.
        ended: when, seconds since 1970; 0 if it has not.
        done, total: parts of the picture.
    """

    settings: dict
    state: str = "waiting"
    lines: list = dataclasses.field(default_factory=list)
    error: str = ""
    file: str | None = None
    std: str | None = None
    seconds: float = 0.0
    ended: float = 0.0
    done: int = 0
    total: int = 0

    @property
    def id(self):
        """The same for equal settings."""
        text = json.dumps(self.settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def is_full(self):
        """Whether this is the model's own result, which others are made from."""
        return self.settings["strength"] == 1.0

    @property
    def full(self):
        """The result of the same model at strength 1, whose parts this one is made from."""
        return Result({**self.settings, "strength": 1.0})


class Picture:
    """A picture with its results; made by Store."""

    def __init__(self, folder):
        self.folder, self.id = folder, folder.name
        self.about = dict(json.loads((folder / "picture.json").read_text()))
        self.added = float(self.about["added"])
        paths = folder.glob("results/*/result.json")
        results = [Result(**json.loads(path.read_text())) for path in paths]
        for result in results:
            if result.state not in FINISHED:
                result.state = "interrupted"
        self.results = {result.id: result for result in sorted(results, key=lambda r: r.ended)}

    @property
    def path(self):
        """The file as it was dropped."""
        return self.folder / self.about["input"]

    @property
    def name(self):
        """What it was called, for people."""
        return self.about["name"]

    @property
    def result_name(self):
        """What a result is called, for people."""
        named = pathlib.Path(self.name)
        return listing.ImagePath(named, named).result(None).name

    def result_folder(self, result):
        """Where a result lies."""
        return self.folder / "results" / result.id

    def result_file(self, result):
        """The restored file of a finished Result."""
        return self.result_folder(result) / result.file

    def parts(self, result):
        """Where the parts lie that a result is made from."""
        return self.result_folder(result.full) / "parts"

    def save(self, result=None):
        """Writes down what is known of the picture, or of a result."""
        if result is None:
            _write(self.folder / "picture.json", self.about)
        else:
            _write(self.result_folder(result) / "result.json", dataclasses.asdict(result))


class Store:
    """The pictures of a folder, the oldest first.

    Attributes:
        lock: to be held while pictures or results are changed.
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        # Other people on this machine have no business with the pictures.
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.lock = threading.RLock()
        pictures = []
        for path in self.folder.glob("*/picture.json"):
            try:
                pictures.append(Picture(path.parent))
            except (ValueError, TypeError, KeyError):
                continue  # what somebody else put there
        self.pictures = {p.id: p for p in sorted(pictures, key=lambda p: p.added)}

    def picture(self, key):
        """The picture of an id; raises UnknownError."""
        try:
            return self.pictures[key]
        except KeyError:
            raise UnknownError(sentences.NO_PICTURE) from None

    def result(self, picture_key, result_key):
        """(picture, result) of ids; raises UnknownError."""
        picture = self.picture(picture_key)
        try:
            return picture, picture.results[result_key]
        except KeyError:
            raise UnknownError(sentences.NO_RESULT) from None

    def add(self, name, stream):
        """Keeps a picture that is read from a stream.

        Args:
            name: what it is called there; anything.
            stream: has read(bytes).

        Returns:
            Picture.

        Raises:
            ImageError: it can't be read as a picture.
        """
        name = clean_name(name)
        suffix = pathlib.PurePath(name).suffix.lower()
        folder = self.folder / secrets.token_hex(8)
        path = folder / f"input{suffix}"
        if suffix not in accepted():
            raise ImageError(
                sentences.NOT_A_PICTURE.format(name=name, suffix=suffix or sentences.NO_SUFFIX)
            )
        folder.mkdir()
        try:
            with open(path, "wb") as file:
                shutil.copyfileobj(stream, file, CHUNK)
            try:
                about = _look(path)
            except ImageError as error:
                raise ImageError(str(error).replace(str(path), name)) from error
            _write(
                folder / "picture.json",
                {"name": name, "input": path.name, "added": time.time(), **about},
            )
            picture = Picture(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        with self.lock:
            self.pictures[picture.id] = picture
        return picture

    def remove(self, picture):
        """Forgets a picture and deletes its folder."""
        with self.lock:
            self.pictures.pop(picture.id, None)
        shutil.rmtree(picture.folder, ignore_errors=True)


def accepted():
    """Suffixes of the files that can be dropped; raw data of cameras have nothing to show yet."""
    known = [*listing.SUFFIXES, *listing.HEIF]
    return [suffix for suffix in known if listing.is_known(suffix)]


def clean_name(name):
    """The last part of a name, without what a system could take for more than a name."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join("_" if unicodedata.category(c)[0] == "C" or c in '<>:"|?*' else c for c in name)
    name = name.strip(" .") or "picture"
    stem, dot, suffix = name.rpartition(".")
    if not dot or not re.fullmatch(r"\w{1,8}", suffix):
        return _cut(name, LONGEST_NAME)
    return f"{_cut(stem, LONGEST_NAME - len(suffix.encode()) - 1)}.{suffix}"


def _cut(text, count):
    """The first `count` bytes of a text, whole characters."""
    return text.encode()[:count].decode(errors="ignore")


def _look(path):
    """What is known of a file before anything is done with it; raises ImageError."""
    stack = stacks.read(path, max_bytes=1)
    channels = stack.channels_among((3, 1)) or stack.channels_among(range(2, 9))
    if channels is None:
        raise ImageError(sentences.OTHER_AXES.format(name=path, axes=stack.axes))
    view = stack.view(2, channels)
    first = view.read(0, view.middle())
    return {
        "pages": view.count,
        "height": view.sides[0],
        "width": view.sides[1],
        "channels": channels,
        "dtype": str(stack.metadata.dtype or view.dtype),
        "spread": _spread(first),
        "noise": None,
    }


def _spread(image):
    """[value shown as black, value shown as white]; None for eight bits, which are as they are."""
    if image.dtype == np.uint8:
        return None
    low, high = (float(q) for q in np.quantile(image, (0.005, 0.995)))
    return [low, high if high > low else low + 1.0]


def _write(path, content):
    with atomic.replacing(path) as temporary:
        temporary.write_text(json.dumps(content))
