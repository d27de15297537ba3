"""The operations of the service, by subject. Each is a function of a broker, on names, told the time last; `Broker` offers them all as its methods.

They check everything before they change anything, and settle what is due first, so no result depends on whether a timer has fired.

PYTEST_DONT_REWRITE
"""
