"""What both dialect clients stand on: names of resources, and one REST call that takes and gives JSON.

A dialect call is sent at once and never repeated, as gcloud-aio-pubsub does: its users bring their own retries, and a second loop under theirs would
multiply.

PYTEST_DONT_REWRITE
"""

import json
import os
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from publican import endpoint as endpoints
from publican.aio.connecting import rest_transport
from publican.auth import SCOPES, TokenSource

DEFAULT_SCOPES: Final = list(SCOPES)


def project_path(project: str) -> str:
    """Give a project's full name."""
    return f"projects/{project}"


def topic_path(project: str, topic: str) -> str:
    """Give a topic's full name."""
    return f"projects/{project}/topics/{topic}"


def subscription_path(project: str, subscription: str) -> str:
    """Give a subscription's full name."""
    return f"projects/{project}/subscriptions/{subscription}"


def snapshot_path(project: str, snapshot: str) -> str:
    """Give a snapshot's full name."""
    return f"projects/{project}/snapshots/{snapshot}"


def init_api_root(api_root: str | None, api_is_dev: bool | None = None) -> tuple[bool, str]:
    """Give whether no token is sent, and the root of all paths, as gcloud-aio-pubsub does."""
    found = endpoints.find(os.environ, api_root=api_root, api_is_dev=api_is_dev)
    return found.is_dev, found.api_root


class Calls:
    """Sends JSON to one endpoint."""

    def __init__(self, **options: Any) -> None:
        """The options are those of `connecting.rest_transport`."""
        self.transport = rest_transport(**options)

    @property
    def token(self) -> TokenSource | None:
        """Where tokens come from; None where none is asked for."""
        return self.transport.token

    async def send(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        about: tuple[str, str],
        session: aiohttp.ClientSession | None,
        timeout: float,
        params: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send one call and give its answer; `about` is the RPC's name and the resource's."""
        method, resource = about
        data = None if body is None else json.dumps(body).encode()
        answer = await self.transport.call(verb, path, data, timeout=timeout, method=method, resource=resource, params=params, session=session)
        read: dict[str, Any] = json.loads(answer) if answer else {}
        return read

    async def pages(
        self,
        project: str,
        collection: str,
        query_params: Mapping[str, Any] | None,
        *,
        method: str,
        session: aiohttp.ClientSession | None,
        timeout: float,
    ) -> dict[str, Any]:
        """Give all pages of a list as one; the caller's parameters stay as they are."""
        params = dict(query_params or {})
        found: list[Any] = []
        while True:
            page = await self.send("GET", f"{project}/{collection}", params=params, about=(method, project), session=session, timeout=timeout)
            found += page.get(collection, [])
            token = page.get("nextPageToken")
            if not token:
                return {collection: found}
            params["pageToken"] = token
