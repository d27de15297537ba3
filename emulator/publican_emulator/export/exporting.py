"""Exporting: takes messages for files and tables, writes them, and tells the broker what became of each.

A row leaves at once. A file stays open, in memory, until it meets a limit, in the emulator's time; its messages are acked when it has been written.
One writing of a subscription is under way at a time, and nothing more is taken for it meanwhile. When the emulator stops, what is open is written.

PYTEST_DONT_REWRITE
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from publican_emulator.broker.batch import Delivery
from publican_emulator.broker.consumer import Consumer, Mood
from publican_emulator.broker.exports import BigQueryConfig, BigtableConfig, CloudStorageConfig, ExportConfig, ExportState
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.schema_settings import Definition
from publican_emulator.driver import Driver
from publican_emulator.export.exported import Exported, Unfit, exported
from publican_emulator.export.objects import Record, avro_file, record, text_file
from publican_emulator.export.rows import row
from publican_emulator.export.targets import ExportFailed, Target
from publican_emulator.push.flights import Flights

_BATCH_BYTES: Final = 4_000_000
_STOP_S: Final = 2.0
_FILE_BYTES_MAX: Final = 256 << 20
"""An open file is in memory: it is closed here, whatever its config says."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _OpenFile:
    """A file that still takes messages."""

    opened_at: Nanos
    alarm: asyncio.Future[None]
    deliveries: list[Delivery] = field(default_factory=list)
    messages: list[Exported] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    size: int = 0
    commit: Awaitable[None] | None = None
    """When the last lease in it is durable; the earlier ones are then, too."""


@dataclass(slots=True)
class _Export:
    """What goes on for one subscription."""

    config: ExportConfig
    file: _OpenFile | None = None
    closed: list[_OpenFile] = field(default_factory=list)
    """Files that wait for being written, in order."""
    is_writing: bool = False


