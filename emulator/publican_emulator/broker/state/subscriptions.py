"""The chapter of subscriptions: settings, what waits, who may ack what, what is kept.

    {"name", "serial", "topic": its number, "settings", "detached", "last_activity", "mischief": counts or null,
     and, unless it is detached:
     "kept": place or null, "early": [ids], "extras": [ids]                        acked messages that are retained (retention.py)
     "log": [ids] or null                                                          its own, where a filter or ordering gives it one
     "groups", "singles", "retired"                                                leases.py; ack ids that are over (exactly_once.py)
     "front": [ids], "next": place                                                 the backlog of a subscription without ordering
     "keyless": [ids], "keys": [{"name", "waiting": [...], "run": [...]}]          the backlog of one with ordering
     "returned": [...]}                                                            what came back and has no key

What stands in lists of "waiting", "run" and "returned" is the number of a group ("g0") or a single ("s0"), or the id of a message.

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING

from publican_emulator.broker.backlog import Backlog
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.leases import Group, Lease, Single
from publican_emulator.broker.log import Cursor
from publican_emulator.broker.mischief import Mischief
from publican_emulator.broker.ordering import OrderedBacklog
from publican_emulator.broker.retention import place_of, span_of
from publican_emulator.broker.seeking import prefixed
from publican_emulator.broker.settings import SubscriptionSettings
from publican_emulator.broker.state.leases import dump_group, dump_single, load_group, load_single
from publican_emulator.broker.state.plain import Plain, made, plain
from publican_emulator.broker.state.references import Dumping, Loading, Place, cursor_at, fill, place
from publican_emulator.broker.subscription import Subscription

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker

_AGE = attrgetter("message_id", "head")


def dump(broker: "Broker", dumping: Dumping) -> Plain:
    """Give the subscriptions."""
    return [_Writer(subscription, dumping).written() for subscription in broker.subscriptions]


class _Writer:
    """One subscription, while it is written."""

    def __init__(self, subscription: Subscription, dumping: Dumping) -> None:
        self._subscription = subscription
        self._dumping = dumping
        self._numbers: dict[Lease, str] = {}

    def written(self) -> Plain:
        subscription, dumping = self._subscription, self._dumping
        return {
            "name": subscription.name,
            "serial": subscription.book.serial,
            "topic": dumping.topic(subscription.origin),
            "settings": plain(subscription.settings),
            "detached": subscription.detached,
            "last_activity": subscription.last_activity,
            "mischief": plain(subscription.mischief),
            **({} if subscription.detached else self._content()),
        }

    def _content(self) -> Plain:
        subscription, dumping = self._subscription, self._dumping
        retention = subscription.retention
        return {
            **self._leases(),
            "retired": subscription.book.retired.remembered(),
            "kept": None if retention.kept is None else self._place(retention.kept),
            "early": sorted(retention.early()),
            "extras": dumping.ids(retention.extras()),
            **self._backlog(),
        }

    def _place(self, cursor: Cursor) -> int | str:
        return self._dumping.place(self._subscription.origin, cursor) if self._subscription.retention.own_log is None else place(cursor)

    def _leases(self) -> Plain:
        book, dumping = self._subscription.book, self._dumping
        returns = self._subscription.delayed.dues()
        groups = list(book.groups())
        copies = [lease for lease in self._returned() if type(lease) is Single and not lease.head and lease.home is None]
        singles = sorted([*book.singles(), *copies], key=_AGE)
        self._numbers.update((group, f"g{number}") for number, group in enumerate(groups))
        self._numbers.update((single, f"s{number}") for number, single in enumerate(singles))
        return {
            "groups": [dump_group(group, returns, self._dumping.now, dumping) for group in groups],
            "singles": [dump_single(single, returns, dumping) for single in singles],
        }

    def _returned(self) -> list[Lease]:
        backlog = self._subscription.backlog
        leases = (backlog.keyless if isinstance(backlog, OrderedBacklog) else backlog).returned.leases()
        groups = sorted((lease for lease in leases if type(lease) is Group), key=attrgetter("first_id"))
        return [*groups, *sorted((lease for lease in leases if type(lease) is Single), key=_AGE)]

    def _backlog(self) -> Plain:
        backlog, own_log = self._subscription.backlog, self._subscription.retention.own_log
        said = {"returned": self._references(self._returned())}
        if isinstance(backlog, OrderedBacklog):
            keys = [{"name": name, "waiting": self._references(waiting), "run": self._references(run)} for name, waiting, run in backlog.by_key()]
            return {**said, "log": self._own_log(), "keyless": self._dumping.ids(backlog.keyless.cursor.messages()), "keys": keys}
        front, cursor = backlog.cursor.without_front()
        return {**said, "log": None if own_log is None else self._own_log(cursor), "front": self._dumping.ids(front), "next": self._place(cursor)}

    def _own_log(self, *cursors: Cursor) -> list[int]:
        kept = self._subscription.retention.kept
        places = [*cursors, *(() if kept is None else (kept,))]
        return self._dumping.ids(min(places, key=place_of).messages()) if places else []

    def _references(self, entries: Iterable[Lease | bytes]) -> list[str | int]:
        return [self._dumping.id(entry) if isinstance(entry, bytes) else self._numbers[entry] for entry in entries]


def load(broker: "Broker", said: Plain, loading: Loading) -> None:
    """Make the subscriptions."""
    for each in said:
        topic = loading.topics[each["topic"]]
        settings, last_activity = made(SubscriptionSettings, each["settings"]), Nanos(each["last_activity"])
        subscription = Subscription(each["name"], each["serial"], topic, settings, broker.surroundings, last_activity)
        subscription.topic = loading.living(broker, topic)
        subscription.mischief = made(Mischief | None, each["mischief"])
        broker.subscriptions.put(subscription.name, subscription)
        if each["detached"]:
            subscription.detached = True
            subscription.end(subscription.detached_error())
        else:
            _fill(subscription, each, loading)
            if subscription.topic is not None:
                subscription.topic.attach(subscription)
            subscription.rotation.tell()  # an endpoint, or an export, waits for what has been loaded
        broker.timers.arm(subscription, subscription.next_due())


def _fill(subscription: Subscription, said: Plain, loading: Loading) -> None:
    retention, book = subscription.retention, subscription.book
    start = loading.starts[said["topic"]] if retention.own_log is None else fill(retention.own_log, loading.stored(said["log"]))

    def cursor(place: Place) -> Cursor:
        return cursor_at(start, retention.end(), place)

    retention.span = span_of(subscription.topic, subscription.settings)
    retention.restore(None if said["kept"] is None else cursor(said["kept"]), said["early"], loading.stored(said["extras"]))
    groups = [load_group(each, loading) for each in said["groups"]]
    homes = {group.head.decode(): group for group in groups}
    singles = [load_single(each, homes, loading) for each in said["singles"]]
    book.restore(groups, singles)
    book.retired.restore(said["retired"])
    leases: dict[str, Lease] = {f"g{number}": group for number, group in enumerate(groups)}
    leases |= {f"s{number}": single for number, single in enumerate(singles)}
    for lease, each in zip(leases.values(), [*said["groups"], *said["singles"]], strict=True):
        if each["returns"] is not None:
            subscription.delayed.add(lease, Nanos(each["returns"]))

    if subscription.settings.enable_message_ordering:
        backlog = OrderedBacklog(book)
        keyless = loading.stored(said["keyless"])
        backlog.feed(keyless, [""] * len(keyless))
        for key in said["keys"]:
            waiting = [loading.messages[each] if isinstance(each, int) else singles[int(each[1:])] for each in key["waiting"]]
            backlog.restore_key(key["name"], waiting, [singles[int(each[1:])] for each in key["run"]])
        subscription.backlog = backlog
    else:
        subscription.backlog = Backlog(prefixed(loading.stored(said["front"]), cursor(said["next"]), retention.log), book.detach_expired)
    subscription.backlog.give_back([leases[each] for each in said["returned"]])
    retention.rearm(subscription.backlog.oldest_waiting(), book)
