"""google.pubsub.v1.Subscriber but for what moves messages: subscriptions and Seek. Snapshots are in snapshots.py.

PYTEST_DONT_REWRITE
"""

from publican_emulator.broker.errors import BadArgument
from publican_emulator.driver import Driver
from publican_emulator.rpc.call import CallInfo
from publican_emulator.services import convert, masks, paging, targets
from publican_emulator.services.answer import Answer
from publican_emulator.services.naming import check_name, check_project
from publican_emulator.services.stamps import instant
from publican_protocol import known, pubsub


class Subscriber:
    """The subscriptions' side of the API."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def create_subscription(self, request: pubsub.Subscription, info: CallInfo) -> Answer[pubsub.Subscription]:
        """Make a subscription; one without a name gets one in its topic's project (REST always has a name: the path)."""
        if request.name:
            check_name("subscriptions", request.name)
        check_name("topics", request.topic)
        settings = convert.subscription_settings(request)
        subscription, commit = self._driver.run(self._driver.broker.create_subscription, request.name, request.topic, settings)
        return convert.subscription_message(subscription), commit

    def get_subscription(self, request: pubsub.GetSubscriptionRequest, info: CallInfo) -> Answer[pubsub.Subscription]:
        """Give a subscription."""
        subscription, commit = self._driver.run(self._driver.broker.get_subscription, request.subscription)
        return convert.subscription_message(subscription), commit

    def update_subscription(self, request: pubsub.UpdateSubscriptionRequest, info: CallInfo) -> Answer[pubsub.Subscription]:
        """Change what the mask names, all of it or nothing."""
        name = request.subscription.name
        check_name("subscriptions", name)
        paths = masks.checked_paths(masks.SUBSCRIPTION, request.update_mask.paths)
        stored, _ = self._driver.run(self._driver.broker.get_subscription, name)
        settings = convert.subscription_settings(masks.merged(convert.subscription_message(stored), request.subscription, paths))
        subscription, commit = self._driver.run(self._driver.broker.update_subscription, name, settings)
        return convert.subscription_message(subscription), commit

    def list_subscriptions(self, request: pubsub.ListSubscriptionsRequest, info: CallInfo) -> Answer[pubsub.ListSubscriptionsResponse]:
        """Give a page of a project's subscriptions."""
        check_project(request.project)
        subscriptions, commit = self._driver.run(self._driver.broker.list_subscriptions, request.project)
        here, token = paging.page(
            subscriptions,
            "subscriptions",
            request.project,
            page_size=request.page_size,
            page_token=request.page_token,
            name_of=lambda subscription: subscription.name,
        )
        return pubsub.ListSubscriptionsResponse(subscriptions=map(convert.subscription_message, here), next_page_token=token), commit

    def delete_subscription(self, request: pubsub.DeleteSubscriptionRequest, info: CallInfo) -> Answer[known.Empty]:
        """Remove a subscription with its backlog; who waits for its messages gets NOT_FOUND."""
        _, commit = self._driver.run(self._driver.broker.delete_subscription, request.subscription)
        return known.Empty(), commit

    def modify_push_config(self, request: pubsub.ModifyPushConfigRequest, info: CallInfo) -> Answer[known.Empty]:
        """Replace the push config: push elsewhere, push instead of waiting for pulls, or, with an empty one, be pulled from."""
        broker = self._driver.broker
        stored, _ = self._driver.run(broker.get_subscription, request.subscription)
        targets.check_pushable(stored.settings)
        settings = targets.with_push(stored.settings, request.push_config)
        _, commit = self._driver.run(broker.update_subscription, request.subscription, settings)
        return known.Empty(), commit

    def seek(self, request: pubsub.SeekRequest, info: CallInfo) -> Answer[pubsub.SeekResponse]:
        """Move a subscription to an instant or to a snapshot."""
        broker = self._driver.broker
        match request.WhichOneof("target"):
            case "time":
                _, commit = self._driver.run(broker.seek_to_time, request.subscription, instant(request, "time"))
            case "snapshot":
                _, commit = self._driver.run(broker.seek_to_snapshot, request.subscription, request.snapshot)
            case _:
                raise BadArgument("target", "Seek needs a time or a snapshot.")
        return pubsub.SeekResponse(), commit