class Exporting:
    """The carrier of every export subscription of one emulator."""

    def __init__(self, driver: Driver, find_target: Callable[[ExportConfig], Target | None], on_surprise: Callable[[str, Exception], object]) -> None:
        """`find_target` gives where a config's messages go; None: nowhere."""
        self._driver = driver
        self._find_target = find_target
        self._on_surprise = on_surprise
        self.flights = Flights(self._see_to, on_surprise)
        self._exports: dict[Consumer, _Export] = {}
        self._told_of: set[str] = set()

    def come(self, consumer: Consumer) -> None:
        """Note that there is something to export."""
        self.flights.come(consumer)

    async def close(self) -> None:
        """Write what is open, if that goes soon, and end."""
        for consumer, export in list(self._exports.items()):
            self._close_file(export)
            self._write(consumer, export)
        if not await self.flights.wait(_STOP_S):
            _log.warning("not everything was exported before the stop")
        await self.flights.close()

    # taking

    def _see_to(self, consumer: Consumer) -> None:
        if consumer.end is not None:
            self._forget(consumer)
            return
        config = consumer.subscription.settings.export
        export = self._exports.get(consumer)
        if consumer.mood is Mood.CLOSED or config is None:
            if export is not None:  # the subscription has another target now: what is open goes where it was meant for
                self._close_file(export)
                self._write(consumer, export)
                if not export.is_writing:
                    del self._exports[consumer]
            return
        if self._find_target(config) is None:
            self._say_nothing_is_exported(consumer, config)
            return
        if export is None:
            export = self._exports[consumer] = _Export(config)
        if isinstance(config, CloudStorageConfig):
            self._fill(consumer, export, config)
        elif isinstance(config, BigQueryConfig) and not export.is_writing:
            self._insert(consumer, export, config)

    def _forget(self, consumer: Consumer) -> None:
        self.flights.give_up(consumer)
        export = self._exports.pop(consumer, None)
        if export is not None and export.file is not None:
            export.file.alarm.cancel()

    def _say_nothing_is_exported(self, consumer: Consumer, config: ExportConfig) -> None:
        driver, name = self._driver, consumer.subscription.name
        if name not in self._told_of:
            self._told_of.add(name)
            why = (
                "Publican does not write to Bigtable"
                if isinstance(config, BigtableConfig)
                else "there is no --export-dir, and no emulator to write to"
            )
            _log.warning("%s: nothing is exported, its messages wait: %s (docs/export.md)", name, why)
        driver.run(driver.broker.set_export_state, consumer, ExportState.NOT_FOUND)

    # files

    def _fill(self, consumer: Consumer, export: _Export, config: CloudStorageConfig) -> None:
        driver, broker = self._driver, self._driver.broker
        if not export.closed:
            batch, commit = driver.run(broker.lease, consumer, _BATCH_BYTES)
            if not batch:
                driver.run(broker.want, consumer)
                return
            for delivery in batch.deliveries():
                self._add(consumer, export, config, delivery, commit)
        if export.closed:
            self._write(consumer, export)
        else:
            self.flights.come(consumer)  # there may be more; others have their turn first

    def _add(self, consumer: Consumer, export: _Export, config: CloudStorageConfig, delivery: Delivery, commit: Awaitable[None] | None) -> None:
        message = exported(delivery.message, consumer.subscription.name)
        file = export.file
        if config.output == "avro":
            try:
                made = record(message, config, self._decode)
            except Unfit as error:
                self._refuse(consumer, delivery, str(error))
                return
            if file is not None and file.records[0][0] != made[0]:  # another revision of the schema: a file has one
                self._close_file(export)
                file = None
            file = file or self._open_file(consumer, export, config)
            file.records.append(made)
        file = file or self._open_file(consumer, export, config)
        file.commit = commit
        file.deliveries.append(delivery)
        file.messages.append(message)
        file.size += len(message.data) + (config.output != "avro")
        if config.is_full(len(file.messages), file.size) or file.size >= _FILE_BYTES_MAX:
            self._close_file(export)

    def _open_file(self, consumer: Consumer, export: _Export, config: CloudStorageConfig) -> _OpenFile:
        alarm = self._driver.alarm(config.duration / SECOND)
        file = export.file = _OpenFile(self._driver.clock.now(), alarm)

        def ring(alarm: asyncio.Future[None]) -> None:
            if not alarm.cancelled() and alarm.exception() is None and export.file is file:
                self._close_file(export)
                self._write(consumer, export)

        alarm.add_done_callback(ring)
        return file

    def _close_file(self, export: _Export) -> None:
        if export.file is not None:
            export.file.alarm.cancel()
            export.closed.append(export.file)
            export.file = None

    def _write(self, consumer: Consumer, export: _Export) -> None:
        if export.closed and not export.is_writing and isinstance(export.config, CloudStorageConfig):
            export.is_writing = True
            self.flights.start(consumer, self._write_files(consumer, export, export.config))

    async def _write_files(self, consumer: Consumer, export: _Export, config: CloudStorageConfig) -> None:
        target = self._find_target(config)
        try:
            while export.closed and target is not None:
                file = export.closed.pop(0)
                if file.commit is not None:
                    await file.commit
                ack_ids = [delivery.ack_id for delivery in file.deliveries]
                name = config.object_name(datetime.fromtimestamp(file.opened_at // SECOND, UTC), uuid.uuid4().hex)
                try:
                    content = await asyncio.to_thread(avro_file, file.records, config) if config.output == "avro" else text_file(file.messages)
                    await target.write_object(config.bucket, name, content)
                except ExportFailed as error:
                    self._not_carried(consumer, ack_ids, error)
                else:
                    self._driver.run(self._driver.broker.carried, consumer, ack_ids)
        except Exception as error:  # noqa: BLE001  (our bug: it must be found; the leases run out)
            self._on_surprise("export", error)
        finally:
            export.is_writing = False
            self.flights.come(consumer)

    # rows

    def _insert(self, consumer: Consumer, export: _Export, config: BigQueryConfig) -> None:
        driver, broker = self._driver, self._driver.broker
        batch, commit = driver.run(broker.lease, consumer, _BATCH_BYTES)
        if not batch:
            driver.run(broker.want, consumer)
            return
        export.is_writing = True
        self.flights.start(consumer, self._insert_rows(consumer, export, config, batch.deliveries(), commit))

    async def _insert_rows(
        self, consumer: Consumer, export: _Export, config: BigQueryConfig, deliveries: Sequence[Delivery], commit: Awaitable[None] | None
    ) -> None:
        target = self._find_target(config)
        try:
            if commit is not None:
                await commit
            if target is not None:
                await self._insert_into(target, consumer, config, deliveries)
        except ExportFailed as error:
            self._not_carried(consumer, [delivery.ack_id for delivery in deliveries], error)
        except Exception as error:  # noqa: BLE001  (our bug: it must be found; the leases run out)
            self._on_surprise("export", error)
        finally:
            export.is_writing = False
            self.flights.come(consumer)

    async def _insert_into(self, target: Target, consumer: Consumer, config: BigQueryConfig, deliveries: Sequence[Delivery]) -> None:
        known = await target.columns(config)
        fitting: list[Delivery] = []
        rows: list[tuple[str, dict[str, Any]]] = []
        refused: dict[str, str] = {}
        for delivery in deliveries:
            message = exported(delivery.message, consumer.subscription.name)
            try:
                rows.append((message.message_id, row(message, config, known, self._decode)))
                fitting.append(delivery)
            except Unfit as error:
                refused[delivery.ack_id] = str(error)
        errors = await target.insert(config, rows) if rows else {}
        refused |= {fitting[place].ack_id: why for place, why in errors.items()}
        driver = self._driver
        written = [delivery.ack_id for delivery in fitting if delivery.ack_id not in refused]
        if written:
            driver.run(driver.broker.carried, consumer, written)
        for delivery in deliveries:
            if delivery.ack_id in refused:
                self._refuse(consumer, delivery, refused[delivery.ack_id])

    # what became of them

    def _decode(self, message: bytes) -> tuple[Definition, Any]:
        return self._driver.run(self._driver.broker.schema_values, message)[0]

    def _refuse(self, consumer: Consumer, delivery: Delivery, why: str) -> None:
        self._warn(consumer, why)
        self._driver.run(self._driver.broker.not_fitting, consumer, delivery.ack_id, why)

    def _not_carried(self, consumer: Consumer, ack_ids: Sequence[str], error: ExportFailed) -> None:
        self._warn(consumer, str(error))
        self._driver.run(self._driver.broker.not_carried, consumer, ack_ids, str(error))
        self._driver.run(self._driver.broker.set_export_state, consumer, error.state)

    def _warn(self, consumer: Consumer, why: str) -> None:
        """Log the first failure of a subscription: there people look when nothing arrives."""
        name = consumer.subscription.name
        if name not in self._told_of:
            self._told_of.add(name)
            _log.warning("%s: an export failed and is tried again: %s", name, why)
