"""The blocking, thread-safe twin of `publican.aio`: the same classes, usable from many threads, with no event loop to be seen.

PYTEST_DONT_REWRITE
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from publican import errors as errors
    from publican import types as types
    from publican.flow import FlowControl as FlowControl
    from publican.message import PubsubMessage as PubsubMessage
    from publican.observe import Observer as Observer
    from publican.rest.clients import Api as Api
    from publican.rest.clients import Publisher as Publisher
    from publican.rest.clients import PublisherClient as PublisherClient
    from publican.rest.clients import Subscriber as Subscriber
    from publican.rest.clients import SubscriberClient as SubscriberClient
    from publican.rest.handlers import StreamingPullFuture as StreamingPullFuture
    from publican.rest.handlers import SubscriberMessage as SubscriberMessage
    from publican.retry import RetryPolicy as RetryPolicy
    from publican.room import PublishLimits as PublishLimits
    from publican.settlement import AckResult as AckResult

_HOMES: Final = {
    "AckResult": "publican.settlement",
    "Api": "publican.rest.clients",
    "FlowControl": "publican.flow",
    "Observer": "publican.observe",
    "PublishLimits": "publican.room",
    "Publisher": "publican.rest.clients",
    "PublisherClient": "publican.rest.clients",
    "PubsubMessage": "publican.message",
    "RetryPolicy": "publican.retry",
    "StreamingPullFuture": "publican.rest.handlers",
    "Subscriber": "publican.rest.clients",
    "SubscriberClient": "publican.rest.clients",
    "SubscriberMessage": "publican.rest.handlers",
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
    "StreamingPullFuture",
    "Subscriber",
    "SubscriberClient",
    "SubscriberMessage",
    "errors",
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
