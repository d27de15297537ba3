"""Where gcloud-aio-pubsub has `SubscriberMessage`; it lives in publican.message.

PYTEST_DONT_REWRITE
"""

from publican.message import SubscriberMessage, parse_publish_time

__all__ = ["SubscriberMessage", "parse_publish_time"]
