"""Restores files on a model server, TensorFlow Serving or one with the same REST interface.

noise2x client --input=photo.jpg --model=ssdn_tf
noise2x client --input='scans/*.tif' --model=ssdn_tf --url=http://host:8501 --output=restored

PNG and JPEG files are sent as they are, to the signature denoise_png; the results are PNG files of
8 bits. Other files, for instance TIFF stacks, are sent page by page as numbers, to the signature
serving_default; the results keep the names, types and axes of the files.
"""

import base64
import http.client
import io
import json
import urllib.error
import urllib.request

import numpy as np
import PIL.ExifTags
import PIL.Image
from absl import flags as absl_flags

from common.commands import flags, running
from common.files import atomic, image_files, listing, pixels, stacks
from common.files.errors import ImageError
from common.restoring import jobs

FLAGS = flags.FLAGS
PICTURES = (".png", ".jpg", ".jpeg")


class Client:
    """A model on a server.

    Args:
        url: address of the server, for instance http://localhost:8501.
        model: name of the model on the server.
        version: of the model; None for the newest.
        timeout: of an answer, seconds.

    The methods raise OSError if the server can't be reached or is not a model server, and
    ImageError if it refuses an image.
    """

    def __init__(self, url, model, *, version=None, timeout=300.0):
        chosen = f"/versions/{version}" if version else ""
        self._url = f"{url.rstrip('/')}/v1/models/{model}{chosen}:predict"
        self._timeout = timeout

    def restore_file(self, content, **inputs):
        """Restores a picture.

        Args:
            content: bytes of a PNG or JPEG file.
            **inputs: other inputs of the model, for instance noise_level.

        Returns:
            dict of the model's outputs; `denoised_bytes` holds the bytes of a PNG file.
        """
        batch = {"image_bytes": [{"b64": base64.b64encode(content).decode()}]}
        batch |= {name: [value] for name, value in inputs.items()}
        answer = self._predict("denoise_png", batch)
        outputs = answer if isinstance(answer, dict) else {"denoised_bytes": answer}
        return {name: _decoded(value[0]) for name, value in outputs.items()}

    def restore(self, noisy, **inputs):
        """Restores an image or a volume.

        Args:
            noisy: (H, W, C) or (D, H, W, C) float32.
            **inputs: other inputs of the model, for instance noise_level.

        Returns:
            dict of the model's outputs, float32 arrays without the axis of the batch.
        """
        batch = {"noisy": noisy[None].tolist()}
        batch |= {name: [value] for name, value in inputs.items()}
        answer = self._predict("serving_default", batch)
        outputs = answer if isinstance(answer, dict) else {"denoised": answer}
        return {name: np.array(value[0], np.float32) for name, value in outputs.items()}

    def _predict(self, signature, inputs):
        """The "outputs" of the server's answer: a dict, or the value of the only output."""
        body = json.dumps({"signature_name": signature, "inputs": inputs}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                return json.load(answer)["outputs"]
        except urllib.error.HTTPError as error:
            message = error.read(500).decode(errors="replace")
            raise ImageError(f"refused by the server, {error.code}: {message}.") from error
        except urllib.error.URLError as error:
            raise OSError(f"{self._url}: no answer ({error.reason}).") from error
        except (ValueError, KeyError, TypeError, http.client.HTTPException) as error:
            raise OSError(f"{self._url}: the answer is not that of a model server.") from error


def _decoded(value):
    """The bytes of an output that is coded in base64; other values as they are."""
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value


def _upright(path):
    """The bytes of a picture file. A picture that its EXIF data turn becomes a PNG, turned.

    Raises:
        ImageError: the file is damaged; the message is better than that of a server.
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
    """Restores a file on the server.

    Args:
        client: `Client`.
        path, target: files to read and to write.
        spatial: 2, or 3 for models of volumes.
        channels: of the model; None for those of the file.
        white_level: stored value that stands for 1; 0 for the largest of the file's type.
        **inputs: other inputs of the model, for instance noise_level.

    Returns:
        a line about the file, for the user.

    Raises:
        ImageError: the file can't be restored.
    """
    if path.suffix.lower() in PICTURES:
        outputs = client.restore_file(_upright(path), **inputs)
        with atomic.replacing(target) as temporary:
            temporary.write_bytes(outputs["denoised_bytes"])
        return f"{path} -> {target}"
    if image_files.is_zarr(path):
        raise ImageError(f"{path}: too large to be sent; use `denoise`.")
    stack = stacks.read(path)
    colours = "S" in stack.axes and stack.array.shape[stack.axes.index("S")] >= 3
    items = stack.items(spatial, channels or (3 if colours else 1))
    white = pixels.white_level(items.dtype, white_level)
    restored = [client.restore(pixels.to_unit(i, white), **inputs)["denoised"] for i in items]
    written = pixels.from_unit(np.stack(restored), items.dtype, white)
    scale = written.shape[-2] // items.shape[-2]  # 1 unless the model enlarges
    stacks.write(target, stack.enlarged(scale), stack.like(written, scale))
    return f"{path} -> {target}"


def define_flags():
    """Defines the flags of this program."""
    flags.define_files()
    absl_flags.DEFINE_string(
        "url",
        "http://localhost:8501",
        "Address of the server's REST interface [http://localhost:8501].",
    )
    absl_flags.DEFINE_string("model", None, "Name of the model on the server. Required.")
    absl_flags.DEFINE_integer("version", None, "Version of the model [the newest].", 1)
    absl_flags.DEFINE_float(
        "noise_level",
        None,
        "Noise in the files, for models that need it: sigma on [0, 1], lambda, or probability.",
    )
    absl_flags.DEFINE_integer(
        "spatial", 2, "Number of sides of the model's images: 2, or 3 for volumes [2].", 2, 3
    )
    absl_flags.DEFINE_integer(
        "channels",
        None,
        "Channels of the model, for files other than PNG and JPEG [3 for colour files, else 1].",
        1,
    )
    absl_flags.DEFINE_float(
        "white_level", 0.0, "Stored value that stands for 1; 0: the largest of the file's type [0]."
    )


def run():
    """Restores the files of --input on the server."""
    flags.require("input", "model")
    client = Client(FLAGS.url, FLAGS.model, version=FLAGS.version)
    level = {} if FLAGS.noise_level is None else {"noise_level": FLAGS.noise_level}
    files = [file for pattern in FLAGS.input for file in listing.images_of(pattern)]
    files = listing.without_results(files)

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
            raise ImageError(f"{path}: the server's answer is not that of a denoiser.") from error

    def target(file):
        is_picture = file.path.suffix.lower() in PICTURES
        return file.result(FLAGS.output, ".png" if is_picture else None)

    jobs.do_each([(file.path, target(file)) for file in listing.marked(files)], restore)


def main():
    """Runs `noise2x client`."""
    running.run(run, define_flags, __doc__)


if __name__ == "__main__":
    main()
