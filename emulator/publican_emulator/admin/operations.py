"""What the admin API can do: a table of operations, each with its path, and what it takes and gives as JSON.

Every operation runs in the emulator's loop. Paths stand below /_publican; `{subscription}` is `projects/P/subscriptions/S`.

PYTEST_DONT_REWRITE
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from publican_emulator.admin import conditions, following, standing, views
from publican_emulator.admin.asked import Asked
from publican_emulator.broker import mischief
from publican_emulator.broker.errors import FailedPrecondition, InvalidArgument, NotFound
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.peek import peek
from publican_emulator.broker.subscription import Subscription
from publican_emulator.control import Control, NotVirtual
from publican_emulator.driver import SystemClock, VirtualClock
from publican_emulator.history import History
from publican_emulator.rpc.faults import Fault
from publican_protocol.codes import Code

EVENTS_MAX: Final = 10_000
"""Events in one answer."""

WAIT_S_MAX: Final = 60.0

_RESET: Final = ("why", "clock", "start", "history", "pullWaitSeconds")


@dataclass(frozen=True, slots=True)
class Following:
    """Events as they come: those that there are, and then the others, as server-sent events."""

    so_far: bytes
    more: AsyncIterator[bytes]


Answer = Mapping[str, Any] | str | Following


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for."""

    method: str
    path: str
    summary: str
    run: Callable[[Asked], Answer | Awaitable[Answer]]
    takes: tuple[str, ...] = ()
    """Fields of the body, or of the query for a GET."""


class Keep(Protocol):
    """Says whether history is kept, and after how many real seconds a Pull gives up; None: as it is."""

    def __call__(self, *, history: bool | None, pull_wait_s: float | None) -> None:
        """Say it."""


