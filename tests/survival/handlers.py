"""A till with a bank and a ledger, and handlers with the mistakes that people make."""

import asyncio
from typing import Any


class Bank:
    """Somebody else's machine: what it does, it does in one piece."""

    def __init__(self) -> None:
        self.charges: list[str] = []
        self.calls = 0

    def charge(self, order: str) -> None:
        before = len(self.charges)
        self.charges.append(order)
        self.calls = before + 1

    def charge_once(self, order: str) -> None:
        """Charge, unless this order has been: an idempotency key."""
        if order not in self.charges:
            self.charges.append(order)

    def charge_in_two_steps(self, order: str) -> None:
        """Charge, with the help of code that is not the bank's own."""
        note(self)
        self.charges.append(order)


def note(bank: Bank) -> None:
    bank.calls += 1
    bank.calls += 1


class Till:
    """What outlives the consumer."""

    def __init__(self) -> None:
        self.bank = Bank()
        self.paid: set[str] = set()
        self.status = ""


def charges(till: Till) -> list[str]:
    return sorted(till.bank.charges)


def naive(till: Till, message: Any) -> None:
    till.bank.charge(message.data.decode())


def charge_first(till: Till, message: Any) -> None:
    order = message.data.decode()
    if order in till.paid:
        return
    till.bank.charge(order)
    till.paid.add(order)


async def charge_first_async(till: Till, message: Any) -> None:
    order = message.data.decode()
    await asyncio.sleep(0)
    if order in till.paid:
        return
    till.bank.charge(order)
    await asyncio.sleep(0)
    till.paid.add(order)


def charge_once(till: Till, message: Any) -> None:
    order = message.data.decode()
    till.bank.charge_once(order)
    till.paid.add(order)


async def charge_once_async(till: Till, message: Any) -> None:
    await asyncio.sleep(0)
    charge_once(till, message)


def ack_first(till: Till, message: Any) -> None:
    message.ack()
    charge_once(till, message)


def ack_last(till: Till, message: Any) -> None:
    charge_once(till, message)
    message.ack_with_response().result()


def insert(till: Till, message: Any) -> None:
    order = message.data.decode()
    if order in till.paid:
        raise KeyError(order)
    till.paid.add(order)


def last_wins(till: Till, message: Any) -> None:
    till.status = message.data.decode()


class Remembering:
    """A consumer that knows in its own memory what it has done."""

    def __init__(self, till: Till) -> None:
        self._till = till
        self._done: set[str] = set()

    def on_message(self, message: Any) -> None:
        if message.message_id not in self._done:
            self._done.add(message.message_id)
            self._till.bank.charge(message.data.decode())
