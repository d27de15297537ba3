"""What the service means: topics, subscriptions, messages and leases as plain synchronous code that is told the time.

No sockets, no asyncio, no threads, no wall clock, no randomness. Start at broker.py (the operations) and subscription.py (a message's life).

PYTEST_DONT_REWRITE
"""