class Operations:
    """The operations on one emulator."""

    def __init__(
        self,
        control: Control,
        history: History,
        describe: Callable[[], Mapping[str, Any]],
        surprises: Callable[[], list[Exception]],
        keep: Keep,
    ) -> None:
        """`describe` tells of the emulator as a whole; `surprises` gives its own errors; `keep` says what it does after a reset."""
        self._keep = keep
        history.heard = self.heard
        self._control = control
        self._history = history
        self._describe = describe
        self._surprises = surprises
        self._faults: dict[int, Fault] = {}
        self._numbers = itertools.count(1)
        self._waiting: set[asyncio.Future[None]] = set()
        self.table: Final = (
            Operation("GET", "/health", "Whether it serves", lambda asked: {"status": "ok"}),
            Operation("GET", "/info", "Version, address, clock", lambda asked: {**self._describe(), **self._time()}),
            Operation("POST", "/reset", "Begin with an empty Pub/Sub; clock: virtual, real, or as it is", self._reset, _RESET),
            Operation("POST", "/restart", "End every stream and connection, as a restart does; nothing is lost", self._restart),
            Operation("GET", "/clock", "The time", lambda asked: self._time()),
            Operation("POST", "/clock/advance", "Let seconds pass, from deadline to deadline", self._advance, ("seconds",)),
            Operation("POST", "/clock/move", "Let time pass until an instant", self._move, ("to",)),
            Operation(
                "POST", "/clock/step", "Let time pass until the next deadline, if it is within so many seconds", self._step, ("withinSeconds",)
            ),
            Operation("POST", "/settle", "Return when whoever waits for messages has what there is for it", self._settle),
            Operation(
                "GET",
                "/events",
                "What happened after a number; waits for it so many seconds; follow: as server-sent events, without end",
                self._events,
                ("after", "waitSeconds", "follow"),
            ),
            Operation("GET", "/state", "Every topic, subscription and snapshot, with how much waits and is leased", self._state),
            Operation(
                "GET",
                "/messages",
                "Every message with its events and states, of a topic, a subscription or all",
                self._messages,
                ("resource", "messageId"),
            ),
            Operation("GET", "/unacked", "How many deliveries of a topic or subscription are still to be acked", self._unacked, ("resource",)),
            Operation("GET", "/consumers", "Open streams and waiting pulls", self._consumers),
            Operation("GET", "/history", "The timeline as text, of one message or of all", self._timeline, ("messageId",)),
            Operation("GET", "/surprises", "Errors inside the emulator, and nack loops", self._errors),
            Operation("GET", "/ending", "What is open or wrong at the end of a test; waits for streams to go", self._ending, ("waitSeconds",)),
            Operation("GET", "/faults", "The faults there are, with their hits", lambda asked: {"faults": self._told_faults()}),
            Operation(
                "POST",
                "/faults",
                "Let calls fail (code, message), wait (delaySeconds), or lack a permission (permission, resource)",
                self._fault,
                ("method", "code", "message", "delaySeconds", "times", "permission", "resource", "when"),
            ),
            Operation("DELETE", "/faults", "Take all faults back; tells those that met nothing", self._clear_faults),
            Operation("DELETE", "/faults/{fault}", "Take one fault back; tells its hits", self._remove_fault),
            Operation("POST", "/streams/break", "Cut open streams and waiting pulls", self._break, ("subscription",)),
            Operation("POST", "/{subscription}/loseAcks", "Lose the next acks", self._lose_acks, ("count",)),
            Operation("POST", "/{subscription}/failAcks", "Let the next acks of exactly-once delivery fail for a while", self._fail_acks, ("count",)),
            Operation("POST", "/{subscription}/reorder", "Turn the next batches round", self._reorder, ("count",)),
            Operation("POST", "/{subscription}/expire", "End the lease of a message now", self._expire, ("messageId",)),
            Operation("POST", "/{subscription}/duplicate", "Deliver a second copy of a message", self._duplicate, ("messageId",)),
            Operation("GET", "/snapshot", "All resources, messages and leases, to go on with later or elsewhere", self._dump),
            Operation("PUT", "/snapshot", "Go on with what GET has given, in place of all there is", self._load, ("state",)),
            Operation("GET", "/{subscription}/messages", "What is not acked, without taking it", self._peek, ("max",)),
            Operation("GET", "/{subscription}/mischief", "How much mischief has been done", self._mischief),
            Operation(
                "DELETE", "/{subscription}/mischief", "Take back so much of what is still to be done", self._less, ("acksToLose", "batchesToReorder")
            ),
        )

    def heard(self) -> None:
        """Wake those who wait for events: there is one."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    # begin again

    def _reset(self, asked: Asked) -> Answer:
        kind = asked.text("clock", "")
        start = asked.instant("start")
        if kind not in {"", "virtual", "real"}:
            raise InvalidArgument(f"Invalid clock: {kind!r}; it is virtual or real.")
        history = asked.fields.get("history")
        if history not in {None, True, False}:
            raise InvalidArgument(f"Invalid history: {history!r}; it is true or false.")
        pull_wait_s = asked.number("pullWaitSeconds") if "pullWaitSeconds" in asked.fields else None
        if pull_wait_s is not None and pull_wait_s < 0:
            raise InvalidArgument(f"Invalid pullWaitSeconds: {pull_wait_s}; it is 0 or more.")
        self._keep(history=history, pull_wait_s=pull_wait_s)
        clock = VirtualClock(start) if kind == "virtual" or start is not None else SystemClock() if kind == "real" else None
        self._control.reset(asked.text("why", "The emulator was reset."), clock=clock)
        self._faults.clear()
        return self._time()

    async def _restart(self, asked: Asked) -> Answer:
        await self._control.restart()
        return {}

    # time

    def _time(self) -> dict[str, Any]:
        return {"now": views.rfc3339(self._control.now()), "clock": "virtual" if self._control.is_virtual else "real"}

    async def _advance(self, asked: Asked) -> Answer:
        before = self._history.count
        seconds = asked.number("seconds")
        await self._moved(self._control.advance(seconds))
        return self._told(before)

    async def _move(self, asked: Asked) -> Answer:
        before = self._history.count
        to = asked.instant("to")
        if to is None:
            raise InvalidArgument("Missing to: an instant in RFC 3339.")
        await self._moved(self._control.move_to(to))
        return self._told(before)

    async def _step(self, asked: Asked) -> Answer:
        before = self._history.count
        limit = self._control.now() + round(asked.number("withinSeconds", 3600.0) * SECOND)
        moved = await self._moved(self._control.step(Nanos(limit)))
        return {**self._told(before), "moved": bool(moved)}

    async def _moved(self, moving: Awaitable[object]) -> object:
        try:
            return await moving
        except NotVirtual:
            raise FailedPrecondition("The clock is the system's and is not moved: reset with clock=virtual.") from None
        except ValueError as error:
            raise InvalidArgument(f"{error}") from None

    async def _settle(self, asked: Asked) -> Answer:
        before = self._history.count
        await self._control.settle()
        return self._told(before)

    # what happened

    def _told(self, after: int) -> dict[str, Any]:
        events = [views.event(number, fact) for number, fact in itertools.islice(self._history.since(after), EVENTS_MAX)]
        told = {**self._time(), "events": events, "last": events[-1]["number"] if events else min(after, self._history.count)}
        return {**told, "nackLoops": list(self._history.nack_loops)} if self._history.nack_loops else told

    async def _events(self, asked: Asked) -> Answer:
        after = round(asked.number("after", 0.0))
        if asked.text("follow", "") not in {"", "false", "0"}:
            return Following(following.sent(self._told(after)["events"]), self._follow(after))
        wait_s = min(asked.number("waitSeconds", 0.0), WAIT_S_MAX)
        if self._history.count <= after and wait_s > 0:
            await self._something_happens(wait_s)
        return self._told(after)

    async def _something_happens(self, wait_s: float) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            async with asyncio.timeout(wait_s):
                await waiting
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(waiting)

    async def _follow(self, after: int) -> AsyncIterator[bytes]:
        last = int(self._told(after)["last"])
        while True:
            if self._history.count < last:  # it has begun again
                last = 0
                yield following.RESET
            told = self._told(last)
            if told["events"]:
                last = int(told["last"])
                yield following.sent(told["events"])
                continue
            await self._something_happens(following.BEAT_S)
            if self._history.count == last:
                yield following.BEAT

    def _state(self, asked: Asked) -> Answer:
        return views.resources(self._control.broker, self._control.now())

    def _dump(self, asked: Asked) -> Answer:
        return {"state": json.loads(self._control.dump_state())}

    def _load(self, asked: Asked) -> Answer:
        if "state" not in asked.fields:
            raise InvalidArgument("Missing state: what GET has given.")
        self._control.load_state(json.dumps(asked.fields["state"]).encode())
        return self._time()

    def _peek(self, asked: Asked) -> Answer:
        unacked = itertools.islice(peek(self._subscription(asked), self._control.now()), asked.whole("max", EVENTS_MAX))
        return {"messages": [views.unacked(each) for each in unacked]}

    def _messages(self, asked: Asked) -> Answer:
        now = self._control.now()
        broker = self._control.broker
        unacked: dict[bytes, dict[str, dict[str, Any]]] = {}
        for name in broker.existing_names("subscription"):
            for each in peek(broker.get_subscription(name, now), now):
                unacked.setdefault(each.message, {})[name] = views.state(each)
        facts = self._history.of_message(asked.message_id()) if "messageId" in asked.fields else self._history.since(0)
        return {"messages": views.messages(facts, unacked, resource=asked.text("resource", ""))}

    def _unacked(self, asked: Asked) -> Answer:
        now, broker, resource = self._control.now(), self._control.broker, asked.text("resource")
        known = [broker.get_subscription(name, now) for name in broker.existing_names("subscription")]
        meant = [each for each in known if resource == each.name or (each.topic is not None and resource == each.topic.name)]
        return {"unacked": sum(1 for each in meant for _ in peek(each, now))}

    def _timeline(self, asked: Asked) -> Answer:
        if "messageId" in asked.fields:
            return self._history.text_of(asked.message_id())
        return self._history.text(standing=standing.lines(self._control.broker, self._history, self._control.now()))

    def _errors(self, asked: Asked) -> Answer:
        return self._troubles()

    def _troubles(self) -> dict[str, Any]:
        return {"errors": [f"{type(error).__name__}: {error}" for error in self._surprises()], "nackLoops": list(self._history.nack_loops)}

    async def _ending(self, asked: Asked) -> Answer:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + min(asked.number("waitSeconds", 0.0), WAIT_S_MAX)
        while list(self._control.broker.consumers()) and (left_s := give_up - loop.time()) > 0:
            await self._control.operated(left_s)
        return {**self._troubles(), "consumers": self._open()}

    def _consumers(self, asked: Asked) -> Answer:
        return {"consumers": self._open()}

    def _open(self) -> list[dict[str, Any]]:
        return [
            {"label": each.label, "subscription": each.subscription.name, "clientId": each.client_id, "outstanding": each.outstanding}
            for each in self._control.broker.consumers()
        ]

    # faults

    def _fault(self, asked: Asked) -> Answer:
        if permission := asked.text("permission", ""):
            return self._kept(self._denial(permission, asked))
        method, code, message = asked.text("method"), asked.text("code", ""), asked.text("message", "")
        times = asked.whole("times", 1)
        when = conditions.read(method, asked.fields.get("when"))
        if code:
            if code not in Code.__members__ or code == Code.OK.name:
                raise InvalidArgument(f"Invalid code: {code!r}; it is one of {', '.join(each.name for each in Code if each is not Code.OK)}.")
            fault = self._control.faults.fail(method, code, message, times=times or None, when=when)
        else:
            fault = self._control.faults.delay(method, asked.number("delaySeconds"), times=times or None, when=when)
        return self._kept(fault)

    def _denial(self, permission: str, asked: Asked) -> Fault:
        try:
            return self._control.faults.deny(permission, asked.text("resource", ""), times=asked.whole("times", 0) or None)
        except ValueError as error:
            raise InvalidArgument(f"Invalid permission: {error}") from None

    def _kept(self, fault: Fault) -> Answer:
        number = next(self._numbers)
        self._faults[number] = fault
        return {"fault": number}

    def _told_faults(self) -> list[dict[str, Any]]:
        return [_fault(number, fault) for number, fault in self._faults.items()]

    def _clear_faults(self, asked: Asked) -> Answer:
        told = self._told_faults()
        self._control.faults.clear()
        self._faults.clear()
        return {"faults": told}

    def _remove_fault(self, asked: Asked) -> Answer:
        number = asked.names["fault"]
        fault = self._faults.pop(int(number), None) if number.isdecimal() else None
        if fault is None:
            raise NotFound("fault", number)
        self._control.faults.remove(fault)
        return _fault(int(number), fault)

    def _break(self, asked: Asked) -> Answer:
        return {"count": self._control.break_streams(asked.text("subscription", "") or None)}

    # mischief

    def _lose_acks(self, asked: Asked) -> Answer:
        mischief.lose_acks(self._subscription(asked), asked.whole("count", 1))
        return {}

    def _fail_acks(self, asked: Asked) -> Answer:
        mischief.fail_acks(self._subscription(asked), asked.whole("count", 1))
        return {}

    def _reorder(self, asked: Asked) -> Answer:
        mischief.reorder(self._subscription(asked), asked.whole("count", 1))
        return {}

    async def _expire(self, asked: Asked) -> Answer:
        count = mischief.expire(self._subscription(asked), asked.message_id(), self._control.now())
        await self._control.settle()
        return {"count": count}

    async def _duplicate(self, asked: Asked) -> Answer:
        count = mischief.duplicate(self._subscription(asked), asked.message_id())
        await self._control.settle()
        return {"count": count}

    def _less(self, asked: Asked) -> Answer:
        mischief.less(self._subscription(asked), acks=asked.whole("acksToLose", 0), batches=asked.whole("batchesToReorder", 0))
        return self._mischief(asked)

    def _mischief(self, asked: Asked) -> Answer:
        done = self._subscription(asked).mischief
        return {
            "acksLost": done.acks_lost if done else 0,
            "acksFailed": done.acks_failed if done else 0,
            "acksToFail": done.acks_to_fail if done else 0,
            "acksToLose": done.acks_to_lose if done else 0,
            "batchesReordered": done.batches_reordered if done else 0,
            "batchesToReorder": done.batches_to_reorder if done else 0,
        }

    def _subscription(self, asked: Asked) -> Subscription:
        return self._control.broker.get_subscription(asked.names["subscription"], self._control.now())


def _fault(number: int, fault: Fault) -> dict[str, Any]:
    told: dict[str, Any] = {"fault": number, "method": fault.method, "hits": fault.hits, "times": fault.times or 0}
    if fault.denial is not None:
        told |= {"permission": fault.denial.permission, "resource": fault.denial.resource}
    if fault.error is not None:
        return {**told, "code": fault.error.code.name, "message": fault.error.message}
    return {**told, "delaySeconds": fault.delay_s}
