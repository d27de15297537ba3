"""Where gcloud-rest-pubsub has `PubsubMessage`; it lives in publican.message.

PYTEST_DONT_REWRITE
"""

from publican.message import PubsubMessage

__all__ = ["PubsubMessage"]
