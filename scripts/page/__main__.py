"""Opens a page in the browser that restores pictures: drop them, see before and after, save.

noise2x page
noise2x page --models=photo,photo-grey,runs/mine --folder=restored

Everything happens on this machine. Pictures and results are kept in --folder, where they are again
when the page is opened the next time. The results are those of `noise2x denoise`, byte for byte.

The page is for whoever has the address that is printed here: it holds a token, and the server
listens to this machine alone. --host with another address of this machine opens it to the network,
unencrypted, to all who learn the token; it therefore needs --allow_network too.
"""

import contextlib
import ipaddress
import logging
import pathlib
import socket
import webbrowser

from absl import flags as absl_flags

from common import processor, progress
from common.commands import flags, running
from noise2x import methods

FLAGS = flags.FLAGS
FOLDER = "noise2x-page"
PORT = 8642
PORTS = 20  # that are tried, one after the other, unless one is named


def define_flags():
    """Defines the flags of this program."""
    absl_flags.DEFINE_list(
        "models", None, "Shipped models and run folders to offer [all shipped models]."
    )
    absl_flags.DEFINE_string("folder", FOLDER, "Folder that keeps pictures and results.")
    absl_flags.DEFINE_integer(
        "port", None, f"Port to listen at; 0: any that is free [{PORT}, or one after it].", 0, 65535
    )
    absl_flags.DEFINE_string("host", "127.0.0.1", "Address of this machine to listen at.")
    absl_flags.DEFINE_bool(
        "allow_network",
        False,
        "Allow a --host that other machines can reach. What is sent is not encrypted, and whoever "
        "has the token can drop, see and delete pictures here.",
    )
    absl_flags.DEFINE_bool("browser", True, "Open the page in the browser.")
    absl_flags.DEFINE_integer("max_mb", 2000, "Largest picture that is taken, in megabytes.", 1)
    absl_flags.DEFINE_float(
        "memory_gb",
        3.0,
        "Memory for a model, in gigabytes; views of a picture of 100 megapixels take 1.3 more [3].",
        0.01,
        1e6,
    )
    flags.define_precision("auto")


def is_loopback(host):
    """Whether an address, or name, is of this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


@contextlib.contextmanager
def opened():
    """Yield the server, which listens already, and its token, as the flags say; close all at last.

    Raises:
        ValueError: the network without leave, models that are not there, no free port.
        RunError: another page uses the folder.
        OSError: the folder can't be made.
    """
    from werkzeug import serving

    from common.training import locks
    from scripts.page import models, server, store, training, work

    local = is_loopback(FLAGS.host)
    if not local and not FLAGS.allow_network:
        raise ValueError(
            f"host={FLAGS.host}: others could reach the page there, unencrypted; if you want that, "
            "add --allow_network."
        )
    offered = models.offered(FLAGS.models)
    # Werkzeug would print a line for every request, and warn that it is no server for the world.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with contextlib.ExitStack() as closing:
        pictures = store.Store(FLAGS.folder)
        closing.enter_context(locks.held(pictures.folder, "showing it as a page"))
        bound = closing.enter_context(_socket())
        doing = work.Work(pictures, memory_gb=FLAGS.memory_gb, precision=FLAGS.precision)
        closing.callback(doing.close)
        trainings = training.Trainings(
            pictures, begin_with=methods.find("ssdn").ready, precision=processor.fast_precision()
        )
        closing.callback(trainings.close)
        page = server.Page(
            pictures,
            doing,
            trainings,
            offered,
            max_bytes=FLAGS.max_mb * 10**6,
            made_by=f"precision {FLAGS.precision}, {FLAGS.memory_gb:g} GB",
            is_local=local,
        )
        host, port = FLAGS.host.strip("[]"), bound.getsockname()[1]
        # Werkzeug makes a socket of its own of this one.
        listening = serving.make_server(host, port, page, threaded=True, fd=bound.fileno())
        closing.callback(listening.server_close)
        yield listening, page.token


def _socket():
    """A socket at the port of the flags, or the first that is free; raises ValueError."""
    host, ports = FLAGS.host.strip("[]"), [FLAGS.port]
    if FLAGS.port is None:
        ports = range(PORT, PORT + PORTS)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in ports:
        try:
            return socket.create_server((host, port), family=family)
        except OSError as error:
            reason = error
    raise ValueError(f"host={host}, port={ports[0]}: {(reason.strerror or str(reason)).lower()}.")


def open_browser(address, folder):
    """Opens the address in the browser, by a file: other users can read command lines."""
    path = pathlib.Path(folder) / "open.html"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(f'<!doctype html><meta http-equiv="refresh" content="0;url={address}">')
    webbrowser.open(path.resolve().as_uri())


def run():
    """Serves the page until Ctrl-C."""
    with opened() as (listening, token):
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(FLAGS.host, FLAGS.host).strip("[]")
        host = f"[{host}]" if ":" in host else host
        address = f"http://{host}:{listening.port}/?token={token}"
        progress.say(f"Page: {address}\nPictures: {pathlib.Path(FLAGS.folder)}/   Ctrl-C ends it.")
        if FLAGS.browser:
            open_browser(address, FLAGS.folder)
        listening.serve_forever()  # Ctrl-C and SIGTERM end it in good order


def main():
    """Runs `noise2x page`."""
    running.run(run, define_flags, __doc__, needs_keras=False)


if __name__ == "__main__":
    main()
