"""Draw docs/flow-control.svg: the messages of a subscriber over time, by the machine that the client runs.

    python scripts/flow_control_picture.py [--check]

A backlog of 60 messages, at most 10 outstanding, five handlers' worth of slow work and a service that sends four at a time: nothing here is drawn by
hand but the frame.
"""

import argparse
import heapq
import itertools
import pathlib
import sys
from typing import Final, NamedTuple

from publican.flow import FlowControl, Outstanding

PAGE: Final = pathlib.Path(__file__).resolve().parent.parent / "docs" / "flow-control.svg"
MESSAGES: Final = 60
BATCH: Final = 4
MAX_MESSAGES: Final = 10
EVERY_MS: Final = 60
"""The service sends a batch so often, as long as it is let."""
HANDLING_MS: Final = (420, 180, 660, 240, 300)
"""How long handlers take, in turn."""
SIZE: Final = 1000


class Point(NamedTuple):
    """What stood when."""

    at_ms: int
    outstanding: int
    handed: int
    is_paused: bool


def simulated() -> list[Point]:
    """Run the machine and note every change."""
    machine = Outstanding(FlowControl(max_messages=MAX_MESSAGES))
    points = [Point(0, 0, 0, is_paused=False)]
    done: list[int] = []
    left, held, now, next_batch, taken = MESSAGES, 0, 0, 0, 0
    while left or done:
        if left and not machine.is_paused and (not done or next_batch <= done[0]):
            now = max(now, next_batch)
            count = min(BATCH, left)  # the service has sent it before it knows that the limit is reached
            machine.add(count, count * SIZE)
            left, held = left - count, held + count
            next_batch = now + EVERY_MS
        else:
            now = heapq.heappop(done)
            machine.remove(SIZE, was_handed=True)
            next_batch = max(next_batch, now)
        while held and machine.may_hand(SIZE):
            machine.hand(SIZE)
            heapq.heappush(done, now + HANDLING_MS[taken % len(HANDLING_MS)])
            held, taken = held - 1, taken + 1
        points.append(Point(now, machine.count, machine.handed_count, machine.is_paused))
    return points


SAID: Final = "Dark: outstanding messages. Light: those that handlers have. Shaded: nothing is taken from the service."
WIDTH: Final = 760
HEIGHT: Final = 250
LEFT: Final = 50
TOP: Final = 20
PLOT_WIDTH: Final = 690
PLOT_HEIGHT: Final = 180
TALLEST: Final = 14


def drawn(points: list[Point]) -> str:
    """Give the picture."""
    end = points[-1].at_ms
    bands = "".join(
        f'<rect class="paused" x="{_x(one.at_ms, end)}" y="{TOP}" width="{_x(other.at_ms, end) - _x(one.at_ms, end):.1f}" height="{PLOT_HEIGHT}"/>'
        for one, other in itertools.pairwise(points)
        if one.is_paused and other.at_ms > one.at_ms
    )
    path = f"M{_x(0, end)} {_y(0)}" + "".join(f"H{_x(each.at_ms, end)}V{_y(each.outstanding)}" for each in points)
    handed = f"M{_x(0, end)} {_y(0)}" + "".join(f"H{_x(each.at_ms, end)}V{_y(each.handed)}" for each in points)
    limits = "".join(
        f'<line class="limit" x1="{LEFT}" x2="{LEFT + PLOT_WIDTH}" y1="{_y(value)}" y2="{_y(value)}"/>'
        f'<text x="{LEFT + PLOT_WIDTH}" y="{_y(value) - 4}" text-anchor="end">{said}</text>'
        for value, said in ((MAX_MESSAGES, "max_messages: taking stops at 1.0 of it"), (MAX_MESSAGES * 0.8, "taking goes on below 0.8 of it"))
    )
    ticks = "".join(f'<text x="{LEFT - 8}" y="{_y(value) + 4}" text-anchor="end">{value}</text>' for value in (0, 5, 10))
    seconds = "".join(
        f'<text x="{_x(at, end)}" y="{TOP + PLOT_HEIGHT + 18}" text-anchor="middle">{at / 1000:g} s</text>' for at in range(0, end + 1, 500)
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" role="img">
<title>Outstanding messages over time, with max_messages={MAX_MESSAGES}</title>
<style>text{{fill:#333}}.paused{{fill:#f2d7b6}}.limit{{stroke:#999;stroke-dasharray:4 3}}
.count{{fill:none;stroke:#1f5a8a;stroke-width:2}}.handed{{fill:none;stroke:#8fb4d0;stroke-width:2}}</style>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
{bands}
{limits}
<path class="handed" d="{handed}"/>
<path class="count" d="{path}"/>
{ticks}{seconds}
<text x="{LEFT}" y="{HEIGHT - 12}">{SAID}</text>
</svg>
"""


def _x(at_ms: int, end: int) -> float:
    return round(LEFT + PLOT_WIDTH * at_ms / end, 1)


def _y(count: float) -> float:
    return round(TOP + PLOT_HEIGHT * (1 - count / TALLEST), 1)


def main() -> int:
    """Write the picture, or with --check say whether it differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when the picture differs")
    check = parser.parse_args().check
    picture = drawn(simulated())
    if PAGE.exists() and PAGE.read_text() == picture:
        return 0
    if not check:
        PAGE.write_text(picture)
    sys.stdout.write(f"{PAGE.name} {'differs' if check else 'drawn'}\n")
    return 1 if check else 0


if __name__ == "__main__":
    raise SystemExit(main())
