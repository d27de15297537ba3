"""`python -m benchmarks`: measure, print the table, write it where it was asked for.

PYTEST_DONT_REWRITE
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.load import have_h2load
from benchmarks.product import find_official_jar, official, publican
from benchmarks.profiling import profile
from benchmarks.rows import ROWS
from benchmarks.run import run

TURNS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark that the command line describes."""
    options = _parser().parse_args(arguments)
    rows = [row for row in ROWS if not options.rows or row.key in options.rows]
    if options.profile:
        sys.stdout.write(profile(publican(), rows))
        return 0
    products = [publican()] if options.product != "official" else []
    jar = None if options.product == "publican" else find_official_jar(options.official_jar)
    if jar is not None:
        products.append(official(jar))
    elif options.product != "publican":
        sys.stderr.write("No official emulator (--official-jar, $PUBSUB_EMULATOR_JAR, the Google Cloud SDK on PATH): Publican alone, no ratios.\n")
    if not have_h2load():
        sys.stderr.write("No h2load (Debian's nghttp2-client): Python drives the unary rows, and mostly measures itself.\n")
    turns = options.turns or (1 if options.quick else TURNS)
    results, failed = run(products, rows, turns=turns, quick=options.quick)
    command = _shown(options)
    table = report.markdown(results, products, command)
    sys.stdout.write(table)
    if options.json:
        options.json.write_text(report.as_json(results, products, command))
    if failed:
        sys.stderr.write(f"Failed: {', '.join(row.key for row in failed)}; no page was written.\n")
        return 1
    if options.write:
        report.write_into(options.write, table)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Publican and the official emulator, side by side.")
    parser.add_argument("--quick", action="store_true", help="small amounts, one turn, no warm-up: shows that every row runs, judges nothing")
    parser.add_argument("--turns", type=int, help=f"turns per row (default {TURNS}; 1 with --quick)")
    parser.add_argument("--rows", nargs="+", choices=[row.key for row in ROWS], help="only these rows")
    parser.add_argument("--product", choices=["publican", "official", "both"], default="both", help="what to measure (default both)")
    parser.add_argument("--official-jar", metavar="JAR", help="the official emulator; default $PUBSUB_EMULATOR_JAR, else the Google Cloud SDK's")
    parser.add_argument("--profile", action="store_true", help="no table: where Publican's time goes in each row")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every turn there")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table between the marks of this Markdown page")
    return parser


def _shown(options: argparse.Namespace) -> str:
    """Return the command as a reader would repeat it, without the paths of this machine."""
    words = ["python -m benchmarks"]
    words += ["--quick"] if options.quick else []
    words += [f"--turns {options.turns}"] if options.turns else []
    words += [f"--rows {' '.join(options.rows)}"] if options.rows else []
    words += [f"--product {options.product}"] if options.product != "both" else []
    return " ".join(words)


if __name__ == "__main__":
    sys.exit(main())
