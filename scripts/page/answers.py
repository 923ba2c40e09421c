"""What the page's server takes and gives: JSON, sentences, files."""

import json

from werkzeug import exceptions, utils
from werkzeug.wrappers import Response

from scripts.page import sentences

MAX_JSON = 10_000  # bytes of a request that is no picture


def content(request):
    """The JSON object of a request; raises ValueError."""
    if request.content_length is None:  # sent in pieces, of which there could be many
        raise exceptions.LengthRequired(sentences.NO_LENGTH)
    if request.content_length > MAX_JSON:
        raise exceptions.RequestEntityTooLarge(sentences.TOO_LONG)
    try:
        wishes = json.loads(request.get_data())
    except (ValueError, RecursionError):
        wishes = None
    if not isinstance(wishes, dict):
        raise ValueError(sentences.UNCLEAR)
    return wishes


def in_json(content, status=200):
    """An object, which the browser keeps no copy of."""
    response = Response(json.dumps(content, allow_nan=False), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def sentence(text, status):
    """What went wrong."""
    return in_json({"error": text}, status)


def of_file(request, path, cache):
    """A file, with what the browser may keep of it; raises LookupError if there is none."""
    if not path.is_file():
        raise LookupError(sentences.NOTHING_YET)
    response = utils.send_file(path, request.environ, conditional=True)
    response.headers["Cache-Control"] = cache
    return response


def download(request, path, name):
    """A file to save under a name."""
    return utils.send_file(path, request.environ, as_attachment=True, download_name=name)
