"""What a test holds in its hands: a Pub/Sub with its resources, time, faults and everything that happened. No pytest in it.

    with publican_emulator.running() as pubsub:
        orders = pubsub.topic("orders")

handle.py is what `running()` and the fixture `pubsub` give. It asks through a Link, the REST and the admin API, so a test does the same to an
emulator in its own process, in another one, or in a container.

PYTEST_DONT_REWRITE
"""
