"""The emulator: the only file that knows all rooms. It puts a broker behind a port, and at a reset another broker behind the same port.

    with Emulator() as emulator:         a thread and a loop of its own; its methods are for every other thread
    async with Emulator() as emulator:   in the caller's loop; its methods are for that loop

PYTEST_DONT_REWRITE
"""

import asyncio
import contextlib
import functools
import os
import pathlib
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from publican_emulator import endpoint, javascript
from publican_emulator.broker.abilities import Abilities
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.errors import Unavailable
from publican_emulator.broker.events import Fact, Listener
from publican_emulator.broker.instants import Nanos
from publican_emulator.carriers import Carriers, check_avro, check_oidc
from publican_emulator.control import Control, Participant
from publican_emulator.driver import Clock, Driver, SystemClock
from publican_emulator.history import History
from publican_emulator.ingestion.ingesting import Ingesting
from publican_emulator.inprocess import LoopThread, real_sockets
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.faults import Faults
from publican_emulator.rpc.http import Headers, HttpRequest, HttpResponse
from publican_emulator.rpc.rest import Rest
from publican_emulator.schemas.compiler import compile_definition
from publican_emulator.services import table
from publican_emulator.services.messages import Messages
from publican_emulator.services.streaming_pull import StreamingPull
from publican_emulator.services.transforms import CALLS
from publican_emulator.transport.server import Server

if TYPE_CHECKING:
    from publican_emulator.admin.pages import AdminPages

T = TypeVar("T")

PULL_WAIT_S: Final = 90.0
STOP_GRACE_S: Final = 0.3
"""How long the end waits for answers to leave, so that all of it takes less than a second."""

_OWN_HEADERS: Final[Mapping[str, str]] = {"host": "localhost", "x-publican-admin": "in process"}


