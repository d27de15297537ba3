"""Where gcloud-rest-pubsub has `PublisherClient`; it lives in publican.rest.clients.

PYTEST_DONT_REWRITE
"""

from publican.aio.calls import DEFAULT_SCOPES as SCOPES
from publican.aio.calls import init_api_root
from publican.rest.clients import PublisherClient

__all__ = ["SCOPES", "PublisherClient", "init_api_root"]
