"""`publican serve`: an emulator as a process of its own, until it is told to stop.

SIGINT and SIGTERM end it within a second: streams get UNAVAILABLE, connections a GOAWAY, the exit code is 0. What it prints, people paste
(`export PUBSUB_EMULATOR_HOST=...`) and container tools wait for (`Server started, listening on 8085`).

PYTEST_DONT_REWRITE
"""

import asyncio
import contextlib
import errno
import logging
import signal
import sys
import threading
from collections.abc import Callable, Collection
from typing import Final

from publican_emulator import endpoint
from publican_emulator.emulator import PULL_WAIT_S, Emulator

FILES_MAX: Final = 65_536
_LOG_FORMAT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def run(
    host: str,
    port: int,
    *,
    pull_wait_s: float | None = None,
    stream_max_age_s: float | None = None,
    enforce_quotas: bool = False,
    cors_origins: Collection[str] = (),
    history: bool = False,
    admin: bool | None = None,
    push_verify_tls: bool = True,
    buckets: str | None = None,
    export_dir: str | None = None,
    log_level: str = "warning",
    until_stdin_closes: bool = False,
) -> int:
    """Serve until a signal comes; give the exit code."""
    _allow_many_connections()
    logging.basicConfig(level=log_level.upper(), format=_LOG_FORMAT)
    emulator = Emulator(
        host=host,
        port=port,
        pull_wait_s=PULL_WAIT_S if pull_wait_s is None else pull_wait_s,
        stream_max_age_s=stream_max_age_s,
        enforce_quotas=enforce_quotas,
        cors_origins=cors_origins,
        history=history,
        admin=admin,
        push_verify_tls=push_verify_tls,
        buckets=buckets,
        export_dir=export_dir,
    )
    with asyncio.Runner(loop_factory=_loop_factory()) as runner, contextlib.suppress(KeyboardInterrupt):
        try:
            runner.run(_serve(emulator, until_stdin_closes=until_stdin_closes))
        except OSError as error:
            sys.stderr.write(f"publican: {_trouble(error, host, port)}\n")
            return 1
    return 0


async def _serve(emulator: Emulator, *, until_stdin_closes: bool) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: there Ctrl-C arrives as a KeyboardInterrupt
            loop.add_signal_handler(each, stopping.set)
    if until_stdin_closes:
        # A thread, because no loop watches every kind of input; a daemon, because nothing else ends its reading.
        threading.Thread(target=_read_to_the_end, args=(loop, stopping), daemon=True).start()
    async with emulator:
        sys.stdout.write(_greeting(emulator))
        sys.stdout.flush()
        await stopping.wait()


def _allow_many_connections() -> None:
    """Raise the soft limit of open files, often 1,024, to what the system lets us have: each connection is one."""
    try:
        import resource  # not on Windows, which has no such limit
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(FILES_MAX, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _read_to_the_end(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    sys.stdin.buffer.read()
    with contextlib.suppress(RuntimeError):  # the loop has ended by itself
        loop.call_soon_threadsafe(stopping.set)


def _greeting(emulator: Emulator) -> str:
    return (
        f"Publican serves Pub/Sub (gRPC and REST) on {' and '.join(emulator.addresses)}\n"
        f"Server started, listening on {emulator.port}\n"
        f"export PUBSUB_EMULATOR_HOST={emulator.address}\n"
    )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give uvloop's loop where that is installed (`publican[speed]`); None: asyncio's own."""
    try:
        import uvloop  # an extra
    except ImportError:
        return None
    return uvloop.new_event_loop


def _trouble(error: OSError, host: str, port: int) -> str:
    where = endpoint.shown(host, port)
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop what listens there (another emulator?), or choose another --port (0: any free one)"
    if error.errno == errno.EACCES:
        return f"no permission to listen on {where}: choose a port above 1023 with --port"
    return f"cannot listen on {where}: {error.strerror or error}"
