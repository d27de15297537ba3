"""The source of `publican.rest`'s classes: the signatures of the asynchronous ones, each call through the portal."""

import inspect
import re
import textwrap
from typing import Any

import api_source
from publican.aio.modern import Publisher, Subscriber
from publican.aio.publisher_client import PublisherClient
from publican.aio.subscriber_client import SubscriberClient

HEAD = '''"""The blocking classes: those of `publican.aio`, method by method. Made by scripts/make_clients.py; do not edit.

PYTEST_DONT_REWRITE
"""

import asyncio
import concurrent.futures
import datetime
import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from google.protobuf.message import Message

from publican import aio, types
from publican.aio import calls
from publican.aio.api import Api as AsyncApi
from publican.aio.calling import TIMEOUT_S
from publican.aio.consuming import Stats
from publican.aio.modern import Publisher as AsyncPublisher
from publican.aio.modern import Subscriber as AsyncSubscriber
from publican.aio.publisher_client import PublisherClient as AsyncPublisherClient
from publican.aio.subscriber_client import SubscriberClient as AsyncSubscriberClient
from publican.auth import TokenSource
from publican.clock import Clock
from publican.effects import Drained
from publican.flow import FlowControl
from publican.message import PubsubMessage
from publican.observe import Observer
from publican.rest import receiving
from publican.rest.handlers import Handler, StreamingPullFuture, SubscriberMessage
from publican.rest.twin import Result, Twin
from publican.retry import PUBLISH, RetryPolicy
from publican.room import PublishLimits
from publican.settlement import How
from publican.transport.protocol import Connection

TransportChoice = Literal["auto", "grpc", "polling"]

'''
CONTEXT = """
    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
"""
PATHS = "".join(f"    {name} = staticmethod(calls.{name})\n" for name in ("project_path", "subscription_path", "topic_path"))
SUBSCRIBER_CLIENT = '''
    def create_subscription(
        self, subscription: str, topic: str, body: Mapping[str, Any] | None = None, *, session: Any = None, timeout: float = 10, **fields: Any
    ) -> dict[str, Any]:
        """Create a subscription; one that exists is as good, as in gcloud-rest-pubsub 2.1.2, and `{}` is given then.

        `body` holds its settings as REST names them, `fields` as the API does (`ack_deadline_seconds=30`).
        """
        return self._twin.call(
            lambda client: client._forgiving(client.create_subscription(subscription, topic, body, timeout=timeout, **fields)), session
        )

    def subscribe(
        self, subscription: str, callback: Handler, *, flow_control: Sequence[float] = (), handlers: int | None = None
    ) -> StreamingPullFuture:
        """Call `callback` on a thread for each message, and give the keep-alive: its result is waited for, cancelling it drains.

        `ack()`, `nack()` and `drop()` settle a message; that the callback returns does not, an exception in it is a nack. `handlers` is the number of
        threads: as many as `max_messages`, at most ten, where it is not given.
        """
        return receiving.subscribe(self._twin, subscription, callback, flow_control, handlers, on_return=None)

    def run_forever(self, keep_alive: StreamingPullFuture) -> None:
        """Wait until SIGTERM, SIGINT or the end of the keep-alive, and for the drain.

        Raises:
            PubsubError: what has ended the subscription.
        """
        receiving.run_forever(keep_alive)
'''
PUBLISHER = '''
    def submit(
        self, topic: str, data: bytes | str | PubsubMessage, *, ordering_key: str = "", **attributes: str
    ) -> "concurrent.futures.Future[str]":
        """Take a message into its batch, after waiting for room if there is none; the future is its id, or why it has none.

        Raises:
            MessageTooLarge, OrderingKeyPaused, PublishLimitReached, Closed: as for `publican.aio.Publisher.submit`.
        """

        async def submitted(client: AsyncPublisher) -> "concurrent.futures.Future[str]":
            result: Result[str] = Result()
            waiting = await client.submit(topic, data, ordering_key=ordering_key, **attributes)
            waiting.add_done_callback(lambda ended: receiving.fulfil(result, ended))
            return result

        return self._twin.call(submitted)

    def resume(self, topic: str, ordering_key: str) -> None:
        """Publish a key again after one of its messages has failed; without effect when none has."""

        async def resumed(client: AsyncPublisher) -> None:
            client.resume(topic, ordering_key)

        self._twin.call(resumed)
'''
SUBSCRIBER = '''
    def subscribe(
        self, subscription: str, handler: Handler, *, flow_control: Sequence[float] = FlowControl(), handlers: int | None = None
    ) -> StreamingPullFuture:
        """Call `handler` on a thread for each message, in the background: its return acks the message, an exception nacks it.

        The future is the keep-alive: its result is waited for, cancelling it drains. `handlers` is the number of threads: as many as `max_messages`, at
        most ten, where it is not given.
        """
        return receiving.subscribe(self._twin, subscription, handler, flow_control, handlers, on_return=How.ACK)

    def run(
        self, subscription: str, handler: Handler, *, flow_control: Sequence[float] = FlowControl(), handlers: int | None = None
    ) -> Drained:
        """Do as `subscribe`, and wait for the end; Ctrl-C drains first.

        Raises:
            PubsubError: the service has ended the subscription.
        """
        return receiving.run(self.subscribe(subscription, handler, flow_control=flow_control, handlers=handlers))

    def stream(self, subscription: str, *, flow_control: Sequence[float] | None = None) -> receiving.BlockingStream:
        """Give the messages of a subscription, to be iterated; whoever takes one settles it, on any thread."""
        return receiving.stream(self._twin, subscription, flow_control)

    def stats(self) -> list[Stats]:
        """Look at each subscription: its load, what is held and running, the oldest message, reconnects."""

        async def looked_at(client: AsyncSubscriber) -> list[Stats]:
            return client.stats()

        return self._twin.call(looked_at)
'''
BLOCKING = {
    "Publishes, and keeps topics. Made anywhere, used in a running loop; errors are": "Publishes, and keeps topics. Errors are",
    "`session` is used and never closed; without one each loop gets its own. ": "",
    "`loop` is where `subscribe` runs where none is running; without it the client makes one. ": "",
    "Close the session, if it is the client's own.": "Close the connections.",
    "`stream` to iterate, `run` to handle.": "`stream` to iterate, `run` and `subscribe` to handle on threads.",
}
"""What is said of the asynchronous classes alone."""


