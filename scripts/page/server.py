"""The web server of the page: a WSGI application that knows nothing of models.

It answers only those who have its token, which stands in the address that `noise2x page` prints and
then in a cookie; only under names of this machine (Host), so that no other name can be made to
point at it; and lets nothing be changed from other pages (Origin).
"""

import contextlib
import errno
import hmac
import ipaddress
import logging
import math
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import zipfile

from werkzeug import exceptions, routing, utils, wsgi
from werkzeug.wrappers import Request, Response

from common import VERSION
from common.files.errors import ImageError
from scripts.page import answers, models, sentences, store, views

log = logging.getLogger(__name__)

STATIC = pathlib.Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
URLS = routing.Map(
    [
        routing.Rule("/", endpoint="index", methods=["GET"]),
        routing.Rule("/static/<name>", endpoint="static", methods=["GET"]),
        routing.Rule("/state", endpoint="state", methods=["GET"]),
        routing.Rule("/pictures", endpoint="add", methods=["POST"]),
        routing.Rule("/pictures/<key>", endpoint="remove", methods=["DELETE"]),
        routing.Rule("/pictures/<key>/results", endpoint="restore", methods=["POST"]),
        routing.Rule("/pictures/<key>/results/<result>", endpoint="cancel", methods=["DELETE"]),
        routing.Rule("/pictures/<key>/results/<result>/file", endpoint="file", methods=["GET"]),
        routing.Rule("/pictures/<key>/results/<result>/std", endpoint="std", methods=["GET"]),
        routing.Rule("/pictures/<key>/view", endpoint="view", methods=["GET"]),
        routing.Rule("/pictures/<key>/noise", endpoint="noise", methods=["GET"]),
        routing.Rule("/pictures/<key>/training", endpoint="train", methods=["POST"]),
        routing.Rule("/pictures/<key>/training", endpoint="stop", methods=["DELETE"]),
        routing.Rule("/pictures/<key>/training/sample", endpoint="sample", methods=["GET"]),
        routing.Rule("/pictures/<key>/folder", endpoint="show_folder", methods=["POST"]),
        routing.Rule("/zip", endpoint="zip", methods=["GET"]),
    ],
    merge_slashes=False,
)


