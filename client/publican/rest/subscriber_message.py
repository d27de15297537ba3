"""Where gcloud-rest-pubsub has `SubscriberMessage`; it lives in publican.rest.handlers.

PYTEST_DONT_REWRITE
"""

from publican.message import parse_publish_time
from publican.rest.handlers import SubscriberMessage

__all__ = ["SubscriberMessage", "parse_publish_time"]
