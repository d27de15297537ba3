"""What the `pubsub` fixture gives: resources made without a client, the time, faults, and everything that happened.

PYTEST_DONT_REWRITE
"""

import asyncio
import base64
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from threading import Event as Flag
from typing import TYPE_CHECKING, Any, Final

from publican_emulator.testing.link import ADMIN, Link
from publican_emulator.testing.names import Subscription, Topic
from publican_emulator.testing.records import Event, MessageRecord, instant
from publican_emulator.testing.waiting import Waiting
from publican_emulator.testing.wishes import Done, FaultHandle, FaultHere, Wish

if TYPE_CHECKING:
    from publican_emulator.control import Participant
    from publican_emulator.rpc.call import CallInfo
    from publican_emulator.rpc.faults import Fault, Faults
    from publican_emulator.rpc.faults import When as Chosen

Seed = Mapping[str, Sequence[str] | Mapping[str, Mapping[str, Any]]]
"""Topics, each with its subscriptions: `{"orders": ["billing"]}`, or `{"orders": {"billing": {"ack_deadline": 30}}}`; short ids or full names."""

DEAD_LETTER_ATTEMPTS: Final = 5
When = Mapping[str, Any] | Callable[[Any], object] | None
"""Which calls a fault means: those whose request has these fields, those of which a function of it says so, or all."""

_FOREIGN_LOOK_S: Final = 0.05
_real_now: Final = time.monotonic


class TimedOut(AssertionError):
    """What was waited for did not happen in time."""


class NackLoop(AssertionError):
    """A message was handed out a thousand times while no time passed: its consumer gives it back at once, for ever."""


