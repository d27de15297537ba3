"""Pushing: takes messages for endpoints, POSTs each, and tells the broker what became of it.

The broker says when an endpoint has messages and how many it may have at once; an idle endpoint costs nothing here. Each message is one request and
one task, and slots.py sees to it that nobody's requests stand in the way of others'. A request is given up when the lease of its message runs out, in
the emulator's time: that is the only time-out. Virtual time waits for requests as for any participant, but for a bounded real time only.

PYTEST_DONT_REWRITE
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from publican_emulator.broker.batch import Delivery
from publican_emulator.broker.consumer import Consumer, Mood
from publican_emulator.broker.push import PushConfig
from publican_emulator.driver import Driver
from publican_emulator.push.flights import Flights
from publican_emulator.push.http import Http, RequestFailed
from publican_emulator.push.requests import ACKED_BY, push_request
from publican_emulator.push.slots import Slots, requests_max
from publican_emulator.push.tokens import Tokens
from publican_emulator.transport.tasks import Tasks

_AT_ONCE: Final = 20
"""Messages that one endpoint gets before the next one's turn."""

_log = logging.getLogger(__name__)


class Pushing:
    """The carrier of every push subscription of one emulator."""

    def __init__(
        self,
        driver: Driver,
        http: Http,
        tokens: Tokens,
        on_surprise: Callable[[str, Exception], object],
        *,
        slots: Slots | None = None,
    ) -> None:
        """`slots` bounds the requests of all endpoints together; None: as many as this process can have."""
        self._driver = driver
        self._http = http
        self._tokens = tokens
        self._slots = slots or Slots(requests_max())
        self._on_surprise = on_surprise
        self.flights = Flights(self._see_to, on_surprise)
        self._failing: set[str] = set()

    def come(self, consumer: Consumer) -> None:
        """Note that there is something for an endpoint."""
        self.flights.come(consumer)

    # taking

    def _see_to(self, consumer: Consumer) -> None:
        if consumer.end is not None:
            self._slots.forget(consumer)
            self.flights.give_up(consumer)
            return
        driver, broker = self._driver, self._driver.broker
        config = consumer.subscription.settings.push
        for _ in range(_AT_ONCE):
            if config is None or consumer.mood is Mood.CLOSED or not self._slots.take(consumer):
                driver.run(broker.pass_on, consumer)
                return
            batch, commit = driver.run(broker.lease, consumer, 1)  # one at a time: each is a request of its own
            if not batch:
                self._wake(self._slots.give(consumer))
                driver.run(broker.want, consumer)
                return
            for delivery in batch.deliveries():
                self._start(consumer, delivery, config, commit)
        self.flights.come(consumer)  # there may be more; others have their turn first

    def _wake(self, consumers: list[Consumer]) -> None:
        for consumer in consumers:
            self.flights.come(consumer)

    # carrying

    def _start(self, consumer: Consumer, delivery: Delivery, config: PushConfig, commit: Awaitable[None] | None) -> None:
        size = len(delivery.message)
        self._slots.charge(consumer, size)
        task = self.flights.start(consumer, self._carry(consumer, delivery, config, commit))
        alarm = self._driver.alarm(consumer.subscription.settings.ack_deadline_s)

        def over(_: asyncio.Task[None]) -> None:
            alarm.cancel()
            self._wake(self._slots.give(consumer, size))

        def ring(alarm: asyncio.Future[None]) -> None:
            if not alarm.cancelled():
                alarm.exception()  # it has one when the broker was exchanged: the request is given up all the same
                Tasks.cancel(task)

        task.add_done_callback(over)
        alarm.add_done_callback(ring)

    async def _carry(self, consumer: Consumer, delivery: Delivery, config: PushConfig, commit: Awaitable[None] | None) -> None:
        broker = self._driver.broker
        try:
            if commit is not None:
                await commit
            why = await self._outcome(consumer, delivery, config)
        except RequestFailed as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001  (our bug: the message must come back all the same)
            self._on_surprise("push", error)
            why = f"{type(error).__name__}: {error}"
        if broker is not self._driver.broker:
            return
        self._log_change(consumer.subscription.name, config.endpoint, why)
        if why:
            self._driver.run(broker.not_carried, consumer, [delivery.ack_id], why)
        else:
            self._driver.run(broker.carried, consumer, [delivery.ack_id])

    async def _outcome(self, consumer: Consumer, delivery: Delivery, config: PushConfig) -> str:
        """POST a message and give why that is a nack; empty: it is acked."""
        request = push_request(delivery, consumer.subscription.name, config)
        headers = dict(request.headers)
        if config.oidc is not None:
            headers["Authorization"] = f"Bearer {await self._tokens.bearer(config.oidc, config.endpoint)}"
        status, _ = await self._http.send("POST", config.endpoint, headers, request.body)
        return "" if status in ACKED_BY else f"HTTP {status}"

    def _log_change(self, subscription: str, endpoint: str, why: str) -> None:
        """Log the first failure after a success: there people look when nothing arrives."""
        if not why:
            self._failing.discard(subscription)
        elif subscription not in self._failing:
            self._failing.add(subscription)
            _log.warning("%s: a push to %s failed and is tried again: %s", subscription, endpoint, why)
