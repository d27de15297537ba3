"""google.pubsub.v1.Publisher but for Publish: topics, what hangs on them, and DetachSubscription.

PYTEST_DONT_REWRITE
"""

from publican_emulator.driver import Driver
from publican_emulator.rpc.call import CallInfo
from publican_emulator.services import convert, masks, paging
from publican_emulator.services.answer import Answer
from publican_emulator.services.naming import check_name, check_project
from publican_protocol import known, pubsub


class Publisher:
    """The topics' side of the API."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def create_topic(self, request: pubsub.Topic, info: CallInfo) -> Answer[pubsub.Topic]:
        """Make a topic; ALREADY_EXISTS when the name is taken, also with the same settings."""
        check_name("topics", request.name)
        settings = convert.topic_settings(request)
        topic, commit = self._driver.run(self._driver.broker.create_topic, request.name, settings)
        return convert.topic_message(topic), commit

    def get_topic(self, request: pubsub.GetTopicRequest, info: CallInfo) -> Answer[pubsub.Topic]:
        """Give a topic."""
        topic, commit = self._driver.run(self._driver.broker.get_topic, request.topic)
        return convert.topic_message(topic), commit

    def update_topic(self, request: pubsub.UpdateTopicRequest, info: CallInfo) -> Answer[pubsub.Topic]:
        """Change what the mask names, all of it or nothing."""
        name = request.topic.name
        check_name("topics", name)
        paths = masks.checked_paths(masks.TOPIC, request.update_mask.paths)
        stored, _ = self._driver.run(self._driver.broker.get_topic, name)
        settings = convert.topic_settings(masks.merged(convert.topic_message(stored), request.topic, paths))
        topic, commit = self._driver.run(self._driver.broker.update_topic, name, settings)
        return convert.topic_message(topic), commit

    def list_topics(self, request: pubsub.ListTopicsRequest, info: CallInfo) -> Answer[pubsub.ListTopicsResponse]:
        """Give a page of a project's topics."""
        check_project(request.project)
        topics, commit = self._driver.run(self._driver.broker.list_topics, request.project)
        here, token = paging.page(
            topics,
            "topics",
            request.project,
            page_size=request.page_size,
            page_token=request.page_token,
            name_of=lambda topic: topic.name,
        )
        return pubsub.ListTopicsResponse(topics=map(convert.topic_message, here), next_page_token=token), commit

    def list_topic_subscriptions(
        self, request: pubsub.ListTopicSubscriptionsRequest, info: CallInfo
    ) -> Answer[pubsub.ListTopicSubscriptionsResponse]:
        """Give a page of the names of the subscriptions attached to a topic; a detached one is not."""
        names, commit = self._driver.run(self._driver.broker.list_topic_subscriptions, request.topic)
        here, token = paging.page(names, "subscriptions", request.topic, page_size=request.page_size, page_token=request.page_token, name_of=str)
        return pubsub.ListTopicSubscriptionsResponse(subscriptions=here, next_page_token=token), commit

    def list_topic_snapshots(self, request: pubsub.ListTopicSnapshotsRequest, info: CallInfo) -> Answer[pubsub.ListTopicSnapshotsResponse]:
        """Give a page of the names of a topic's snapshots."""
        names, commit = self._driver.run(self._driver.broker.list_topic_snapshots, request.topic)
        here, token = paging.page(names, "snapshots", request.topic, page_size=request.page_size, page_token=request.page_token, name_of=str)
        return pubsub.ListTopicSnapshotsResponse(snapshots=here, next_page_token=token), commit

    def delete_topic(self, request: pubsub.DeleteTopicRequest, info: CallInfo) -> Answer[known.Empty]:
        """Remove a topic; its subscriptions live on, of `_deleted-topic_`."""
        _, commit = self._driver.run(self._driver.broker.delete_topic, request.topic)
        return known.Empty(), commit

    def detach_subscription(self, request: pubsub.DetachSubscriptionRequest, info: CallInfo) -> Answer[pubsub.DetachSubscriptionResponse]:
        """Cut a subscription off its topic for good: the backlog is dropped, pulls fail."""
        _, commit = self._driver.run(self._driver.broker.detach_subscription, request.subscription)
        return pubsub.DetachSubscriptionResponse(), commit
