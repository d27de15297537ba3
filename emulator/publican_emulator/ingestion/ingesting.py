"""Ingesting: looks at the folder that stands for Cloud Storage, and publishes what is new in it.

It looks when a topic is given ingestion settings, and then every LOOK_S seconds of the emulator's time, as long as a topic has some; without such
topics it costs nothing. Files are read in a thread, messages published in the loop, by the broker's own Publish: what that refuses is skipped and
logged, as the service does. What cannot be ingested here is said once.

PYTEST_DONT_REWRITE
"""

import asyncio
import logging
import pathlib
from collections.abc import Callable, Sequence
from typing import Final

from publican_emulator.broker import limits
from publican_emulator.broker.errors import PubsubError
from publican_emulator.broker.ingestion import ACTIVE, BUCKET_NOT_FOUND, CloudStorage
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.topic import Topic
from publican_emulator.driver import Driver
from publican_emulator.ingestion import objects
from publican_emulator.transport.tasks import Tasks

LOOK_S: Final = 10.0
_BATCH_BYTES: Final = 5_000_000

_log = logging.getLogger("publican.ingestion")


class Ingesting:
    """The reader of one emulator's buckets; it runs on the emulator's clock."""

    def __init__(self, driver: Driver, folder: pathlib.Path | None, on_surprise: Callable[[str, Exception], object]) -> None:
        """`folder`: what stands for Cloud Storage, a folder in it for each bucket; None: nothing is read."""
        self._driver = driver
        self._folder = folder
        self._on_surprise = on_surprise
        self._said: set[str] = set()
        self._tasks = Tasks()
        self._due: Nanos | None = None
        self._alarm: asyncio.Future[None] | None = None
        self._looking = asyncio.Lock()

    def wake(self) -> None:
        """Look soon: a topic has been given ingestion settings."""
        self._due = self._driver.clock.now()
        if self._alarm is not None and not self._alarm.done():
            self._alarm.set_result(None)
        if not len(self._tasks):
            self._tasks.start(self._run())

    async def close(self) -> None:
        """Stop."""
        await self._tasks.close()

    async def _run(self) -> None:
        while self._due is not None:
            await self._look_when_due()
            wait_s = 0.0 if self._due is None else (self._due - self._driver.clock.now()) / SECOND
            if wait_s > 0:
                self._alarm = self._driver.alarm(wait_s)
                try:
                    await self._alarm
                except PubsubError:
                    pass  # the broker was exchanged: the next look asks the new one

    # on the emulator's clock

    def next_due(self) -> Nanos | None:
        """Give the instant of the next look."""
        return self._due

    async def settle(self, now: Nanos) -> None:
        """Look, if it is time; wait for who looks."""
        await self._look_when_due()

    def is_quiescent(self) -> bool:
        """Whether nothing is to be read at this instant."""
        return not self._looking.locked() and not self._is_due()

    def owns(self, client_id: str) -> bool:
        """It has no streams."""
        return False

    # looking

    def _is_due(self) -> bool:
        return self._due is not None and self._due <= self._driver.clock.now()

    async def _look_when_due(self) -> None:
        async with self._looking:  # who comes while somebody looks waits until it is done
            if self._is_due():
                try:
                    await self._look_at_all()
                except Exception as error:  # noqa: BLE001  (a bug here must not end the looking, and must be found at teardown)
                    self._on_surprise("ingestion", error)

    async def _look_at_all(self) -> None:
        topics, _ = self._driver.run(self._driver.broker.ingesting_topics)
        self._due = Nanos(self._driver.clock.now() + round(LOOK_S * SECOND)) if self._folder is not None and topics else None
        for topic in topics:
            if self._driver.broker.topics.find(topic.name) is topic:
                await self._look(topic)

    async def _look(self, topic: Topic) -> None:
        ingestion = topic.settings.ingestion
        assert ingestion is not None
        source = ingestion.source
        # Divergence: topics ingest from a folder that stands for Cloud Storage, and from nothing else.
        if not isinstance(source, CloudStorage):
            self._say_once(
                f"Ingestion from {source.kind} is stored and shown, but nothing is read: Publican reads Cloud Storage only, from a folder."
            )
        elif self._folder is None:
            self._say_once("Ingestion from Cloud Storage reads nothing here: name the folder that stands for it (publican serve --buckets DIR).")
        elif not (self._folder / source.bucket).is_dir():
            self._note(topic, BUCKET_NOT_FOUND)
        else:
            await self._read_bucket(topic, source, self._folder / source.bucket)

    async def _read_bucket(self, topic: Topic, source: CloudStorage, bucket: pathlib.Path) -> None:
        self._note(topic, ACTIVE)
        for stored in await asyncio.to_thread(objects.objects, bucket, source):
            if topic.ingested.objects.get(stored.name) == stored.generation:
                continue
            try:
                read = await asyncio.to_thread(objects.read, stored, source)
            except (objects.UnreadableObject, OSError) as error:
                _log.warning("%s: %s/%s is skipped: %s", topic.name, source.bucket, stored.name, error)
                read = []
            except ImportError:
                self._say_once("Ingestion of Avro files needs fastavro, which is not installed here: pip install 'publican[schemas]'.")
                return
            if self._driver.broker.topics.find(topic.name) is not topic:
                return  # deleted meanwhile, or the broker exchanged
            self._publish(topic, source, stored, read)
            self._note(topic, ACTIVE, stored.name, stored.generation)

    def _publish(self, topic: Topic, source: CloudStorage, stored: objects.StoredObject, read: Sequence[bytes]) -> None:
        for batch in _batches(read):
            if self._is_published(topic, batch):
                continue
            refused = sum(not self._is_published(topic, [message]) for message in batch)
            _log.warning("%s: %d messages of %s/%s are refused, and skipped", topic.name, refused, source.bucket, stored.name)

    def _is_published(self, topic: Topic, messages: Sequence[bytes]) -> bool:
        try:
            self._driver.run(self._driver.broker.publish, topic.name, messages)
        except PubsubError:
            return False
        return True

    def _note(self, topic: Topic, state: str, object_name: str = "", generation: int = 0) -> None:
        self._driver.run(self._driver.broker.note_ingestion, topic.name, state, object_name, generation)

    def _say_once(self, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            _log.warning("%s", what)


def _batches(messages: Sequence[bytes]) -> list[list[bytes]]:
    """Give messages in the batches that a Publish takes."""
    batches: list[list[bytes]] = []
    room = 0
    for message in messages:
        if not batches or len(batches[-1]) >= limits.PUBLISH_MESSAGES or room < len(message):
            batches.append([])
            room = _BATCH_BYTES
        batches[-1].append(message)
        room -= len(message)
    return batches
