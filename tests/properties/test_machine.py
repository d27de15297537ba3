"""The broker against the model, by steps that Hypothesis invents and shrinks: the core often, the carriers in front of it a little."""

from hypothesis import settings

from tests.properties.machine import Machine
from tests.properties.wire import GrpcMachine, RestMachine

TestBroker = Machine.TestCase
TestBroker.settings = settings(max_examples=200, stateful_step_count=50, deadline=None, print_blob=True, report_multiple_bugs=False)

TestGrpc = GrpcMachine.TestCase
TestGrpc.settings = settings(TestBroker.settings, max_examples=20, stateful_step_count=30)

TestRest = RestMachine.TestCase
TestRest.settings = settings(TestBroker.settings, max_examples=20, stateful_step_count=30)
