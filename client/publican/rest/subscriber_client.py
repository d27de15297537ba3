"""Where gcloud-rest-pubsub has `SubscriberClient` and `FlowControl`; they live in publican.rest.clients and publican.flow.

PYTEST_DONT_REWRITE
"""

from publican.aio.calls import DEFAULT_SCOPES as SCOPES
from publican.aio.calls import init_api_root
from publican.flow import FlowControl
from publican.rest.clients import SubscriberClient

__all__ = ["SCOPES", "FlowControl", "SubscriberClient", "init_api_root"]