def source() -> str:
    """Give the module's text."""
    return HEAD + "\n\n".join(
        [
            _class(PublisherClient, PATHS),
            _class(SubscriberClient, PATHS + "    snapshot_path = staticmethod(calls.snapshot_path)\n", SUBSCRIBER_CLIENT),
            _class(Publisher, "", PUBLISHER),
            _class(Subscriber, "", SUBSCRIBER),
            _api(),
        ]
    )


def _class(kind: type[Any], names: str, special: str = "") -> str:
    said = _docstring(kind, "    ")
    methods = [_method(name, each) for name, each in vars(kind).items() if inspect.iscoroutinefunction(each) and not name.startswith("_")]
    written = set(re.findall(r"def (\w+)\(", special))
    body = "\n".join(text for name, text in methods if name not in {*written, "close"})
    return f"class {kind.__name__}:\n{said}\n{names}\n{_init(kind)}\n{body}{special}\n{_close(kind)}{CONTEXT}"


def _init(kind: type[Any]) -> str:
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    given = [each for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD and each.name != "loop"]
    keywords = ", ".join(_parameter(each) for each in given)
    settings = ", ".join(f'"{each.name}": {each.name}' for each in given)
    rest = ", **connection: Any" if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters) else ""
    settings = f"{{{settings}{', **connection' if rest else ''}}}"
    made = (
        ""
        if kind is not SubscriberClient
        else "\n\n        def made(**settings: Any) -> AsyncSubscriberClient:\n            client = AsyncSubscriberClient(**settings)\n            client._message = SubscriberMessage\n            return client\n"
    )
    maker = "made" if made else f"Async{kind.__name__}"
    return (
        f"    def __init__(self, *, {keywords}{rest}) -> None:{made}\n"
        f"        self._twin: Twin[Async{kind.__name__}] = Twin({maker}, {settings}, close=lambda client: client.close())\n"
    )


def _method(name: str, function: Any) -> tuple[str, str]:
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())[1:]
    texts, passed, star = [], [], False
    for each in parameters:
        if each.kind is inspect.Parameter.KEYWORD_ONLY and not star:
            star = True
            texts.append("*")
        texts.append(_parameter(each))
        if each.kind is inspect.Parameter.VAR_KEYWORD:
            passed.append(f"**{each.name}")
        elif each.name != "session":
            passed.append(
                each.name
                if each.kind is not inspect.Parameter.KEYWORD_ONLY and "session" not in str(passed) and not _after_session(parameters, each)
                else f"{each.name}={each.name}"
            )
    returns = _annotation(signature.return_annotation)
    unused = ", session" if any(each.name == "session" for each in parameters) else ""
    call = f"self._twin.call(lambda client: client.{name}({', '.join(passed)}){unused})"
    body = call if returns == "None" else f"return {call}"
    if name == "pull":
        body = "messages: Any = " + call + "\n        pulled: list[SubscriberMessage] = messages\n        return pulled"
    return name, f"    def {name}(self, {', '.join(texts)}) -> {returns}:\n{_docstring(function, '        ')}\n        {body}\n"


