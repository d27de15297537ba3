"""The command line: `publican serve`, `publican healthcheck`, `publican demo`.

Each command imports what it needs when it is run, so that none waits for another's.

PYTEST_DONT_REWRITE
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from publican_emulator import endpoint

_LOG_LEVELS: Final = ("debug", "info", "warning", "error")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    asked = parser()
    options = asked.parse_args(arguments)
    if options.version:
        from publican_emulator import __version__

        return _say(f"publican {__version__}")
    command = {"serve": _serve, "healthcheck": _healthcheck, "demo": _demo}.get(options.command)
    if command is None:
        asked.print_help()
        return 2
    try:
        return command(options)
    except ValueError as error:
        asked.error(str(error))


def parser() -> argparse.ArgumentParser:
    """Give what reads the command line."""
    asked = argparse.ArgumentParser(prog="publican", description="A local Google Cloud Pub/Sub.")
    asked.add_argument("--version", action="store_true", help="print the version")
    commands = asked.add_subparsers(dest="command", metavar="COMMAND")
    serve = commands.add_parser("serve", help="start the emulator", description="Serve gRPC and REST on one port, until Ctrl-C.")
    serve.add_argument("--host", help="address to listen on (localhost: 127.0.0.1 and ::1)")
    serve.add_argument("--port", type=int, help=f"port to listen on; 0 takes a free one ({endpoint.PORT_DEFAULT})")
    serve.add_argument("--host-port", metavar="HOST:PORT", help="both at once, as gcloud's emulator takes them")
    serve.add_argument("--pull-wait", metavar="SECONDS", type=_seconds, help="when a Pull that finds nothing answers that (90)")
    serve.add_argument(
        "--stream-max-age",
        metavar="SECONDS",
        type=_seconds,
        help="when a StreamingPull is closed with UNAVAILABLE (never)",
    )
    serve.add_argument("--enforce-quotas", action="store_true", help="bound the number of resources as the service does")
    serve.add_argument("--cors-origin", metavar="ORIGIN", action="append", default=[], help="a web origin whose pages may use it; may be repeated")
    serve.add_argument("--history", action="store_true", help="keep what happens, for the admin API to tell")
    serve.add_argument("--admin", action="store_true", help="let other machines use the admin API, where it listens to them")
    serve.add_argument("--export-dir", metavar="FOLDER", help="where export subscriptions write files and rows to")
    serve.add_argument("--push-insecure", action="store_true", help="push to https endpoints whose certificates nobody here knows")
    serve.add_argument("--until-stdin-closes", action="store_true", help="stop when the standard input ends: with the process that started it")
    serve.add_argument("--buckets", metavar="DIR", help="the folder that stands for Cloud Storage: topics ingest from the folders in it")
    serve.add_argument(
        "--log-level", choices=_LOG_LEVELS, default="warning", help="what is logged, on stderr (warning; info tells of names not found)"
    )
    healthcheck = commands.add_parser(
        "healthcheck", help="ask whether an emulator serves", description="Exit with 0 when an emulator serves, else with 1."
    )
    healthcheck.add_argument("--host-port", metavar="HOST:PORT", help=f"where it listens (localhost:{endpoint.PORT_DEFAULT})")
    commands.add_parser("demo", help="show what it does, in ten seconds of reading")
    return asked


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


def _serve(options: argparse.Namespace) -> int:
    from publican_emulator import serve

    host, port = _host_and_port(options)
    return serve.run(
        host,
        port,
        pull_wait_s=options.pull_wait,
        stream_max_age_s=options.stream_max_age,
        enforce_quotas=options.enforce_quotas,
        cors_origins=options.cors_origin,
        history=options.history,
        admin=options.admin or None,
        push_verify_tls=not options.push_insecure,
        buckets=options.buckets,
        export_dir=options.export_dir,
        log_level=options.log_level,
        until_stdin_closes=options.until_stdin_closes,
    )


def _host_and_port(options: argparse.Namespace) -> tuple[str, int]:
    if options.host_port is None:
        port = endpoint.PORT_DEFAULT if options.port is None else options.port
        return endpoint.parse(endpoint.shown("localhost" if options.host is None else options.host, port))
    if options.host is not None or options.port is not None:
        raise ValueError("--host-port stands for --host and --port together: give either it or them")
    return endpoint.parse(options.host_port)


def _healthcheck(options: argparse.Namespace) -> int:
    from publican_emulator import healthcheck

    host, port = endpoint.parse(options.host_port or f"localhost:{endpoint.PORT_DEFAULT}")
    found = healthcheck.trouble(host, port)
    if found is None:
        return 0
    return _fail(f"{endpoint.shown(host, port)}: {found}")


def _demo(options: argparse.Namespace) -> int:
    from publican_emulator import demo

    return _say(demo.text())


def _say(text: str) -> int:
    sys.stdout.write(text + "\n")
    return 0


def _fail(text: str) -> int:
    sys.stderr.write(f"publican: {text}\n")
    return 1
