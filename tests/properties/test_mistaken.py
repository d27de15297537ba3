"""A Pub/Sub with a mistake does not pass for one: LeaseMachine finds each of these."""

from collections.abc import Sequence

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from publican_protocol import pubsub
from pytest_publican import CoreBackend, LeaseMachine

BRIEFLY = settings(max_examples=100, stateful_step_count=20, database=None, derandomize=True, deadline=None, phases=[Phase.generate])


class Forgetful(CoreBackend):
    """Forgets acks."""

    def acknowledge(self, subscription: str, ack_ids: Sequence[str]) -> set[str]:
        return set()


class Hasty(CoreBackend):
    """Ends leases a millisecond early."""

    def advance(self, span: int) -> None:
        super().advance(span + 1_000_000)


class Disorderly(CoreBackend):
    """Hands out the last message first."""

    def pull(self, subscription: str, max_messages: int) -> Sequence[pubsub.ReceivedMessage]:
        return list(reversed(super().pull(subscription, max_messages)))


class Losing(CoreBackend):
    """Takes a nack for an ack."""

    def modify_ack_deadline(self, subscription: str, ack_ids: Sequence[str], seconds: int) -> set[str]:
        return super().modify_ack_deadline(subscription, ack_ids, seconds) if seconds else super().acknowledge(subscription, ack_ids)


class Deaf(CoreBackend):
    """Hears of no seek."""

    def seek_to_time(self, subscription: str, time: int) -> None:
        pass


@pytest.mark.parametrize("mistaken", [Forgetful, Hasty, Disorderly, Losing, Deaf])
def test_a_mistake_is_found(mistaken: type[CoreBackend]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(LeaseMachine.on(mistaken), settings=BRIEFLY)


def test_without_a_mistake_nothing_is() -> None:
    run_state_machine_as_test(LeaseMachine, settings=settings(BRIEFLY, max_examples=20))
