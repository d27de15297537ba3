"""Tokens: fetched once, fresh in time, never in the way, never told."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from publican import errors, types
from publican.aio import PublisherClient
from publican.auth import GoogleToken, TokenSource
from publican.clock import SECOND, Nanos
from publican.endpoint import Endpoint
from publican.transport.grpc import GrpcTransport

LIFE_S = 3600


class Clock:
    def __init__(self) -> None:
        self.instant = 1_800_000_000 * SECOND

    def now(self) -> Nanos:
        return Nanos(self.instant)

    def call_at(self, instant: Nanos, callback: Any) -> Any:
        raise NotImplementedError

    def advance(self, seconds: float) -> None:
        self.instant += int(seconds * SECOND)


class Credentials:
    """Stands in for google-auth's: counts its refreshes, and can be made to wait or fail."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.token: str | None = None
        self.expiry: datetime | None = None
        self.refreshes = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.failure: Exception | None = None

    def refresh(self, request: Any) -> None:
        assert self.may_go_on.wait(10)
        if self.failure is not None:
            raise self.failure
        self.refreshes += 1
        self.token = f"secret-{self.refreshes}"
        self.expiry = datetime.fromtimestamp(self.clock.instant / SECOND + LIFE_S, UTC).replace(tzinfo=None)  # google-auth's are naive


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def credentials(clock: Clock) -> Credentials:
    return Credentials(clock)


@pytest.fixture
def token(clock: Clock, credentials: Credentials) -> GoogleToken:
    return GoogleToken(find=lambda: credentials, clock=clock)


async def fetched(token: GoogleToken) -> None:
    """Wait for a fetch in the background."""
    if token._fetching is not None:
        await asyncio.wrap_future(token._fetching)


def test_35_a_hundred_calls_fetch_once(token: GoogleToken, credentials: Credentials) -> None:
    async def story() -> None:
        credentials.may_go_on.clear()
        calls = [asyncio.ensure_future(token.get()) for _ in range(100)]
        await asyncio.sleep(0)
        calls[0].cancel()  # whoever asked first takes nobody's token away
        credentials.may_go_on.set()
        assert set(await asyncio.gather(*calls[1:])) == {"secret-1"}

    asyncio.run(story())
    assert credentials.refreshes == 1


@pytest.mark.parametrize(("share", "refreshes"), [(0.49, 1), (0.51, 2)])
def test_35_at_half_its_life_a_token_is_renewed_in_the_background(
    token: GoogleToken, credentials: Credentials, clock: Clock, share: float, refreshes: int
) -> None:
    async def story() -> None:
        assert await token.get() == "secret-1"
        clock.advance(LIFE_S * share)
        credentials.may_go_on.clear()
        assert await token.get() == "secret-1"  # nobody waits
        credentials.may_go_on.set()
        await fetched(token)
        assert await token.get() == f"secret-{refreshes}"

    asyncio.run(story())
    assert credentials.refreshes == refreshes


def test_at_95_percent_of_its_life_a_new_token_is_waited_for(token: GoogleToken, clock: Clock) -> None:
    async def story() -> None:
        await token.get()
        clock.advance(LIFE_S * 0.96)
        assert await token.get() == "secret-2"

    asyncio.run(story())


def test_a_background_fetch_that_fails_leaves_the_old_token(token: GoogleToken, credentials: Credentials, clock: Clock) -> None:
    async def story() -> None:
        await token.get()
        clock.advance(LIFE_S * 0.6)
        credentials.failure = OSError("no route; secret-1")
        assert await token.get() == "secret-1"
        with pytest.raises(errors.AuthMissing):
            await fetched(token)
        credentials.failure = None
        failed = token._fetching
        assert await token.get() == "secret-1"
        assert token._fetching is failed  # it is not asked for with each call
        clock.advance(11)
        await token.get()
        await fetched(token)
        assert await token.get() == "secret-2"

    asyncio.run(story())


def test_a_token_is_used_in_several_loops_one_after_the_other(token: GoogleToken, credentials: Credentials) -> None:
    assert [asyncio.run(token.get()) for _ in range(3)] == ["secret-1"] * 3  # type: ignore[arg-type]
    assert credentials.refreshes == 1


