"""google-cloud-pubsub's clients for tests: new ones for each test, over a connection that lasts.

A new gRPC channel costs 4 ms of CPU, a test with two clients would spend more on that than on everything else. So clients get the session's channel,
whose `close` they call only seemingly; a test that has opened streams, or has closed a client by itself, takes the channel with it.

PYTEST_DONT_REWRITE
"""

import importlib
from typing import Any, Final

import pytest

_OPTIONS: Final = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1), ("grpc.max_metadata_size", 4 << 20))
"""As google's own transport has them."""


class Channel:
    """The channel of a session."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._real: Any = None
        self._really_close: Any = None
        self._is_spent = False
        self._transports: dict[str, Any] = {}

    def transport(self, service: str) -> Any:
        """Give google's transport of a service ("Publisher") over it: one wraps thirty methods, and holds nothing of a test."""
        if service not in self._transports:
            module: Any = importlib.import_module(f"google.pubsub_v1.services.{service.lower()}.transports")
            self._transports[service] = getattr(module, f"{service}GrpcTransport")(channel=self.get())
        return self._transports[service]

    def get(self) -> Any:
        """Give the channel, opened when it is wanted first."""
        if self._real is None:
            grpc: Any = importlib.import_module("grpc")  # comes with google-cloud-pubsub
            channel = grpc.insecure_channel(self._address, options=_OPTIONS)
            opens_stream = channel.stream_stream
            self._really_close, channel.close = channel.close, self._spend

            def stream_stream(*args: Any, **kwargs: Any) -> Any:
                made = opens_stream(*args, **kwargs)

                def call(*args: Any, **kwargs: Any) -> Any:
                    self._spend()
                    return made(*args, **kwargs)

                return call

            channel.stream_stream = stream_stream
            self._real = channel
        return self._real

    def _spend(self) -> None:
        self._is_spent = True

    def end_test(self) -> None:
        """Close what must not go on."""
        if self._is_spent:
            self.close()

    def close(self) -> None:
        """Close the channel."""
        if self._real is not None:
            self._really_close()
        self._real, self._is_spent = None, False
        self._transports.clear()


def publisher(channel: Channel | None) -> Any:
    """Give a publisher that publishes each message at once, instead of waiting to fill a batch. Skips where google-cloud-pubsub is not installed."""
    google = _google()
    settings = google.types.BatchSettings(max_messages=1)
    if channel is None:
        return google.PublisherClient(batch_settings=settings)
    return google.PublisherClient(batch_settings=settings, transport=channel.transport("Publisher"))


def subscriber(channel: Channel | None) -> Any:
    """Give a subscriber. Skips where google-cloud-pubsub is not installed."""
    google = _google()
    if channel is None:
        return google.SubscriberClient()
    return google.SubscriberClient(transport=channel.transport("Subscriber"))


def _google() -> Any:
    return pytest.importorskip("google.cloud.pubsub_v1", reason="google-cloud-pubsub is not installed")
