"""Opens a page in the browser that restores pictures: drop them, see before and after, save.

noise2x page
noise2x page --models=photo,photo-grey,runs/mine --folder=restored

Everything happens on this machine. Pictures and results are kept in --folder, where they are again
when the page is opened the next time. The results are those of `noise2x denoise`, byte for byte.

The page is for whoever has the address that is printed here: it holds a token, and the server
listens to this machine alone. --host with another address of this machine opens it to the network,
unencrypted, to all who learn the token; it therefore needs --allow_network too.
"""

import ipaddress
import logging
import pathlib
import socket
import webbrowser

from absl import flags as absl_flags

from common import processor, progress
from common.commands import flags, running

FLAGS = flags.FLAGS
FOLDER = "noise2x-page"
PORT = 8642
TRIED = 20  # ports, one after the other, unless one is named


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
        "Let other machines in, where --host is not of this machine alone. What is sent is not "
        "encrypted, and who has the token may drop, see and delete pictures here.",
    )
    absl_flags.DEFINE_bool("browser", True, "Open the page in the browser.")
    absl_flags.DEFINE_integer("max_mb", 2000, "Largest picture that is taken, in megabytes.", 1)
    absl_flags.DEFINE_float("memory_gb", 3.0, "Memory for a model, in gigabytes [3].", 0.01, 1e6)
    flags.define_precision("auto")


def is_loopback(host):
    """Whether an address, or name, is of this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def start():
    """(server, application) as the flags say; the server listens already.

    Raises:
        ValueError: the network without leave, models that are not there.
        OSError: the port is taken, or the folder can't be made.
    """
    from werkzeug import serving

    from scripts.page import models, server, store, training, work

    local = is_loopback(FLAGS.host)
    if not local and not FLAGS.allow_network:
        raise ValueError(
            f"host={FLAGS.host}: others could reach the page there, unencrypted; if you want that, "
            "add --allow_network."
        )
    offered = models.offered(FLAGS.models)
    pictures = store.Store(FLAGS.folder)
    doing = work.Work(pictures, memory_gb=FLAGS.memory_gb, precision=FLAGS.precision)
    trainings = training.Trainings(pictures, doing.touch, precision=processor.fast_precision())
    # Werkzeug would print a line for every request, and warn that it is no server for the world.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    ports = [FLAGS.port] if FLAGS.port is not None else range(PORT, PORT + TRIED)
    with _socket(FLAGS.host, ports) as bound:
        port = bound.getsockname()[1]
        listening = serving.make_server(
            FLAGS.host,
            port,
            lambda environ, start_response: page(environ, start_response),
            threaded=True,
            fd=bound.fileno(),  # Werkzeug makes a socket of its own of it
        )
    hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    page = server.Page(
        pictures,
        doing,
        trainings,
        offered,
        hosts=hosts if local else (),
        max_bytes=FLAGS.max_mb * 10**6,
        opens_folders=local,
    )
    return listening, page, doing, trainings


def _socket(host, ports):
    """A socket at the first port that is free; raises ValueError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in ports:
        try:
            return socket.create_server((host.strip("[]"), port), family=family)
        except OSError as error:
            reason = error
    raise ValueError(f"host={host}, port={ports[0]}: {(reason.strerror or str(reason)).lower()}.")


def run():
    """Serves the page until Ctrl-C."""
    listening, page, doing, trainings = start()
    shown = FLAGS.host if FLAGS.host not in ("0.0.0.0", "::") else "127.0.0.1"
    shown = f"[{shown}]" if ":" in shown else shown
    address = f"http://{shown}:{listening.port}/?token={page.token}"
    progress.say(f"Page: {address}\nPictures: {pathlib.Path(FLAGS.folder)}/   Ctrl-C ends it.")
    if FLAGS.browser:
        webbrowser.open(address)
    try:
        listening.serve_forever()
    finally:
        trainings.close()
        doing.close()
        listening.server_close()


def main():
    """Runs `noise2x page`."""
    running.run(run, define_flags, __doc__, needs_keras=False)


if __name__ == "__main__":
    main()
