"""Clients side by side: Publican's, google-cloud-pubsub and gcloud-aio-pubsub, against one emulator in a process of its own.

Every turn is a process, and what counts is the CPU that it takes; turns of the clients alternate, so that what else the machine does meets all alike.

PYTEST_DONT_REWRITE
"""
