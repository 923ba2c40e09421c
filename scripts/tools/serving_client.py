"""Restores files on a model server: TensorFlow Serving and what speaks its REST interface.

python -m scripts.serving_client --input=photo.jpg --output=restored --model=ssdn_tf
python -m scripts.serving_client --input='scans/*.tif' --output=restored --url=http://host:8501

PNG and JPEG files travel as they are, to the signature denoise_png, and come back as PNG of 8 bits.
Other files, TIFF stacks for instance, travel page by page as numbers, to serving_default, and keep
name, type and axes.
"""

import base64
import http.client
import io
import json
import pathlib
import urllib.error
import urllib.request

import numpy as np
import PIL.ExifTags
import PIL.Image
from absl import flags as absl_flags

from common.commands import flags, running
from common.files import atomic, image_files, pixels, stacks
from common.files.errors import ImageError
from common.restoring import jobs

FLAGS = flags.FLAGS
PICTURES = (".png", ".jpg", ".jpeg")


class Client:
    """A model on a server.

    Its methods raise OSError if the server is not there, ImageError if it refuses an image.
    """

    def __init__(self, url, model, *, version=None, timeout=300.0):
        chosen = f"/versions/{version}" if version else ""
        self._url = f"{url.rstrip('/')}/v1/models/{model}{chosen}:predict"
        self._timeout = timeout

    def restore_file(self, content, **inputs):
        """A PNG or JPEG file's bytes -> {output: value}, of `denoised_bytes` bytes of a PNG."""
        given = {"image_bytes": [{"b64": base64.b64encode(content).decode()}]}
        given |= {name: [value] for name, value in inputs.items()}
        found = self._predict("denoise_png", given)
        outputs = found if isinstance(found, dict) else {"denoised_bytes": found}
        return {name: _decoded(value[0]) for name, value in outputs.items()}

    def restore(self, noisy, **inputs):
        """(H, W, C) or (D, H, W, C) float32 -> {output: array}, without the axis of the batch."""
        given = {"noisy": noisy[None].tolist()}
        given |= {name: [value] for name, value in inputs.items()}
        found = self._predict("serving_default", given)
        outputs = found if isinstance(found, dict) else {"denoised": found}
        return {name: np.array(value[0], np.float32) for name, value in outputs.items()}

    def _predict(self, signature, inputs):
        """What the server answers as "outputs": a dict, or the one output itself."""
        body = json.dumps({"signature_name": signature, "inputs": inputs}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                return json.load(answer)["outputs"]
        except urllib.error.HTTPError as error:
            said = error.read(500).decode(errors="replace")
            raise ImageError(f"refused by the server, {error.code}: {said}.") from error
        except urllib.error.URLError as error:
            raise OSError(f"{self._url}: no answer ({error.reason}).") from error
        except (ValueError, KeyError, TypeError, http.client.HTTPException) as error:
            raise OSError(f"{self._url}: not the answer of a model server.") from error


def _decoded(value):
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _upright(path):
    """The bytes of a picture; of one that its EXIF data turn, those of a PNG that needs no turning.

    Raises ImageError for a damaged file, which says what is wrong better than a server.
    """
    picture = image_files.read_one(path)
    with PIL.Image.open(path) as stored:
        if stored.getexif().get(PIL.ExifTags.Base.Orientation, 1) == 1:
            return path.read_bytes()
    file = io.BytesIO()
    picture = picture[..., 0] if picture.shape[-1] == 1 else picture
    PIL.Image.fromarray(picture).save(file, "png")
    return file.getvalue()


def restore_file(client, path, target, *, spatial, channels, white_level, **inputs):
    """Restores a file; returns what to say about it."""
    if path.suffix.lower() in PICTURES:
        found = client.restore_file(_upright(path), **inputs)
        with atomic.replacing(target) as temporary:
            temporary.write_bytes(found["denoised_bytes"])
        return f"{path} -> {target}"
    if image_files.is_zarr(path):
        raise ImageError(f"{path}: too large to be sent; use `denoise`.")
    stack = stacks.read(path)
    colours = "S" in stack.axes and stack.array.shape[stack.axes.index("S")] >= 3
    items = stack.items(spatial, channels or (3 if colours else 1))
    white = pixels.white_level(items.dtype, white_level)
    restored = [client.restore(pixels.to_unit(i, white), **inputs)["denoised"] for i in items]
    written = pixels.from_unit(np.stack(restored), items.dtype, white)
    scale = written.shape[-2] // items.shape[-2]  # of models that enlarge
    stacks.write(target, stack.enlarged(scale), stack.like(written, scale))
    return f"{path} -> {target}"


def define_flags():
    flags.define_files()
    absl_flags.DEFINE_string("url", "http://localhost:8501", "Of the server's REST interface.")
    absl_flags.DEFINE_string("model", None, "Name of the model on the server. Required.")
    absl_flags.DEFINE_integer("version", None, "Of the model [the newest].", 1)
    absl_flags.DEFINE_float(
        "noise_level", None, "For models that ask for it: sigma on [0, 1], lambda, or probability."
    )
    absl_flags.DEFINE_integer("spatial", 2, "3 for models of volumes.", 2, 3)
    absl_flags.DEFINE_integer("channels", None, "Of the model, for other files than pictures.", 1)
    absl_flags.DEFINE_float(
        "white_level", 0.0, "Stored value that stands for 1; 0: the file type's largest."
    )


def run():
    flags.require("input", "output", "model")
    client = Client(FLAGS.url, FLAGS.model, version=FLAGS.version)
    level = {} if FLAGS.noise_level is None else {"noise_level": FLAGS.noise_level}
    paths = [path for pattern in FLAGS.input for path in image_files.list_files(pattern)]
    output = pathlib.Path(FLAGS.output)

    def restore(path, target):
        try:
            return restore_file(
                client,
                path,
                target,
                spatial=FLAGS.spatial,
                channels=FLAGS.channels,
                white_level=FLAGS.white_level,
                **level,
            )
        except (KeyError, IndexError, TypeError) as error:
            raise ImageError(f"{path}: not the answer of such a model.") from error

    def target(path):
        is_picture = path.suffix.lower() in PICTURES
        return output / (path.with_suffix(".png") if is_picture else path).name

    jobs.do_each([(path, target(path)) for path in paths], restore)


def main():
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