class Emulator:
    """A Pub/Sub on a port, between entering and leaving its context: it listens when the context is entered, and leaves nothing behind."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Clock | None = None,
        pull_wait_s: float = PULL_WAIT_S,
        stream_max_age_s: float | None = None,
        enforce_quotas: bool = False,
        cors_origins: Collection[str] = (),
        listener: Listener | None = None,
        history: bool = False,
        admin: bool | None = None,
        push_verify_tls: bool = True,
        buckets: str | os.PathLike[str] | None = None,
        export_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        """Make one; it listens when its context is entered.

        `port` 0 takes a free one. `pull_wait_s`: when a Pull that finds nothing gives up. `stream_max_age_s`: when a StreamingPull is closed with
        UNAVAILABLE (never). `enforce_quotas`: whether a project has at most as many topics, subscriptions and snapshots as the service allows it.
        `listener` is told every fact, in the loop. `history`: facts are kept, for `history` and the admin API. `admin`: whether
        the admin API answers (None: where nobody but this machine can ask). `push_verify_tls`: whether the certificates of push endpoints count.
        `buckets`: the folder that stands for Cloud Storage, where topics with such ingestion settings get their messages from: each folder in it is a
        bucket.
        `export_dir`: the folder that export subscriptions write to (None: to STORAGE_EMULATOR_HOST and BIGQUERY_EMULATOR_HOST, where those are set).
        """
        self.host = host
        self._wanted_port = port
        self._listener = listener
        self.history = History()
        """What happened since the last reset, when it is kept."""
        self._keeps_history = history
        self._enforces_quotas = enforce_quotas
        self._abilities = Abilities(javascript.load, check_oidc, check_avro)
        self._driver = Driver(self._empty_broker(), clock or SystemClock())
        self.faults = Faults(self._driver.sleep, self._topic_of)
        """Calls that are to fail or to wait."""
        self._messages = Messages(self._driver, pull_wait_s=pull_wait_s)
        self._dispatcher = Dispatcher(
            table.unary(self._driver, self._messages.handlers(), self.faults.is_denied),
            table.streaming(StreamingPull(self._driver, max_age_s=stream_max_age_s).handlers()),
            existing_names=lambda kind: self._driver.broker.existing_names(kind),
            faults=self.faults,
        )
        self.control = Control(self._driver, self.faults, self._empty_broker, self._forget, lambda: self._server.drop(STOP_GRACE_S))
        """What moves the time, for code in the emulator's own loop."""
        self._admin = admin
        surprised = self._dispatcher.surprised
        self._ingesting = Ingesting(self._driver, None if buckets is None else pathlib.Path(buckets), surprised)
        self.control.participants.append(self._ingesting)
        self._carriers = Carriers(self._driver, self.control.participants, surprised, verify_tls=push_verify_tls, export_dir=export_dir)
        verbs = {verb: functools.partial(self._ask_of_transforms, verb) for verb in CALLS}
        self._rest = Rest(self._dispatcher, cors_origins=cors_origins, admin=self._ask_admin, documents=self._carriers.documents(), verbs=verbs)
        self._server = Server(self._dispatcher, self._rest)
        self._bound: list[tuple[str, int]] = []
        self._thread: LoopThread | None = None
        self._scope = ExitStack()

    # life

    def __enter__(self) -> Self:
        thread = LoopThread()
        with ExitStack() as scope, real_sockets():
            scope.enter_context(thread)
            thread.call(self._start)
            scope.callback(thread.call, self._stop)
            self._thread = thread
            self._scope = scope.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._scope.close()

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stop()

    async def _start(self) -> None:
        if self._bound:
            raise RuntimeError("this Emulator has been started before: make another")
        self._driver.attach(asyncio.get_running_loop())
        self._bound = await self._server.start(endpoint.listening(self.host), self._wanted_port)
        self._wake_ingesting()

    async def _stop(self) -> None:
        await self._carriers.write_open()
        self._driver.broker.end_consumers(Unavailable("The emulator is shutting down."))
        self._driver.settle()
        self._driver.close()
        await self._ingesting.close()
        await self._carriers.close()
        await self._server.stop(STOP_GRACE_S)

    # where it is

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if not self._bound:
            raise RuntimeError("this Emulator does not listen yet: enter its context first")
        return self._bound[0][1]

    @property
    def address(self) -> str:
        """`HOST:PORT`, as PUBSUB_EMULATOR_HOST wants it."""
        return endpoint.reachable(self.host, self.port)

    @property
    def addresses(self) -> list[str]:
        """Every `HOST:PORT` that it listens on, in numbers."""
        return [endpoint.shown(host, port) for host, port in self._bound]

    # what may be done to it

    @property
    def surprises(self) -> list[Exception]:
        """Errors that were bugs of ours, since the last reset."""
        return self._dispatcher.surprises

    def reset(self, why: str = "The emulator was reset.", *, clock: Clock | None = None, pull_wait_s: float | None = None) -> None:
        """Go on with an empty broker: message ids start at 1 again, and what waits on the old one ends FAILED_PRECONDITION, with `why`.

        The time stays what it is, unless another clock is given, and so does the wait of a Pull that finds nothing.
        """
        if pull_wait_s is not None:
            self._messages.pull_wait_s = pull_wait_s
        if self._thread is None:
            self.control.reset(why, clock=clock)
        else:
            self._thread.call(self.control.reset, why, clock=clock)

    def _forget(self) -> None:
        self.history.clear()
        self._dispatcher.surprises.clear()

    def dump_state(self) -> bytes:
        """Give all resources, messages and leases as a document; see `Control.dump_state`."""
        return self.control.dump_state() if self._thread is None else self._thread.call(self.control.dump_state)

    def load_state(self, state: bytes) -> None:
        """Go on with what `dump_state` has told of, in place of all there is; see `Control.load_state`."""
        if self._thread is None:
            self.control.load_state(state)
        else:
            self._thread.call(self.control.load_state, state)

    def _empty_broker(self) -> Broker:
        broker = Broker(self._hearing(), compile_schema=compile_definition, abilities=self._abilities, enforces_quotas=self._enforces_quotas)
        broker.on_ingestion = self._wake_ingesting
        return broker

    def _hearing(self) -> Listener | None:
        listener = self._listener
        if not self._keeps_history:
            return listener
        if listener is None:
            return self.history

        def both(fact: Fact) -> None:
            self.history(fact)
            listener(fact)

        return both

    def _wake_ingesting(self) -> None:
        if self._bound:  # else nothing runs yet
            self._ingesting.wake()

    def _topic_of(self, subscription: str) -> str:
        known = self._driver.broker.subscriptions.find(subscription)
        return "" if known is None else known.topic_name

    def _keep(self, *, history: bool | None, pull_wait_s: float | None) -> None:
        self._keeps_history = self._keeps_history if history is None else history
        self._messages.pull_wait_s = self._messages.pull_wait_s if pull_wait_s is None else pull_wait_s

    def _ask_admin(self, request: HttpRequest, headers: Headers) -> HttpResponse | Coroutine[Any, Any, HttpResponse]:
        return self._admin_pages.answer(request, headers)

    def _ask_of_transforms(self, verb: str, body: bytes) -> object:
        from publican_emulator.services.transform_calls import TransformCalls  # REST's side, which gRPC's users do not pay for

        return TransformCalls(self._driver).verbs()[verb](body)

    @functools.cached_property
    def _admin_pages(self) -> "AdminPages":
        from publican_emulator import __version__  # what only those pay for who ask
        from publican_emulator.admin.operations import Operations
        from publican_emulator.admin.pages import AdminPages

        operations = Operations(self.control, self.history, self._describe, lambda: self.surprises, self._keep)
        return AdminPages(operations, __version__, enabled=endpoint.is_loopback(self.host) if self._admin is None else self._admin)

    def _describe(self) -> dict[str, object]:
        return {"name": "publican", "address": self.address, "history": self._keeps_history, "pullWaitSeconds": self._messages.pull_wait_s}

    def ask(self, method: str, target: str, body: bytes = b"") -> HttpResponse:
        """Answer an HTTP request to the REST or admin API without a socket."""
        request = HttpRequest(method, target, _OWN_HEADERS, body, "in process")
        return self._threaded().call(self._ask, request)

    async def _ask(self, request: HttpRequest) -> HttpResponse:
        answer = self._rest.answer(request)
        return answer if isinstance(answer, HttpResponse) else await answer

    def run(self, operation: Callable[..., T], *arguments: object) -> T:
        """Run an operation of the broker as a call would: `emulator.run(Broker.create_topic, name, TopicSettings())`. The time is added.

        Raises:
            PubsubError: what the operation refuses.
        """
        return self._run(operation, arguments) if self._thread is None else self._thread.call(self._run, operation, arguments)

    def _run(self, operation: Callable[..., T], arguments: tuple[object, ...]) -> T:
        result, _ = self._driver.run(operation, self._driver.broker, *arguments)
        return result

    def now(self) -> Nanos:
        """Give the instant, in nanoseconds since the epoch."""
        return self._driver.clock.now()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, from deadline to deadline; see `Control.advance`, which is for code in the emulator's own loop."""
        self._threaded().call(self.control.advance, seconds)

    def move_to(self, instant: Nanos) -> None:
        """Let time pass until `instant`; see `Control.move_to`."""
        self._threaded().call(self.control.move_to, instant)

    @contextlib.contextmanager
    def joined(self, participant: Participant) -> Iterator[None]:
        """Let somebody run on the emulator's clock for a block: `advance` visits the deadlines of both, and lets both come to rest at each."""
        self.control.participants.append(participant)
        try:
            yield
        finally:
            self.control.participants.remove(participant)

    def break_streams(self, subscription: str | None = None) -> int:
        """Cut open streams and waiting pulls, of one subscription or of all; see `Control.break_streams`."""
        return self.control.break_streams(subscription) if self._thread is None else self._thread.call(self.control.break_streams, subscription)

    def _threaded(self) -> LoopThread:
        if self._thread is None:
            raise RuntimeError("this emulator runs in the caller's loop: await emulator.control.advance(...) instead")
        return self._thread
