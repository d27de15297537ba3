"""The snapshots' part of google.pubsub.v1.Subscriber.

PYTEST_DONT_REWRITE
"""

from publican_emulator.broker.settings import check_tags
from publican_emulator.driver import Driver
from publican_emulator.rpc.call import CallInfo
from publican_emulator.services import convert, masks, paging
from publican_emulator.services.answer import Answer
from publican_emulator.services.naming import check_name, check_project
from publican_emulator.services.stamps import instant
from publican_protocol import known, pubsub


class Snapshots:
    """Snapshots: what was unacked in a subscription at one moment, and all that came after."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def create_snapshot(self, request: pubsub.CreateSnapshotRequest, info: CallInfo) -> Answer[pubsub.Snapshot]:
        """Make a snapshot of a subscription; one without a name gets one in the subscription's project."""
        check_tags(request.tags)
        snapshot, commit = self._driver.run(self._driver.broker.create_snapshot, request.name, request.subscription, dict(request.labels))
        return convert.snapshot_message(snapshot), commit

    def get_snapshot(self, request: pubsub.GetSnapshotRequest, info: CallInfo) -> Answer[pubsub.Snapshot]:
        """Give a snapshot."""
        snapshot, commit = self._driver.run(self._driver.broker.get_snapshot, request.snapshot)
        return convert.snapshot_message(snapshot), commit

    def update_snapshot(self, request: pubsub.UpdateSnapshotRequest, info: CallInfo) -> Answer[pubsub.Snapshot]:
        """Change labels or the expire time."""
        name = request.snapshot.name
        check_name("snapshots", name)
        paths = masks.checked_paths(masks.SNAPSHOT, request.update_mask.paths)
        stored, _ = self._driver.run(self._driver.broker.get_snapshot, name)
        wanted = masks.merged(convert.snapshot_message(stored), request.snapshot, paths)
        snapshot, commit = self._driver.run(self._driver.broker.update_snapshot, name, dict(wanted.labels), instant(wanted, "expire_time"))
        return convert.snapshot_message(snapshot), commit

    def list_snapshots(self, request: pubsub.ListSnapshotsRequest, info: CallInfo) -> Answer[pubsub.ListSnapshotsResponse]:
        """Give a page of a project's snapshots."""
        check_project(request.project)
        snapshots, commit = self._driver.run(self._driver.broker.list_snapshots, request.project)
        here, token = paging.page(
            snapshots,
            "snapshots",
            request.project,
            page_size=request.page_size,
            page_token=request.page_token,
            name_of=lambda snapshot: snapshot.name,
        )
        return pubsub.ListSnapshotsResponse(snapshots=map(convert.snapshot_message, here), next_page_token=token), commit

    def delete_snapshot(self, request: pubsub.DeleteSnapshotRequest, info: CallInfo) -> Answer[known.Empty]:
        """Remove a snapshot; what only it kept is gone."""
        _, commit = self._driver.run(self._driver.broker.delete_snapshot, request.snapshot)
        return known.Empty(), commit