class Page:
    """The application.

    Args:
        pictures: Store.
        work: Work.
        trainings: Trainings.
        offered: models, of `models.offered`.
        max_bytes: of a picture.
        made_by: what decides about results beside their settings, such as the precision.
        is_local: whether only this machine may ask; it then may show folders on its screen.

    Attributes:
        token: who has it may do everything that the page can do.
    """

    def __init__(self, pictures, work, trainings, offered, *, max_bytes, made_by, is_local):
        self.token = secrets.token_urlsafe(16)
        self._pictures, self._work, self._trainings = pictures, work, trainings
        self._models, self._max_bytes = offered, max_bytes
        self._made_by, self._is_local = made_by, is_local

    def __call__(self, environ, start_response):
        request = Request(environ)
        try:
            response = self._answer(request)
        except exceptions.HTTPException as error:
            response = answers.sentence(error.description or sentences.DID_NOT_WORK, error.code)
        except LookupError as error:
            response = answers.sentence(str(error.args[0]), 404)
        except (ImageError, ValueError) as error:
            response = answers.sentence(str(error), 422)
        except OSError as error:
            response = answers.sentence(f"{error.strerror or error}.", 500)
        except Exception:
            log.exception("%s %s", request.method, request.path)
            response = answers.sentence(sentences.WENT_WRONG, 500)
        response.headers.extend(HEADERS)
        return response(environ, start_response)

    def _answer(self, request):
        self._check_origin(request)
        matched = URLS.bind_to_environ(request.environ)
        try:
            endpoint, values = matched.match()
        except exceptions.NotFound:
            raise exceptions.NotFound(sentences.NOTHING_HERE) from None
        # The page itself, which holds no secret, says how to get in.
        if endpoint == "index":
            return self._index(request)
        if endpoint != "static" and not self._is_known(request):
            raise exceptions.Forbidden(sentences.OPEN_WHOLE)
        return getattr(self, f"_{endpoint}")(request, **values)

    def _check_origin(self, request):
        """Refuses what comes under another name, or from another page."""
        if not self._is_ours(request.host):
            raise exceptions.Forbidden(sentences.OTHER_NAME)
        origins = [f"{scheme}://{request.host}" for scheme in ("http", "https")]
        if request.method != "GET" and request.headers.get("Origin") not in origins:
            raise exceptions.Forbidden(sentences.OTHER_ORIGIN)

    def _is_ours(self, host):
        """Whether a Host is of this machine: a name of its own, or an address, which can't lie."""
        name = urllib.parse.urlsplit(f"//{host}").hostname or ""
        try:
            return ipaddress.ip_address(name).is_loopback or not self._is_local
        except ValueError:
            own = {socket.gethostname().lower(), socket.getfqdn().lower()}
            return name == "localhost" or (not self._is_local and name in own)

    def _is_known(self, request):
        return hmac.compare_digest(
            request.cookies.get(self._cookie(request), "").encode(), self.token.encode()
        )

    @staticmethod
    def _cookie(request):
        """Name of the cookie; cookies do not distinguish ports."""
        return f"noise2x-{request.environ.get('SERVER_PORT', '')}"

    def _index(self, request):
        response = Response((STATIC / "index.html").read_bytes(), mimetype="text/html")
        response.headers["Cache-Control"] = "no-store"
        token = request.args.get("token", "")
        if hmac.compare_digest(token.encode(), self.token.encode()):
            response = utils.redirect("/", 303)
            response.set_cookie(self._cookie(request), self.token, httponly=True, samesite="Strict")
        return response

    def _static(self, request, name):
        # The names that are there are the names that are served.
        known = {path.name: path for path in STATIC.iterdir()}
        if name not in known:
            raise exceptions.NotFound(sentences.NOTHING_HERE)
        return answers.of_file(request, known[name], "no-cache")

    def _state(self, request):
        pictures = self._pictures
        with pictures.lock:
            described = [self._describe(picture) for picture in pictures.pictures.values()]
        return answers.in_json(
            {
                "models": [*self._models, *self._trained()],
                "accepted": store.accepted(),
                "max_bytes": self._max_bytes,
                "opens_folders": self._is_local,
                "pictures": described,
            }
        )

    def _describe(self, picture):
        results = [
            {
                "id": result.id,
                **result.settings,
                "is_current": result.settings["made_by"] == self._made_by_of(result.settings),
                "state": result.state,
                "error": result.error,
                "lines": result.lines,
                "seconds": result.seconds,
                "done": result.done,
                "total": result.total,
                "has_std": result.std is not None,
            }
            for result in sorted(picture.results.values(), key=lambda r: r.ended or math.inf)
        ]
        about = {key: value for key, value in picture.about.items() if key != "input"}
        return {
            "id": picture.id,
            **about,
            "results": results,
            "trainings": self._trainings.offered(picture),
            "training": self._trainings.describe(picture),
        }

    def _trained(self):
        """The models that were trained here, described as by `models.offered`."""
        trained = []
        for picture in list(self._pictures.pictures.values()):
            run_dir = self._trainings.model(picture)
            with contextlib.suppress(ValueError, OSError):  # the picture was removed meanwhile
                if run_dir is not None:
                    own = {"label": None, "trained_on": picture.name}
                    trained.append(models.describe(run_dir) | own)
        return trained

    def _add(self, request):
        length = request.content_length
        if length is None:
            raise exceptions.LengthRequired(sentences.NO_SIZE)
        if length > self._max_bytes:
            raise exceptions.RequestEntityTooLarge(
                sentences.TOO_LARGE.format(size=length / 1e6, limit=self._max_bytes / 1e6)
            )
        if length > shutil.disk_usage(self._pictures.folder).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        name = urllib.parse.unquote(request.headers.get("X-Name", ""))
        picture = self._pictures.add(name, request.stream)
        self._work.look(picture)
        return answers.in_json({"id": picture.id}, 201)

    def _remove(self, request, key):
        picture = self._pictures.picture(key)
        self._work.forget(picture)
        self._trainings.forget(picture)
        self._pictures.remove(picture)
        return answers.in_json({})

    def _restore(self, request, key):
        picture = self._pictures.picture(key)
        result = self._work.restore(picture, self._wanted(picture, answers.content(request)))
        return answers.in_json({"id": result.id}, 202)

    def _wanted(self, picture, wishes):
        """The Result that a request asks for; raises ValueError."""
        model = self._model(wishes.get("model"))
        if model is None:
            raise ValueError(sentences.NO_MODEL)
        if model["channels"] != picture.about["channels"]:
            raise ValueError(
                sentences.OTHER_CHANNELS.format(
                    model=model["label"] or sentences.THIS_MODEL,
                    wanted=model["channels"],
                    name=picture.name,
                    channels=picture.about["channels"],
                )
            )
        strength = wishes.get("strength", 1.0)
        if not _is_number(strength) or not 0 <= strength <= 1.5:
            raise ValueError(sentences.STRENGTH)
        level = wishes.get("noise_level")
        if level is not None and not (_is_number(level) and 0 < level < 1e6):
            raise ValueError(sentences.LEVEL)
        takes = level is not None and model["takes_level"]
        calibrate = bool(wishes.get("calibrate")) and model["calibrates"]
        return store.Result(
            {
                "model": model["name"],
                "strength": round(float(strength), 2),
                "noise_level": float(level) if takes and not calibrate else None,
                "calibrate": calibrate,
                "std": model["predicts_std"],
                "made_by": self._made_by_of({"model": model["name"]}),
            }
        )

    def _model(self, name):
        """What is known of a model by its name; None if it is not offered."""
        return next((m for m in [*self._models, *self._trained()] if m["name"] == name), None)

    def _made_by_of(self, settings):
        """What decides about a result beside its settings, as text."""
        model = next((m for m in self._models if m["name"] == settings["model"]), None)
        return f"noise2x {VERSION}, {self._made_by}, {model['digest'] if model else ''}"

    def _cancel(self, request, key, result):
        self._work.cancel(*self._pictures.result(key, result))
        return answers.in_json({})

    def _finished(self, key, result):
        picture, finished = self._pictures.result(key, result)
        if finished.state != "done":
            raise LookupError(sentences.NOT_FINISHED)
        return picture, finished

    def _file(self, request, key, result):
        picture, finished = self._finished(key, result)
        return answers.download(request, picture.result_file(finished), picture.result_name)

    def _std(self, request, key, result):
        picture, finished = self._finished(key, result)
        if finished.std is None:
            raise LookupError(sentences.NO_STD)
        name = f"{pathlib.Path(picture.name).stem}-std.tif"
        return answers.download(request, picture.result_folder(finished) / finished.std, name)

    def _view(self, request, key):
        picture, finished = self._pictures.picture(key), None
        what = request.args.get("what", "before")
        if what not in ("before", "after", "removed", "std"):
            raise LookupError(sentences.NO_VIEW)
        if what != "before":
            picture, finished = self._finished(key, request.args.get("result", ""))
        page = request.args.get("page", "0")
        if not page.isdecimal() or len(page) > 9:
            raise LookupError(sentences.NO_PAGE.format(page=page))
        path = views.png(picture, what, finished, int(page))
        return answers.of_file(request, path, "private, max-age=86400, immutable")

    def _noise(self, request, key):
        return answers.of_file(
            request, self._pictures.picture(key).folder / "noise.png", "no-cache"
        )

    def _train(self, request, key):
        wishes = answers.content(request)
        self._trainings.start(
            self._pictures.picture(key), wishes.get("method"), wishes.get("steps")
        )
        return answers.in_json({}, 202)

    def _stop(self, request, key):
        self._trainings.stop(self._pictures.picture(key))
        return answers.in_json({})

    def _sample(self, request, key):
        return answers.of_file(
            request, self._trainings.sample(self._pictures.picture(key)), "no-cache"
        )

    def _show_folder(self, request, key):
        if not self._is_local:
            raise exceptions.Forbidden(sentences.NOT_THIS_SCREEN)
        opener = {"win32": "explorer", "darwin": "open"}.get(sys.platform, "xdg-open")
        picture = self._pictures.picture(key)
        try:
            shown = subprocess.Popen([opener, str(picture.folder)], stderr=subprocess.DEVNULL)
        except OSError:
            raise ValueError(sentences.NO_OPENER.format(folder=picture.folder)) from None
        threading.Thread(target=shown.wait, daemon=True).start()  # or it stays, ended, in memory
        return answers.in_json({})

    def _zip(self, request):
        """The restored files: of each picture the result that the page names, or its newest."""
        chosen = dict(pair.split(":", 1) for pair in request.args.getlist("result") if ":" in pair)
        packed = tempfile.TemporaryFile(dir=self._pictures.folder)  # noqa: SIM115  # the response closes it
        names = set()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for picture in list(self._pictures.pictures.values()):
                done = [r for r in picture.results.values() if r.state == "done"]
                if not done:
                    continue
                newest = max(done, key=lambda r: r.ended)
                result = picture.results.get(chosen.get(picture.id), newest)
                result = result if result.state == "done" else newest
                archive.write(picture.result_file(result), _distinct(picture.result_name, names))
        size = packed.tell()
        packed.seek(0)
        response = Response(wsgi.wrap_file(request.environ, packed), mimetype="application/zip")
        response.content_length = size
        response.headers["Content-Disposition"] = 'attachment; filename="denoised.zip"'
        return response


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _distinct(name, names):
    """A name that is not among `names`, and is then."""
    stem, suffix, number = pathlib.Path(name).stem, pathlib.Path(name).suffix, 1
    while name.lower() in names:
        number += 1
        name = f"{stem}-{number}{suffix}"
    names.add(name.lower())
    return name
