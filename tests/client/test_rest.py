"""REST at its edges: proxies, TLS, large bodies, odd names, answers that are none, clients that nobody closes, time held still."""

import asyncio
import gc
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import freezegun
import pytest
from aiohttp import web

from publican import errors
from publican.aio import PublisherClient, PubsubMessage, SubscriberClient
from publican.rest import PublisherClient as BlockingPublisherClient
from publican.rest import SubscriberClient as BlockingSubscriberClient
from publican.rest import SubscriberMessage
from publican.transport.deadlines import Deadlines

LIMIT_S = 20.0
Answer = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]


@asynccontextmanager
async def served(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve one answer for everything, and give its address."""
    app = web.Application(client_max_size=1 << 25)
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield "{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), LIMIT_S))


@pytest.mark.parametrize(("no_proxy", "is_used"), [("", True), ("service.example", False)])
def test_the_environments_proxy_is_used_unless_it_is_excepted(monkeypatch: pytest.MonkeyPatch, no_proxy: str, *, is_used: bool) -> None:
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    async def story() -> None:
        async with await asyncio.start_server(proxy, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            monkeypatch.setenv("http_proxy", f"http://{host}:{port}")
            monkeypatch.setenv("no_proxy", no_proxy)
            async with PublisherClient(api_root="http://service.example/v1") as client:
                try:
                    await client.list_topics("projects/p", timeout=2)
                except errors.PubsubError:
                    assert not is_used
            async with PublisherClient(api_root=f"http://localhost:{port}/v1") as client:
                await client.list_topics("projects/p")  # never by a proxy to this machine: it would be asked in its own form

    run(story)
    assert asked == ([b"GET http://service.example/v1/projects/p/topics HTTP/1.1\r\n"] if is_used else []) + [
        b"GET /v1/projects/p/topics HTTP/1.1\r\n"
    ]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for localhost that nobody has signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_tls_is_verified_against_what_is_trusted(certificate: Path) -> None:
    class Token:
        async def get(self) -> str:
            return "secret"

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"authorization": request.headers.get("Authorization")})

    async def story() -> None:
        theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        theirs.load_cert_chain(certificate)
        trusting = ssl.create_default_context(cafile=str(certificate))
        async with served(answer, theirs) as address:
            root = f"https://localhost:{address.rpartition(':')[2]}/v1"
            async with PublisherClient(api_root=root, api_is_dev=False, token=Token()) as client:
                with pytest.raises(errors.Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
                    await client.list_topics("projects/p")
            async with PublisherClient(api_root=root, api_is_dev=False, token=Token(), ssl_context=trusting) as client:
                assert await client.list_topics("projects/p") == {"authorization": "Bearer secret"}
            async with PublisherClient(api_root=root) as client:  # an emulator's: nobody has signed those
                assert await client.list_topics("projects/p") == {"authorization": None}

    run(story)


def test_nine_megabytes_travel(topic: str, subscription: str) -> None:
    async def story() -> None:
        async with PublisherClient() as publisher, SubscriberClient() as subscriber:
            await publisher.create_topic(topic)
            await subscriber.create_subscription(subscription, topic)
            await publisher.publish(topic, [PubsubMessage(b"x" * 9_000_000)])
            [message] = await subscriber.pull(subscription, 1)
            assert message.data == b"x" * 9_000_000

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(story)


@pytest.mark.parametrize("resource_id", ["a%41b", "a+b~c.d_e-f", "topic%2Fwith"])
def test_an_id_is_data_and_no_escape(environment: str, project: str, resource_id: str) -> None:
    async def story() -> None:
        async with PublisherClient() as client:
            name = client.topic_path(project, resource_id)
            assert (await client.create_topic(name))["name"] == name
            await client.delete_topic(name)

    run(story)


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (502, "<html>bad gateway</html>", errors.Unavailable, "<html>bad gateway"),
        (429, "", errors.ResourceExhausted, "HTTP 429"),
        (302, "", errors.Unknown, "HTTP 302"),
        (400, '{"error": []}', errors.InvalidArgument, "error"),
        (409, '{"error": {"status": "ABORTED", "message": "again"}}', errors.Aborted, "again"),
        (504, '{"error": {"message": "late"}}', errors.DeadlineExceeded, "late"),
    ],
)
def test_an_answer_that_is_none_is_one_of_the_family(status: int, body: str, kind: type[errors.PubsubError], says: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    async def story() -> None:
        async with served(answer) as address, PublisherClient(api_root=f"http://{address}/v1") as client:
            with pytest.raises(kind, match=says) as refused:
                await client.list_topics("projects/p")
            assert refused.value.status == status

    run(story)


def test_the_delay_that_the_service_asks_for_is_read() -> None:
    body = {
        "error": {"status": "UNAVAILABLE", "message": "x", "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"}]}
    }

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=503)

    async def story() -> None:
        async with served(answer) as address, PublisherClient(api_root=f"http://{address}/v1") as client:
            with pytest.raises(errors.Unavailable) as refused:
                await client.list_topics("projects/p")
            assert refused.value.retry_delay_s == 1.5
            assert refused.value.retryable

    run(story)


def test_an_answer_that_breaks_off_is_unavailable() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.abort()
        return response

    async def story() -> None:
        async with served(answer) as address, PublisherClient(api_root=f"http://{address}/v1") as client:
            with pytest.raises(errors.Unavailable):
                await client.list_topics("projects/p")

    run(story)


def test_a_users_session_is_used_and_not_closed(topic: str) -> None:
    async def story() -> None:
        async with aiohttp.ClientSession(headers={"X-Mine": "yes"}, raise_for_status=True) as session:
            async with PublisherClient(session=session) as client:
                await client.create_topic(topic)
                with pytest.raises(errors.AlreadyExists):  # the session's own raise_for_status would have no body to show
                    await client.create_topic(topic)
            assert not session.closed
            async with PublisherClient() as client:
                await client.list_topics("projects/p", session=session)

    run(story)


@pytest.mark.parametrize("collects", [False, True])
def test_a_client_that_nobody_closes_leaves_nothing_open(topic: str, *, collects: bool) -> None:
    async def story() -> None:
        for _ in range(3):
            with pytest.raises(errors.NotFound):
                await PublisherClient().publish(topic, [PubsubMessage("x")])
            if collects:
                gc.collect()
                await asyncio.sleep(0)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(story)
        gc.collect()


def test_44_time_held_still_holds_nobody(topic: str, subscription: str, environment: str) -> None:
    handled = threading.Event()

    def callback(message: SubscriberMessage) -> None:
        message.ack()
        handled.set()

    with freezegun.freeze_time("2020-01-01"), BlockingPublisherClient() as publisher:
        publisher.create_topic(topic)
        with BlockingSubscriberClient(transport="polling") as subscriber:
            subscriber.create_subscription(subscription, topic)
            with pytest.raises(errors.DeadlineExceeded):
                subscriber.pull(subscription, 1, timeout=0.1)
            keep_alive = subscriber.subscribe(subscription, callback)
            publisher.publish(topic, [PubsubMessage("one")])
            assert handled.wait(LIMIT_S)
            keep_alive.cancel()


def test_deadlines_end_calls_in_their_order_with_one_timer() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        deadlines = Deadlines(loop)
        ended: list[str] = []

        async def call(name: str, timeout: float) -> None:
            watched = deadlines.begin(timeout)
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                assert watched.has_ended()
                ended.append(name)
            finally:
                deadlines.end(watched)

        await asyncio.gather(call("third", 0.06), call("first", 0.02), call("second", 0.04))
        assert ended == ["first", "second", "third"]
        assert deadlines._timer is None
        assert not deadlines._queues

    run(story)
