"""From a library to a page in the browser: the port, the token, the server."""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING

from .._errors import DataError, MissingDependency

if TYPE_CHECKING:
    from .library import Library

PORT = 8321


def serve(
    library: Library,
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    open_page: bool = True,
    roots: Iterable[PurePath] = (),
    tell: Callable[[str], object] = print,
) -> None:
    """Serve the studio until Ctrl-C. Beyond the loopback it asks for a token, which the address it tells holds.

    Raises:
        DataError: the port is taken, or the host is no address of this machine.
        MissingDependency: the packages of ``oplas[studio]`` are not installed.
    """
    needed()
    import uvicorn

    from .app import guarded
    from .studio import Studio

    listening = bound(host, port)
    token = None if _loopback(host) else secrets.token_urlsafe(32)
    with listening:
        port = listening.getsockname()[1]
        app = guarded(Studio(library), token=token, hosts=[host, socket.gethostname()] if token else (), roots=roots)
        shown = f"[{host}]" if ":" in host else host if host != "0.0.0.0" else socket.gethostname()
        address = f"http://{shown}:{port}/"
        tell(f"oplas studio: {len(library)} points of {library.name} at {address}{f'?token={token}' if token else ''}")
        tell("anyone who has this address may look and listen; Ctrl-C ends it" if token else "Ctrl-C ends it")
        if open_page:
            threading.Timer(0.5, webbrowser.open, [f"{address}{f'?token={token}' if token else ''}"]).start()
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, proxy_headers=False, lifespan="off", ws="none",
            limit_concurrency=512, timeout_keep_alive=10, timeout_graceful_shutdown=2, h11_max_incomplete_event_size=32 << 10,
        )  # fmt: skip
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn ends in order, then raises it again
            uvicorn.Server(config).run(sockets=[listening])


def needed() -> None:
    """Raise what would be missing, before there is anything to show.

    Raises:
        MissingDependency: a package of ``oplas[studio]`` is not installed.
    """
    for name in ("fastapi", "uvicorn", "python_multipart"):
        if importlib.util.find_spec(name) is None:
            raise MissingDependency(f"the studio needs {name}, which is not installed: pip install 'oplas[studio]'")


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        DataError: it cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1) if sys.platform != "win32" else None
        listening.bind((host, port))
        listening.listen(512)
    except OSError as error:
        listening.close()
        if isinstance(error, socket.gaierror):
            raise DataError(f"{host!r} is no address of this machine ({error.strerror}); use 127.0.0.1") from error
        what = f"{host}:{port} cannot be listened on ({error.strerror})"
        raise DataError(f"{what}: another studio may be running; give another --port, or --port 0 for any free one") from error
    return listening


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