class Pubsub:
    """A Pub/Sub with nothing in it but what this test makes."""

    def __init__(self, link: Link, address: str, project: str, prefix: str = "") -> None:
        """`prefix`: what short ids of resources begin with, where names must be told apart from other people's."""
        self.link = link
        self.address = address
        """`HOST:PORT`, the value of PUBSUB_EMULATOR_HOST."""
        self.project = project
        """The project of short ids, and of PUBSUB_PROJECT_ID."""
        self.prefix = prefix
        self.clock = PubsubClock(self)
        self.aio = Waiting(self)
        """The methods that take time, to be awaited: `await pubsub.aio.advance(11)`."""
        self._wishes: list[Wish] = []
        self.told_loops: set[str] = set()
        """Nack loops that the test has been told of."""

    def __repr__(self) -> str:
        return f"<Pubsub {self.address} {self.project}>"

    # resources

    def topic(self, topic_id: str, *, retention: float | None = None, **settings: Any) -> Topic:
        """Create a topic; `retention` in seconds, other settings as the REST API names them (`schemaSettings={...}`).

        Raises:
            PubsubError: as CreateTopic: a bad name, one that is taken.
        """
        name = Topic.on(self, self._full("topics", topic_id))
        self.link.ask("PUT", f"/v1/{name}", _given(messageRetentionDuration=_duration(retention)) | settings)
        return name

    def subscription(
        self,
        subscription_id: str,
        topic: str,
        *,
        ack_deadline: int = 10,
        ordering: bool = False,
        filter: str = "",  # noqa: A002  (the service's word)
        exactly_once: bool = False,
        dead_letter: str | tuple[str, int] | None = None,
        retry: tuple[float, float] | None = None,
        retention: float | None = None,
        retain_acked: bool = False,
        **settings: Any,
    ) -> Subscription:
        """Create a subscription on a topic.

        `ack_deadline`: seconds. `dead_letter`: the topic for what fails 5 times, or a pair of it and the number. `retry`: least and most seconds of
        back-off. `retention`: seconds. Other settings as the REST API names them.

        Raises:
            PubsubError: as CreateSubscription: no such topic, a bad name, one that is taken, a setting out of bounds.
        """
        name = Subscription.on(self, self._full("subscriptions", subscription_id))
        name.topic = Topic.on(self, self._full("topics", topic))
        body = _given(
            topic=str(name.topic),
            ackDeadlineSeconds=ack_deadline,
            enableMessageOrdering=ordering,
            filter=filter,
            enableExactlyOnceDelivery=exactly_once,
            deadLetterPolicy=self._dead_letter_policy(dead_letter),
            retryPolicy=None if retry is None else {"minimumBackoff": _duration(retry[0]), "maximumBackoff": _duration(retry[1])},
            messageRetentionDuration=_duration(retention),
            retainAckedMessages=retain_acked,
        )
        self.link.ask("PUT", f"/v1/{name}", body | settings)
        return name

    def _dead_letter_policy(self, wanted: str | tuple[str, int] | None) -> dict[str, Any] | None:
        if wanted is None:
            return None
        topic, attempts = (wanted, DEAD_LETTER_ATTEMPTS) if isinstance(wanted, str) else wanted
        return {"deadLetterTopic": self._full("topics", topic), "maxDeliveryAttempts": attempts}

    def seed(self, seed: Seed) -> None:
        """Create topics and their subscriptions; see `Seed`."""
        topics = {topic_id: self.topic(topic_id) for topic_id in seed}  # all of them first: dead letter topics among them
        for topic_id, subscriptions in seed.items():
            given = subscriptions if isinstance(subscriptions, Mapping) else {each: {} for each in subscriptions}
            for subscription_id, settings in given.items():
                self.subscription(subscription_id, topics[topic_id], **settings)

    def publish(self, topic: str, data: bytes = b"", *, ordering_key: str = "", **attributes: str) -> MessageRecord:
        """Publish a message without a client, and give its record.

        Raises:
            PubsubError: as Publish: no such topic, an empty message, one that is too large.
        """
        name = self._full("topics", topic)
        message = {"data": base64.b64encode(data).decode(), "attributes": attributes, "orderingKey": ordering_key}
        (message_id,) = self.link.ask("POST", f"/v1/{name}:publish", {"messages": [message]})["messageIds"]
        if self.link.is_publican:
            (told,) = self.link.ask("GET", f"{ADMIN}/messages?messageId={message_id}")["messages"]
            return MessageRecord.of(told)
        return MessageRecord(message_id, name, data, attributes, ordering_key, self.now(), (), {})

    def _full(self, collection: str, name: str) -> str:
        return str(name) if "/" in name else f"projects/{self.project}/{collection}/{self.prefix}{name}"

    # time

    def now(self) -> datetime:
        """Give the time, in UTC; it stands still between `advance` and `move_to`."""
        return instant(self.link.ask("GET", f"{ADMIN}/clock")["now"])

    def advance(self, seconds: float) -> list[Event]:
        """Let `seconds` pass: leases run out, retention drops, back-off ends, each at its own instant and in order; give what happened.

        Raises:
            ValueError: `seconds` is negative.
        """
        __tracebackhide__ = True
        if seconds < 0:
            raise ValueError(f"time does not run backwards: {seconds} s")
        return self._happened(self.link.ask("POST", f"{ADMIN}/clock/advance", {"seconds": seconds}))

    def move_to(self, instant: datetime) -> list[Event]:
        """Let time pass until `instant`, which must not lie in the past; give what happened.

        Raises:
            ValueError: it does, or it has no time zone.
        """
        __tracebackhide__ = True
        if instant.tzinfo is None:
            raise ValueError(f"{instant!r} has no time zone; say which one: datetime(..., tzinfo=UTC)")
        if instant < self.now():
            raise ValueError(f"time does not run backwards: {instant} is before {self.now()}")
        return self._happened(self.link.ask("POST", f"{ADMIN}/clock/move", {"to": instant.astimezone(UTC).isoformat()}))

    def run_until(self, predicate: Callable[[], object], *, limit: float = 3600) -> list[Event]:
        """Let time pass from deadline to deadline until `predicate()` is true, at most `limit` seconds; give what happened.

        Raises:
            TimedOut: it is not true then.
            NackLoop: a message is handed out again and again while no time passes.
        """
        __tracebackhide__ = True
        happened: list[Event] = []
        end = self.now().timestamp() + limit
        self.settle()
        while not predicate():
            left_s = end - self.now().timestamp()
            told = self.link.ask("POST", f"{ADMIN}/clock/step", {"withinSeconds": max(0.0, left_s)})
            happened += self._happened(told)
            if not told["moved"]:
                happened += self.advance(max(0.0, left_s))
                if predicate():
                    break
                raise TimedOut(f"not true within {limit:g} s of the emulator's time")
        return happened

    def settle(self) -> list[Event]:
        """Return when whoever waits for messages has what there is for it."""
        __tracebackhide__ = True
        return self._happened(self.link.ask("POST", f"{ADMIN}/settle", {}))

    def _happened(self, told: Mapping[str, Any]) -> list[Event]:
        __tracebackhide__ = True
        loops = [each for each in told.get("nackLoops", ()) if each not in self.told_loops]
        if loops:
            self.told_loops.update(loops)
            raise NackLoop("\n".join(loops))
        return _events(told)

    @contextlib.contextmanager
    def joined(self, participant: "Participant") -> Iterator[None]:
        """Let a client run on this clock for a block: `advance` visits its deadlines in order with the emulator's, and waits for it at each.

        Raises:
            RuntimeError: the emulator is in another process, which cannot ask it.
        """
        if self.link.emulator is None:
            raise RuntimeError("only an emulator in this process shares its clock with a client: use the inprocess backend")
        with self.link.emulator.joined(participant):
            yield

    # waiting

    def wait_for(self, predicate: Callable[[], object], *, timeout: float = 5) -> None:
        """Wait until `predicate()` is true; it is asked again whenever something has happened. `timeout` in real seconds.

        Raises:
            TimedOut: it is not true then.
            NackLoop: a message is handed out again and again while no time passes.
            RuntimeError: called in a running event loop, which would stand still: `await pubsub.until(...)` there.
        """
        __tracebackhide__ = True
        if asyncio._get_running_loop() is not None:  # the documented ways raise or make one
            raise RuntimeError("wait_for blocks the running event loop, so nothing in it could happen: use `await pubsub.until(...)`")
        self._wait_for(predicate, timeout)

    def _wait_for(self, predicate: Callable[[], object], timeout: float) -> None:
        __tracebackhide__ = True
        end = _real_now() + timeout
        last = self._last_event()
        while not predicate():
            left_s = end - _real_now()
            if left_s <= 0:
                raise TimedOut(f"not true within {timeout:g} s")
            last = self._next_event(last, left_s)

    def _last_event(self) -> int:
        return int(self.link.ask("GET", f"{ADMIN}/events?after=9999999999")["last"]) if self.link.is_publican else 0

    def _next_event(self, last: int, left_s: float) -> int:
        if not self.link.is_publican:
            Flag().wait(min(left_s, _FOREIGN_LOOK_S))  # it tells nobody what happens there
            return 0
        __tracebackhide__ = True
        told = self.link.ask("GET", f"{ADMIN}/events?after={last}&waitSeconds={left_s}")
        self._happened(told)
        return int(told["last"])

    async def until(self, predicate: Callable[[], object], *, timeout: float = 5) -> None:  # noqa: ASYNC109  (as its twin)
        """Wait as `wait_for` does, in asyncio and trio; `predicate` is called in another thread.

        Raises:
            TimedOut: it is not true in time.
        """
        await self.aio.wait_for(predicate, timeout=timeout)

    def wait_until_acked(self, where: str, *, timeout: float = 5) -> None:
        """Wait until every message of a topic or subscription is settled on every subscription that it went to.

        Raises:
            TimedOut: it is not, with those that are left.
        """
        __tracebackhide__ = True
        try:
            self.wait_for(lambda: self._is_settled(where), timeout=timeout)
        except TimedOut:
            left = [f"m{each.id} ({', '.join(_told(each))})" for each in self.messages_of(where) if self.unsettled(each)]
            raise TimedOut(f"not acked within {timeout:g} s: {', '.join(left)}") from None

    def _is_settled(self, where: str) -> bool:
        return not self.link.ask("GET", f"{ADMIN}/unacked?resource={where}")["unacked"]

    # what happened

    @property
    def messages(self) -> list[MessageRecord]:
        """Every message that was published in this test, oldest first, with what happened to it."""
        return self.messages_of("")

    def messages_of(self, resource: str) -> list[MessageRecord]:
        """Give the messages of one topic or subscription (full name), or all (empty)."""
        return [MessageRecord.of(each) for each in self.link.ask("GET", f"{ADMIN}/messages?resource={resource}")["messages"]]

    @property
    def events(self) -> list[Event]:
        """Everything that happened in this test, oldest first."""
        return _events(self.link.ask("GET", f"{ADMIN}/events"))

    def dump(self) -> str:
        """Give the timeline of every message as text."""
        return str(self.link.ask("GET", f"{ADMIN}/history"))

    def unsettled(self, message: MessageRecord) -> list[str]:
        """Give the subscriptions on which a message is not settled yet."""
        return [name for name, state in message.states.items() if state not in {"acked", "dead-lettered", "dropped"}]

    # faults

    def fail(self, method: str, code: str, message: str = "", *, times: int | None = 1, when: When = None) -> FaultHandle | FaultHere:
        """Let the next calls of a method ("Publish", "*" for all) end with a code ("UNAVAILABLE"); `times` None: until it is removed.

        `when`: only calls whose request has these fields, as the REST API names them: `when={"subscription": billing}`; or, in this process, those of
        which a function of the request says so.

        Raises:
            PubsubError: there is no such method, code or field.
        """
        words = f"fail({method!r}, {code!r}, times={times}{_said(when)})"
        if callable(when):
            return self._fault_here(words, lambda faults, chosen: faults.fail(method, code, message, times=times, when=chosen), when)
        return self._fault(words, method=method, code=code, message=message, times=times or 0, **_given(when=when))

    def delay(self, method: str, seconds: float, *, times: int | None = 1, when: When = None) -> FaultHandle | FaultHere:
        """Let the next calls of a method wait so many seconds of the emulator's time before they are carried out; `when` as in `fail`.

        Raises:
            PubsubError: there is no such method or field.
        """
        words = f"delay({method!r}, {seconds}, times={times}{_said(when)})"
        if callable(when):
            return self._fault_here(words, lambda faults, chosen: faults.delay(method, seconds, times=times, when=chosen), when)
        return self._fault(words, method=method, delaySeconds=seconds, times=times or 0, **_given(when=when))

    def deny(self, permission: str, resource: str = "", *, times: int | None = None) -> FaultHandle:
        """Let calls that need a permission ("pubsub.topics.publish") end with PERMISSION_DENIED, until it is removed or met `times` calls.

        `resource`: on which, by its full name or its id; a project stands for all that is in it, and none for everything.

        Raises:
            PubsubError: there is no such permission.
        """
        words = f"deny({permission!r}, {resource!r})"
        _, _, rest = permission.partition(".")
        where = self._full(rest.partition(".")[0], resource) if resource and "/" not in resource else resource
        return self._fault(words, permission=permission, resource=where, times=times or 0)

    def offline(self) -> FaultHandle:
        """Let every call fail with UNAVAILABLE and cut every stream, until the block ends."""
        fault = self._fault("offline()", method="*", code="UNAVAILABLE", message="The emulator is offline, as the test has wished.", times=0)
        self._break_streams("")
        return fault

    def break_streams(self, subscription: str = "") -> int:
        """Cut the open streams and waiting pulls of a subscription, or all; give how many there were."""
        count = self._break_streams(subscription)
        self.remember(Done(f"break_streams({subscription.rpartition('/')[2]!r})" if subscription else "break_streams()", count))
        return count

    def _break_streams(self, subscription: str) -> int:
        name = self._full("subscriptions", subscription) if subscription else ""
        return int(self.link.ask("POST", f"{ADMIN}/streams/break", {"subscription": name})["count"])

    def restart(self) -> None:
        """End every stream and connection, as a server does that is started anew; nothing is lost."""
        self.link.ask("POST", f"{ADMIN}/restart", {})

    def reset(self) -> None:
        """Forget everything: no topics, message ids from 1, the time as it is."""
        self._wishes.clear()
        self.link.ask("POST", f"{ADMIN}/reset", {})

    def _fault(self, words: str, **fields: object) -> FaultHandle:
        number = self.link.ask("POST", f"{ADMIN}/faults", fields)["fault"]
        made = FaultHandle(self.link, number, words)
        self.remember(made)
        return made

    def _fault_here(self, words: str, make: "Callable[[Faults, Chosen], Fault]", when: Callable[[Any], object]) -> FaultHere:
        emulator = self.link.emulator
        if emulator is None:
            raise TypeError("when: a function can only choose calls of an emulator in this process; give fields, as in {'topic': orders}")
        from publican_protocol.methods import methods
        from publican_protocol.pool import message_class

        def chosen(body: bytes, info: "CallInfo") -> bool:
            return bool(when(message_class(methods()[info.path].request).FromString(body)))

        made = FaultHere(emulator.faults, make(emulator.faults, chosen), words)
        self.remember(made)
        return made

    def remember(self, wish: Wish) -> None:
        """Keep a wish, to tell at the end of the test when it met nothing."""
        self._wishes.append(wish)

    def never_hit(self) -> list[str]:
        """Give the faults and mischief that have met nothing, in the words of the test."""
        return [wish.words for wish in self._wishes if not wish.hits]


class PubsubClock:
    """The time of a Pub/Sub."""

    def __init__(self, pubsub: Pubsub) -> None:
        self._pubsub = pubsub
        self.now = pubsub.now
        self.advance = pubsub.advance
        self.move_to = pubsub.move_to


def _said(when: When) -> str:
    return "" if when is None else f", when={dict(when)}" if isinstance(when, Mapping) else f", when={getattr(when, '__name__', when)}"


def _told(message: MessageRecord) -> list[str]:
    open_states = {name: state for name, state in message.states.items() if state not in {"acked", "dead-lettered", "dropped"}}
    return [f"{state} on {name.rpartition('/')[2]}" for name, state in open_states.items()]


def _events(told: Mapping[str, Any]) -> list[Event]:
    return [Event.of(each) for each in told["events"]]


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None and value != "" and value is not False}


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"
