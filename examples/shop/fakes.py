"""The shop's surroundings, as fakes: they outlive billing, and do what they do in one piece."""


class FakeBank:
    """Remembers what it has charged."""

    def __init__(self) -> None:
        self.charges: list[tuple[str, int]] = []

    def charge(self, order: str, pence: int) -> None:
        """Charge for an order."""
        self.charges.append((order, pence))

    def charge_once(self, order: str, pence: int) -> None:
        """Charge for an order, unless that has been done."""
        if (order, pence) not in self.charges:
            self.charges.append((order, pence))


class FakeLedger:
    """A set of orders."""

    def __init__(self) -> None:
        self.paid: set[str] = set()

    def has(self, order: str) -> bool:
        """Say whether an order is paid."""
        return order in self.paid

    def record(self, order: str) -> None:
        """Note that an order is paid."""
        self.paid.add(order)


class FakeShop:
    """A bank and a ledger with nothing in them yet."""

    def __init__(self) -> None:
        self.bank = FakeBank()
        self.ledger = FakeLedger()
