"""The publisher as gcloud-aio-pubsub has it: each `publish` is one request, sent at once.

`Publisher` (publishing.py) is the one that batches, orders and retries.

PYTEST_DONT_REWRITE
"""

import json
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import aiohttp

from publican.aio import calls
from publican.aio.calls import DEFAULT_SCOPES as SCOPES
from publican.aio.calls import init_api_root
from publican.auth import TokenSource
from publican.message import PubsubMessage

__all__ = ["SCOPES", "PublisherClient", "init_api_root"]


class PublisherClient:
    """Publishes, and keeps topics. Made anywhere, used in a running loop; errors are those of `publican.errors` and also aiohttp's.

    `session` is used and never closed; without one each loop gets its own. `endpoint` names a region (`us-east1-pubsub.googleapis.com`); `api_root`
    a whole root, without authentication unless `api_is_dev=False`. `timeout` is always seconds in all.

    Source: cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics.
    """

    project_path = staticmethod(calls.project_path)
    subscription_path = staticmethod(calls.subscription_path)
    topic_path = staticmethod(calls.topic_path)

    def __init__(
        self,
        *,
        service_file: str | Path | IO[Any] | None = None,
        session: aiohttp.ClientSession | None = None,
        token: TokenSource | None = None,
        api_root: str | None = None,
        api_is_dev: bool | None = None,
        endpoint: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._calls = calls.Calls(
            service_file=service_file,
            session=session,
            token=token,
            api_root=api_root,
            api_is_dev=api_is_dev,
            endpoint=endpoint,
            ssl_context=ssl_context,
        )

    @property
    def token(self) -> TokenSource | None:
        """Where tokens come from; None on an emulator."""
        return self._calls.token

    async def list_topics(
        self, project: str, query_params: Mapping[str, str] | None = None, *, session: aiohttp.ClientSession | None = None, timeout: float = 10
    ) -> dict[str, Any]:
        """Give one page of a project's topics, `projects/p`; `pageToken` in `query_params` asks for the next. No topics: `{}`."""
        return await self._calls.send(
            "GET", f"{project}/topics", about=("ListTopics", project), session=session, timeout=timeout, params=query_params
        )

    async def create_topic(
        self, topic: str, body: Mapping[str, Any] | None = None, *, session: aiohttp.ClientSession | None = None, timeout: float = 10
    ) -> dict[str, Any]:
        """Create a topic; `body` holds its settings as REST names them.

        Raises:
            AlreadyExists: the name is taken.
        """
        return await self._calls.send("PUT", topic, body or {}, about=("CreateTopic", topic), session=session, timeout=timeout)

    async def delete_topic(self, topic: str, *, session: aiohttp.ClientSession | None = None, timeout: float = 10) -> None:
        """Delete a topic; its subscriptions stay, without one."""
        await self._calls.send("DELETE", topic, about=("DeleteTopic", topic), session=session, timeout=timeout)

    async def publish(
        self, topic: str, messages: Sequence[PubsubMessage], session: aiohttp.ClientSession | None = None, timeout: float = 10
    ) -> dict[str, Any]:
        """Publish at once, in one request without retries, and give `{"messageIds": [...]}`; for no messages `{}`, without a request."""
        if not messages:
            return {}
        body = json.dumps({"messages": [message.to_repr() for message in messages]}).encode()
        answer: dict[str, Any] = json.loads(
            await self._calls.transport.call("POST", f"{topic}:publish", body, timeout=timeout, method="Publish", resource=topic, session=session)
        )
        return answer

    async def close(self) -> None:
        """Close the session, if it is the client's own."""
        await self._calls.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()
