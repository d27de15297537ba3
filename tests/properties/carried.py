"""The machine over a carrier, to an emulator that begins and ends with each run."""

import grpc

from publican_emulator.driver import VirtualClock
from publican_emulator.emulator import Emulator
from pytest_publican.lease_backends import GrpcBackend, RestBackend


def _emulator() -> Emulator:
    return Emulator(clock=VirtualClock(), pull_wait_s=0.0).__enter__()


def _end(emulator: Emulator) -> None:
    surprises = list(emulator.surprises)
    emulator.__exit__(None, None, None)
    assert surprises == []


class OverRest(RestBackend):
    """REST, and the emulator behind it."""

    def __init__(self) -> None:
        self._emulator = _emulator()
        super().__init__(self._emulator.address)

    def close(self) -> None:
        super().close()
        _end(self._emulator)


class OverGrpc(GrpcBackend):
    """gRPC by the grpc library, and the emulator behind it."""

    def __init__(self) -> None:
        self._emulator = _emulator()
        super().__init__(self._emulator.address, grpc.insecure_channel(self._emulator.address))

    def close(self) -> None:
        super().close()
        _end(self._emulator)