def test_tokens_are_not_told(token: GoogleToken, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    asyncio.run(token.get())  # type: ignore[arg-type]
    assert "secret" not in repr(token) + str(token) + caplog.text


class Service:
    """Answers with the statuses it is told to, and notes the tokens that came."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.tokens: list[str | None] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers.get("Authorization"))
        status = self.statuses.pop(0)
        body = {} if status == 200 else {"error": {"code": status, "status": "UNAUTHENTICATED", "message": "who are you"}}
        return web.json_response(body, status=status)

    async def list_topics(self, token: TokenSource) -> dict[str, Any]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        try:
            async with PublisherClient(token=token, api_root=f"http://{host}:{port}/v1", api_is_dev=False) as client:
                return await client.list_topics("projects/p")
        finally:
            await runner.cleanup()


def test_36_a_refused_token_is_replaced_once_and_the_call_repeated_once(token: GoogleToken) -> None:
    service = Service(401, 200)
    assert asyncio.run(service.list_topics(token)) == {}
    assert service.tokens == ["Bearer secret-1", "Bearer secret-2"]


def test_36_a_second_refusal_is_final(token: GoogleToken) -> None:
    service = Service(401, 401, 200)
    with pytest.raises(errors.Unauthenticated) as refused:
        asyncio.run(service.list_topics(token))
    assert service.tokens == ["Bearer secret-1", "Bearer secret-2"]
    assert "secret" not in str(refused.value) + repr(refused.value)


def test_a_token_of_gcloud_aio_auth_fits(caplog: pytest.LogCaptureFixture) -> None:
    class Token:
        async def get(self) -> str:
            return "theirs"

    service = Service(200)
    asyncio.run(service.list_topics(Token()))
    assert service.tokens == ["Bearer theirs"]
    with pytest.raises(aiohttp.ClientResponseError):
        asyncio.run(Service(401, 200).list_topics(Token()))


def test_37_on_an_emulator_no_token_is_asked_for_and_google_auth_is_not_imported(environment: str) -> None:
    script = """
import asyncio, sys
from publican.aio import PublisherClient
async def story():
    async with PublisherClient(service_file="/nowhere.json") as client:
        await client.list_topics("projects/p")
asyncio.run(story())
assert not [name for name in sys.modules if name.startswith(("google.auth", "requests", "grpc", "google.cloud"))]
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("missing", ["google.auth", "google.auth.transport.requests"])
def test_a_missing_library_is_said_with_its_cure(missing: str, credentials: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    token = GoogleToken() if missing == "google.auth" else GoogleToken(find=lambda: credentials)
    with pytest.raises(errors.AuthMissing, match=r"pip install 'publican\[auth\]'"):
        asyncio.run(token.get())  # type: ignore[arg-type]


def test_no_credentials_are_said_with_their_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(errors.AuthMissing, match=r"service_file= or token="):
        asyncio.run(GoogleToken().get())  # type: ignore[arg-type]


@pytest.mark.parametrize("opened", [False, True])
def test_a_service_accounts_file_is_read_by_path_and_as_an_open_file(tmp_path: Any, *, opened: bool) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "service.json"
    account = {"type": "service_account", "client_email": "a@b.example", "token_uri": "http://127.0.0.1:1/token", "private_key": key.decode()}
    path.write_text(json.dumps(account))
    with path.open() as file:
        found = GoogleToken(file if opened else path)._find()
    assert found.service_account_email == "a@b.example"  # type: ignore[attr-defined]


class GrpcService:
    """A gRPC server that refuses the first tokens, and notes what came."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.metadata: list[dict[str, str]] = []

    async def run(self, story: Callable[[GrpcTransport], Coroutine[Any, Any, None]], token: TokenSource) -> None:
        import grpc.aio

        async def publish(request: bytes, context: Any) -> bytes:
            found = dict(context.invocation_metadata())
            self.metadata.append(found)
            if found.get("authorization", "").removeprefix("Bearer ") in self.refused:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you")
            return types.PublishResponse(message_ids=["1"]).SerializeToString()

        async def streaming_pull(requests: Any, context: Any) -> None:
            found = dict(context.invocation_metadata())
            self.metadata.append(found)
            await anext(aiter(requests))
            if found["authorization"].removeprefix("Bearer ") in self.refused:
                await context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you")
            await context.write(types.StreamingPullResponse().SerializeToString())

        server = grpc.aio.server()
        handlers = {"Publish": grpc.unary_unary_rpc_method_handler(publish)}
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", handlers)])
        streams = {"StreamingPull": grpc.stream_stream_rpc_method_handler(streaming_pull)}
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", streams)])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        transport = GrpcTransport(Endpoint(f"http://127.0.0.1:{port}/v1", is_dev=False), token=token)
        try:
            await asyncio.wait_for(story(transport), 20)
        finally:
            await transport.close()
            await server.stop(None)


REQUEST = types.PublishRequest(topic="projects/p/topics/orders", messages=[types.PubsubMessage(data=b"x")])


def test_36_over_grpc_a_refused_token_is_replaced_once(token: GoogleToken) -> None:
    async def story(transport: GrpcTransport) -> None:
        assert (await transport.unary("/google.pubsub.v1.Publisher/Publish", REQUEST, timeout=5)).message_ids == ["1"]

    service = GrpcService("secret-1")
    asyncio.run(service.run(story, token))
    assert [found["authorization"] for found in service.metadata] == ["Bearer secret-1", "Bearer secret-2"]
    assert service.metadata[0]["x-goog-request-params"] == "topic=projects%2Fp%2Ftopics%2Forders"


def test_36_over_grpc_a_second_refusal_is_final(token: GoogleToken) -> None:
    async def story(transport: GrpcTransport) -> None:
        with pytest.raises(errors.Unauthenticated):
            await transport.unary("/google.pubsub.v1.Publisher/Publish", REQUEST, timeout=5)

    service = GrpcService("secret-1", "secret-2")
    asyncio.run(service.run(story, token))
    assert len(service.metadata) == 2


def test_a_stream_that_was_refused_ends_and_the_next_has_a_fresh_token(token: GoogleToken) -> None:
    async def story(transport: GrpcTransport) -> None:
        first = types.StreamingPullRequest(subscription="projects/p/subscriptions/billing", stream_ack_deadline_seconds=10)
        assert await (await transport.streaming_pull(first)).read(1) is None
        stream = await transport.streaming_pull(first)
        assert await stream.read(1) == types.StreamingPullResponse()
        await stream.close()

    service = GrpcService("secret-1")
    asyncio.run(service.run(story, token))
    assert [found["authorization"] for found in service.metadata] == ["Bearer secret-1", "Bearer secret-2"]
