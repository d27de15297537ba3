"""LeaseMachine on a Publican in another process, which knows of it by its address only."""

import subprocess
import sys

import grpc
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from pytest_publican import GrpcBackend, LeaseBackend, LeaseMachine, RestBackend

BRIEFLY = settings(max_examples=3, stateful_step_count=20, deadline=None, database=None)


def over_grpc(address: str) -> LeaseBackend:
    return GrpcBackend(address, grpc.insecure_channel(address))


@pytest.mark.parametrize("backend", [RestBackend, over_grpc])
def test_an_emulator_elsewhere_is_one(backend: type[RestBackend]) -> None:
    command = [sys.executable, "-m", "publican_emulator", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            address = next(line for line in process.stdout if "export" in line).rpartition("=")[2].strip()
            run_state_machine_as_test(LeaseMachine.on(lambda: backend(address)), settings=BRIEFLY)
        finally:
            process.kill()
