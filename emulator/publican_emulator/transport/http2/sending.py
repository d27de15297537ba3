"""The way out of a connection: the client's windows, and what waits for them.

Whatever fits into both windows is put into the outgoing buffer at once; the rest stays with its stream until the client widens a window. Streams that
wait share the connection's window in the order in which they began to wait.

Source: RFC 9113, section 5.2.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Iterable

from publican_emulator.transport.http2 import frames
from publican_emulator.transport.http2.frames import ConnectionFault, ErrorCode, StreamFault
from publican_emulator.transport.http2.streams import Stream


class Sending:
    """What one connection may send."""

    __slots__ = ("_blocked", "_on_ended", "_on_room", "_outgoing", "_wanting", "_window", "frame_bytes", "initial_window")

    def __init__(self, outgoing: bytearray, on_ended: Callable[[Stream], None], on_room: Callable[[Stream], None]) -> None:
        self.initial_window = frames.WINDOW_DEFAULT
        self.frame_bytes = frames.FRAME_BYTES_MAX
        self._window = frames.WINDOW_DEFAULT
        self._outgoing = outgoing
        self._on_ended = on_ended
        self._on_room = on_room
        self._blocked: dict[Stream, None] = {}
        self._wanting: dict[Stream, None] = {}

    def room(self, stream: Stream) -> int:
        """Give the bytes that `stream` could send now."""
        return 0 if stream.outbox else max(0, min(self._window, stream.send_window))

    def wait_for_room(self, stream: Stream) -> None:
        """Ask to be told (`on_room`) when `stream` has room."""
        self._wanting[stream] = None

    # out

    def headers(self, stream: Stream, block: bytes) -> None:
        """Send the response's headers."""
        stream.has_sent_headers = True
        self._outgoing.extend(frames.header_frames(stream.id, block, self.frame_bytes, ends=False))

    def data(self, stream: Stream, data: bytes) -> None:
        """Send a piece of the response's body."""
        if stream.outbox or len(data) > self._window or len(data) > stream.send_window:
            stream.outbox.append(memoryview(data))  # cut without copying: 10 MB leave in hundreds of pieces
            stream.outbox_bytes += len(data)
            self._blocked[stream] = None
            self._pump(stream)
            return
        self._window -= len(data)
        stream.send_window -= len(data)
        self._outgoing.extend(frames.data_frames(stream.id, data, self.frame_bytes))

    def end(self, stream: Stream, trailers: bytes) -> None:
        """End the response after what waits: with trailers, or without when they are empty."""
        stream.trailers = trailers
        if not stream.outbox:
            self._end(stream)

    def whole(self, stream: Stream, block: bytes, data: bytes, trailers: bytes) -> None:
        """Send a response that is complete: headers, one piece of body, trailers."""
        size = len(data)
        if size <= self._window and size <= stream.send_window and size <= self.frame_bytes:
            self._window -= size
            pack, stream_id = frames.FRAME_HEAD.pack, stream.id
            self._outgoing.extend(
                b"".join(
                    (
                        pack(0, len(block), frames.HEADERS, frames.END_HEADERS, stream_id),
                        block,
                        pack(size >> 8, size & 0xFF, frames.DATA, 0, stream_id),
                        data,
                        pack(0, len(trailers), frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream_id),
                        trailers,
                    )
                )
            )
            self._on_ended(stream)
            return
        self.headers(stream, block)
        self.data(stream, data)
        self.end(stream, trailers)

    def only_headers(self, stream: Stream, block: bytes) -> None:
        """Send a response that is headers only (gRPC's Trailers-Only)."""
        self._outgoing.extend(frames.header_frames(stream.id, block, self.frame_bytes, ends=True))
        self._on_ended(stream)

    def _end(self, stream: Stream) -> None:
        if stream.trailers:
            self._outgoing.extend(frames.header_frames(stream.id, stream.trailers, self.frame_bytes, ends=True))
        else:
            self._outgoing.extend(frames.head(0, frames.DATA, frames.END_STREAM, stream.id))
        self._on_ended(stream)

    def _pump(self, stream: Stream) -> None:
        """Send what waits, as far as the windows allow."""
        while stream.outbox:
            first = stream.outbox[0]
            room = min(self._window, stream.send_window)
            if room <= 0 and first:
                return
            piece = first[:room] if len(first) > room else first
            self._window -= len(piece)
            stream.send_window -= len(piece)
            stream.outbox_bytes -= len(piece)
            self._outgoing.extend(frames.data_frames(stream.id, piece, self.frame_bytes))
            if len(piece) < len(first):
                stream.outbox[0] = first[len(piece) :]
                return
            del stream.outbox[0]
        self._blocked.pop(stream, None)
        if stream.trailers is not None:
            self._end(stream)

    # windows of the client's

    def widen(self, increment: int) -> None:
        """Take a WINDOW_UPDATE of the connection."""
        self._window += increment
        if self._window > frames.WINDOW_MAX:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the connection's window exceeds 2^31-1")
        for stream in list(self._blocked):
            if self._window <= 0:
                return
            self._pump(stream)
        self._tell()

    def widen_stream(self, stream: Stream, increment: int) -> None:
        """Take a WINDOW_UPDATE of a stream."""
        stream.send_window += increment
        if stream.send_window > frames.WINDOW_MAX:
            raise StreamFault(stream.id, ErrorCode.FLOW_CONTROL_ERROR, "the stream's window exceeds 2^31-1")
        if stream.outbox:
            self._pump(stream)
        self._tell()

    def set_initial_window(self, size: int, streams: Iterable[Stream]) -> None:
        """Take another INITIAL_WINDOW_SIZE: the windows of open streams change by the difference, below 0 perhaps."""
        change = size - self.initial_window
        self.initial_window = size
        for stream in list(streams):
            stream.send_window += change
            if stream.send_window > frames.WINDOW_MAX:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a stream's window exceeds 2^31-1")
            if stream.outbox:
                self._pump(stream)
        self._tell()

    def _tell(self) -> None:
        for stream in list(self._wanting):
            if self.room(stream) > 0:
                self._wanting.pop(stream, None)
                self._on_room(stream)

    def forget(self, stream: Stream) -> None:
        """Drop what a stream still wanted to send."""
        if self._blocked:
            self._blocked.pop(stream, None)
        if self._wanting:
            self._wanting.pop(stream, None)
        if stream.outbox:
            stream.outbox.clear()
            stream.outbox_bytes = 0
