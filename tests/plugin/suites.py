"""Running somebody's suite in a pytest of its own."""

import pytest

CLIENT = '''
import http.client, json, os

def call(method, path, body=None):
    """A Pub/Sub client that finds the emulator as they all do."""
    connection = http.client.HTTPConnection(os.environ["PUBSUB_EMULATOR_HOST"], timeout=10)
    connection.request(method, "/v1/" + path, None if body is None else json.dumps(body))
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer

def publish(topic):
    return call("POST", topic + ":publish", {"messages": [{"data": "aGVsbG8="}]})["messageIds"]

def pull(subscription):
    answer = call("POST", subscription + ":pull", {"maxMessages": 10})
    return [each["message"]["data"] for each in answer.get("receivedMessages", [])]
'''

INTERRUPTIBLE = "signal.signal(signal.SIGINT, signal.default_int_handler)"
"""A suite that is run in the background inherits SIGINT ignored, and Python then leaves it so."""

OURS = "pytest_publican.plugin"
EVERY_PLUGIN = "every plugin that is installed, as pytest loads them by itself"


def run(suite: pytest.Pytester, code: str, *arguments: str, plugins: tuple[str, ...] | str = ()) -> pytest.RunResult:
    """Run the tests of `code` in a process of its own, with our plugin and the named ones: loading all that are installed takes a second."""
    suite.makepyfile(test_it=code)
    with pytest.MonkeyPatch.context() as environment:
        if plugins == EVERY_PLUGIN:
            return suite.runpytest_subprocess("-p", "no:cacheprovider", *arguments)
        environment.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        loaded = [word for each in (OURS, *plugins) for word in ("-p", each)]
        return suite.runpytest_subprocess("-p", "no:cacheprovider", *loaded, *arguments)


def passed(suite: pytest.Pytester, code: str, *arguments: str, count: int = 1, plugins: tuple[str, ...] | str = ()) -> pytest.RunResult:
    """Run the tests of `code` in a process of its own and check that they pass without a warning."""
    result = run(suite, f"from client import call, publish, pull\n{code}", "-W", "error", *arguments, plugins=plugins)
    result.assert_outcomes(passed=count)
    return result
