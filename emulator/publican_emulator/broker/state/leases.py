"""A subscription's leases, in the chapter of subscriptions: every message that was handed out and is not acked, under all of its ack ids.

    groups   {"head", "messages": [ids], "until": end of the lease or null, "returns": end of the back-off or null, "live": [slots] or null for all,
              "superseded": [slots], "uncounted"}
    singles  {"message": id, "head", "home": head of its group or null, "slot", "key", "until", "returns", "attempts", "failures", "uncounted"}

A message whose lease and back-off are both over waits in the backlog. Who held it is not written: no stream outlives its broker.

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterable, Mapping

from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.leases import Group, Lease, Single, Stage
from publican_emulator.broker.state.plain import Plain
from publican_emulator.broker.state.references import Dumping, Loading


def dump_group(group: Group, returns: Mapping[Lease, Nanos], now: Nanos, dumping: Dumping) -> Plain:
    """Give a group."""
    return {
        "head": group.head.decode(),
        "messages": dumping.ids(group.messages),
        "until": group.deadline if group.count and group.deadline > now else None,
        "returns": returns.get(group),
        "live": None if group.count == len(group.messages) else sorted(map(int, group.slots())),
        "superseded": sorted(map(int, group.superseded or ())),
        "uncounted": group.uncounted,
    }


def load_group(said: Plain, loading: Loading) -> Group:
    """Make a group; its singles enter it by themselves."""
    group = Group(said["head"].encode(), loading.stored(said["messages"]), Nanos(said["until"] or 0), None)
    group.live = None if said["live"] is None else set(_slots(said["live"]))
    group.superseded = set(_slots(said["superseded"])) or None
    group.uncounted = said["uncounted"]
    return group


def _slots(numbers: Iterable[int]) -> list[bytes]:
    return [b"%04d" % number for number in numbers]


def dump_single(single: Single, returns: Mapping[Lease, Nanos], dumping: Dumping) -> Plain:
    """Give a message that has a story of its own."""
    return {
        "message": dumping.id(single.message),
        "head": single.head.decode(),
        "home": None if single.home is None else single.home.head.decode(),
        "slot": single.slot.decode(),
        "key": single.key,
        "until": single.deadline if single.stage is Stage.LEASED else None,
        "returns": returns.get(single) if single.stage is Stage.DELAYED else None,
        "attempts": single.attempts,
        "failures": single.failures,
        "uncounted": single.uncounted,
    }


def load_single(said: Plain, homes: Mapping[str, Group], loading: Loading) -> Single:
    """Make such a message."""
    home = None if said["home"] is None else homes[said["home"]]
    single = Single(loading.messages[said["message"]], home=home, slot=said["slot"].encode())
    if home is not None:
        home.singles[single.slot] = single
    single.head = said["head"].encode()
    single.key = said["key"]
    single.attempts, single.failures, single.uncounted = said["attempts"], said["failures"], said["uncounted"]
    if said["until"] is not None:
        single.stage, single.deadline = Stage.LEASED, Nanos(said["until"])
    return single