def _after_session(parameters: list[inspect.Parameter], each: inspect.Parameter) -> bool:
    names = [parameter.name for parameter in parameters]
    return "session" in names and names.index(each.name) > names.index("session")


def _parameter(each: inspect.Parameter) -> str:
    kind = "Any" if each.name == "session" else _annotation(each.annotation)
    text = f"{'**' if each.kind is inspect.Parameter.VAR_KEYWORD else ''}{each.name}: {kind}"
    if each.default is inspect.Parameter.empty:
        return text
    default = repr(each.default)
    if "PublishLimits" in kind:
        default = "PublishLimits()"
    elif "RetryPolicy" in kind:
        default = "PUBLISH"
    elif isinstance(each.default, tuple) and each.default:
        default = "FlowControl()"
    return f"{text} = {default}"


def _annotation(found: Any) -> str:
    text = found if isinstance(found, str) else inspect.formatannotation(found)
    text = re.sub(r"typing\.|collections\.abc\.|pathlib\.|publican\.[a-z_.]+\.|aiohttp\.client\.", "", text)
    text = text.replace("Literal['auto', 'grpc', 'polling']", "TransportChoice").replace("ssl.SSLContext", "ssl.SSLContext")
    return _union(text).replace("NoneType", "None")


def _union(text: str) -> str:
    """Write `Union[A, B[C, D]]`, as older Pythons say it, as `A | B[C, D]`."""
    if not text.startswith("Union["):
        return text
    parts, depth = [""], 0
    for each in text.removeprefix("Union[").removesuffix("]"):
        depth += (each == "[") - (each == "]")
        if each == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += each
    return " | ".join(part.strip() for part in parts)


def _docstring(thing: Any, indent: str) -> str:
    said = inspect.cleandoc(thing.__doc__)
    for before, after in BLOCKING.items():
        said = said.replace(before, after)
    lines = said.splitlines()
    if len(lines) == 1:
        return f'{indent}"""{lines[0]}"""'
    return textwrap.indent('"""' + "\n".join(lines) + '\n"""', indent)


def _close(kind: type[Any]) -> str:
    return f"    def close(self) -> None:\n{_docstring(kind.close, '        ')}\n        self._twin.close()\n"


def _api() -> str:
    text = api_source.source()
    text = text[text.index("class Api:") :]
    text = re.sub(
        r"    def __init__\(.*?(?=    async def call)",
        '    def __init__(self, *, clock: Clock | None = None, transport: TransportChoice | Connection = "polling", **connection: Any) -> None:\n'
        '        self._twin: Twin[AsyncApi] = Twin(AsyncApi, {"clock": clock, "transport": transport, **connection}, close=lambda client: client.close())\n\n'
        '    def close(self) -> None:\n        """Close the connections."""\n        self._twin.close()\n' + CONTEXT + "\n",
        text,
        flags=re.DOTALL,
    )
    text = text.replace("Lists are\n    asynchronous iterators that ask", "Lists are\n    iterators that ask")
    text = re.sub(
        r"return await self\._calling\.call\(path_of\(method\), request, timeout=timeout\)",
        "return self._twin.call(lambda client: client.call(method, request, timeout=timeout))",
        text,
    )
    text = re.sub(r"    async def ", "    def ", text).replace("AsyncIterator[", "Iterator[")
    return re.sub(
        r"(    def (\w+)\(\n        self,\n        request: [^\n]+\n        \*,\n((?:        \w+: [^\n]+\n)+)    \) -> ([^\n]+):\n        \"\"\"[^\n]+\"\"\"\n)(?:        [^\n]+\n)+",
        _api_method,
        text,
    )


def _api_method(found: re.Match[str]) -> str:
    head, name, keywords, returns = found.groups()
    passed = ", ".join(f"{each}={each}" for each in re.findall(r"^        (\w+):", keywords, re.MULTILINE))
    through = "items" if returns.startswith("Iterator") else "call"
    call = f"self._twin.{through}(lambda client: client.{name}(request, {passed}))"
    return f"{head}        {call}\n" if returns == "None" else f"{head}        return {call}\n"
