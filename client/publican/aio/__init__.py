"""The asyncio client.

Each name is loaded with its module when it is first used, so that a publisher does not pay for what receives.

PYTEST_DONT_REWRITE
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from publican import errors as errors
    from publican import types as types
    from publican.aio.api import Api as Api
    from publican.aio.modern import Publisher as Publisher
    from publican.aio.modern import Subscriber as Subscriber
    from publican.aio.publisher_client import PublisherClient as PublisherClient
    from publican.aio.subscriber import subscribe as subscribe
    from publican.aio.subscriber_client import SubscriberClient as SubscriberClient
    from publican.flow import FlowControl as FlowControl
    from publican.message import PubsubMessage as PubsubMessage
    from publican.message import SubscriberMessage as SubscriberMessage
    from publican.observe import Observer as Observer
    from publican.retry import RetryPolicy as RetryPolicy
    from publican.room import PublishLimits as PublishLimits
    from publican.settlement import AckResult as AckResult

_HOMES: Final = {
    "Api": "publican.aio.api",
    "AckResult": "publican.settlement",
    "Observer": "publican.observe",
    "RetryPolicy": "publican.retry",
    "PublishLimits": "publican.room",
    "FlowControl": "publican.flow",
    "SubscriberClient": "publican.aio.subscriber_client",
    "subscribe": "publican.aio.subscriber",
    "Subscriber": "publican.aio.modern",
    "Publisher": "publican.aio.modern",
    "PublisherClient": "publican.aio.publisher_client",
    "PubsubMessage": "publican.message",
    "SubscriberMessage": "publican.message",
}
_MODULES: Final = ("errors", "types")
__all__ = [
    "AckResult",
    "Api",
    "FlowControl",
    "Observer",
    "PublishLimits",
    "Publisher",
    "PublisherClient",
    "PubsubMessage",
    "RetryPolicy",
    "Subscriber",
    "SubscriberClient",
    "SubscriberMessage",
    "errors",
    "subscribe",
    "types",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"publican.{name}")
    if name == "__version__":
        return importlib.import_module("publican").__version__
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
