"""A small shop: whoever places an order publishes it, and billing charges for it.

`bill_hastily` has a mistake that many shops have had; `bill` has not. Both are callbacks of google-cloud-pubsub: they take a message and ack it.
"""

import json
from collections.abc import Callable
from typing import Any, Protocol


class Bank(Protocol):
    """Where the money comes from: a service somewhere else."""

    def charge(self, order: str, pence: int) -> None:
        """Charge for an order."""

    def charge_once(self, order: str, pence: int) -> None:
        """Charge for an order, unless that has been done: the order's number is the idempotency key."""


class Ledger(Protocol):
    """What has been paid: a table of the shop's own."""

    def has(self, order: str) -> bool:
        """Say whether an order is paid."""

    def record(self, order: str) -> None:
        """Note that an order is paid."""


class Shop(Protocol):
    """What billing works with."""

    @property
    def bank(self) -> Bank:
        """The bank."""

    @property
    def ledger(self) -> Ledger:
        """The ledger."""


def place(publisher: Any, topic: str, order: str, pence: int, customer: str = "") -> str:
    """Publish an order, and give the id of its message; those of one customer keep their order where the publisher has ordering."""
    data = json.dumps({"order": order, "pence": pence}).encode()
    return str(publisher.publish(topic, data, ordering_key=customer, kind="order").result())


def bill_hastily(shop: Shop, message: Any) -> None:
    """Charge for an order once; or so it seems."""
    order = json.loads(message.data)
    if not shop.ledger.has(order["order"]):
        shop.bank.charge(order["order"], order["pence"])
        shop.ledger.record(order["order"])
    message.ack()


def bill(shop: Shop, message: Any) -> None:
    """Charge for an order once."""
    order = json.loads(message.data)
    if not shop.ledger.has(order["order"]):
        shop.bank.charge_once(order["order"], order["pence"])
        shop.ledger.record(order["order"])
    message.ack()


def start(subscriber: Any, subscription: str, shop: Shop, handler: Callable[[Shop, Any], None] = bill) -> Any:
    """Bill what comes to a subscription, until the future that this gives is cancelled."""

    def callback(message: Any) -> None:
        handler(shop, message)

    return subscriber.subscribe(subscription, callback)
