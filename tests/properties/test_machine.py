"""LeaseMachine on every backend: the core often, the carriers in front of it a little."""

from hypothesis import settings

from pytest_publican import LeaseMachine
from tests.properties.carried import OverGrpc, OverRest
from tests.properties.core import CoreMachine

TestBroker = CoreMachine.TestCase
TestBroker.settings = settings(max_examples=200, stateful_step_count=50, deadline=None, print_blob=True, report_multiple_bugs=False)

TestGrpc = LeaseMachine.on(OverGrpc).TestCase
TestGrpc.settings = settings(TestBroker.settings, max_examples=20, stateful_step_count=30)

TestRest = LeaseMachine.on(OverRest).TestCase
TestRest.settings = settings(TestBroker.settings, max_examples=20, stateful_step_count=30)
