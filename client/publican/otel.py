"""An observer that traces with OpenTelemetry (`publican[otel]`): spans by the messaging conventions, and the context in message attributes.

The context travels as google's clients have it, in attributes that begin with `googclient_` (`googclient_traceparent`), so a trace goes on from our
publisher to their subscriber, and the other way. Spans: `<topic> create` for a message, `<topic> publish` for a request, `<subscription> subscribe`
and `<subscription> process` around a handler, `<subscription> ack|nack|modack` for a request.

PYTEST_DONT_REWRITE
"""

import contextlib
import time
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Final

from opentelemetry import propagate, trace
from opentelemetry.propagators.textmap import Getter, Setter

from publican.message import SubscriberMessage
from publican.observe import Observer
from publican_protocol.names import project_of, short_id

_PREFIX: Final = "googclient_"
_SYSTEM: Final = "gcp_pubsub"


class OpenTelemetry(Observer):
    """Makes spans of what happens; `provider` is the global one unless it is given."""

    def __init__(self, provider: trace.TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("publican", tracer_provider=provider)

    def publishing(self, topic: str, attributes: MutableMapping[str, str]) -> None:
        """Begin the trace of a message, or go on with the caller's, and send its context along."""
        with self._tracer.start_as_current_span(f"{short_id(topic)} create", kind=trace.SpanKind.PRODUCER, attributes=_about(topic, "create")):
            propagate.inject(attributes, setter=_Prefixed())

    def processing(self, subscription: str, message: SubscriberMessage) -> AbstractContextManager[Any]:
        """Give the context of a handler: the message's trace."""
        return self._processing(subscription, message)

    @contextlib.contextmanager
    def _processing(self, subscription: str, message: SubscriberMessage) -> Iterator[None]:
        name = short_id(subscription)
        about = {
            **_about(subscription, "receive"),
            "messaging.message.id": message.message_id,
            "messaging.message.body.size": len(message.data or b""),
            "messaging.gcp_pubsub.message.ack_id": message.ack_id,
            "messaging.gcp_pubsub.message.ordering_key": message.ordering_key,
        }
        if message.delivery_attempt is not None:
            about["messaging.gcp_pubsub.message.delivery_attempt"] = message.delivery_attempt
        remote = propagate.extract(message.attributes or {}, getter=_Unprefixed())
        with (
            self._tracer.start_as_current_span(f"{name} subscribe", context=remote, kind=trace.SpanKind.CONSUMER, attributes=about),
            self._tracer.start_as_current_span(f"{name} process", attributes=_about(subscription, "process")),
        ):
            yield

    def batch_sent(self, resource: str, kind: str, count: int, took_s: float) -> None:
        """Make the span of a request that has been answered."""
        end = time.time_ns()
        span = self._tracer.start_span(
            f"{short_id(resource)} {kind}",
            kind=trace.SpanKind.CLIENT,
            attributes={**_about(resource, kind), "messaging.batch.message_count": count},
            start_time=end - round(took_s * 1e9),
        )
        span.end(end)


def _about(resource: str, operation: str) -> dict[str, Any]:
    return {
        "messaging.system": _SYSTEM,
        "messaging.destination.name": short_id(resource),
        "messaging.operation": operation,
        "gcp.project_id": project_of(resource),
    }


class _Prefixed(Setter[MutableMapping[str, str]]):
    def set(self, carrier: MutableMapping[str, str], key: str, value: str) -> None:
        """Write one entry of the context."""
        carrier[_PREFIX + key] = value


class _Unprefixed(Getter[Any]):
    def get(self, carrier: Any, key: str) -> list[str] | None:
        """Read one entry of the context."""
        value = carrier.get(_PREFIX + key)
        return None if value is None else [value]

    def keys(self, carrier: Any) -> list[str]:
        """Give the names of all entries."""
        return [key.removeprefix(_PREFIX) for key in carrier if key.startswith(_PREFIX)]
