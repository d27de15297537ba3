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


def passed(suite: pytest.Pytester, code: str, *arguments: str, count: int = 1) -> pytest.RunResult:
    """Run the tests of `code` in a process of its own and check that they pass without a warning."""
    suite.makepyfile(test_it=f"from client import call, publish, pull\n{code}")
    if not any("asyncio" in each for each in arguments):
        arguments = ("-p", "no:asyncio", *arguments)  # which warns in every session that does not set its options
    result = suite.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider", *arguments)
    result.assert_outcomes(passed=count)
    return result
