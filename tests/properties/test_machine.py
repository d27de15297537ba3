"""The broker against the model, by steps that Hypothesis invents and shrinks."""

from hypothesis import settings

from tests.properties.machine import Machine

TestBroker = Machine.TestCase
TestBroker.settings = settings(max_examples=200, stateful_step_count=50, deadline=None, print_blob=True, report_multiple_bugs=False)
