"""HTTP/2 without I/O: what a connection tells, sends and refuses. The sections are RFC 9113's."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publican_emulator.transport.http2 import connection as http2
from publican_emulator.transport.http2 import floods, frames
from publican_emulator.transport.http2.frames import ErrorCode, Setting
from publican_emulator.transport.http2.streams import NEXT, End, State
from tests.transport.conftest import RESPONSE_BLOCK, Peer, data_frame

PING = frames.head(8, frames.PING, 0, 0) + b"12345678"


def test_golden_frames() -> None:
    assert frames.goaway(3, ErrorCode.NO_ERROR) == bytes.fromhex("000008 07 00 00000000 00000003 00000000")
    assert frames.rst_stream(5, ErrorCode.CANCEL) == bytes.fromhex("000004 03 00 00000005 00000008")
    assert frames.window_update(0, 65_536) == bytes.fromhex("000004 08 00 00000000 00010000")
    assert frames.settings({Setting.MAX_CONCURRENT_STREAMS: 1000}) == bytes.fromhex("000006 04 00 00000000 0003 000003e8")
    assert frames.ping_ack(b"12345678") == bytes.fromhex("000008 06 01 00000000 3132333435363738")
    assert frames.data_frames(1, b"abc", 2) == bytes.fromhex("000002 00 00 00000001 6162 000001 00 00 00000001 63")
    assert frames.header_frames(1, b"abc", 2, ends=True) == bytes.fromhex("000002 01 01 00000001 6162 000001 09 04 00000001 63")


def test_a_connection_begins_with_our_settings_and_a_wide_window() -> None:
    peer = Peer(with_preface=False)
    kinds = [(kind, flags, stream) for kind, flags, stream, _ in peer.sent()]
    assert kinds == [(frames.SETTINGS, 0, 0), (frames.WINDOW_UPDATE, 0, 0)]


def test_settings_are_acknowledged_and_pings_answered(peer: Peer) -> None:
    peer.send(frames.settings({Setting.HEADER_TABLE_SIZE: 0}) + PING)
    assert peer.sent() == [(frames.SETTINGS, frames.ACK, 0, b""), (frames.PING, frames.ACK, 0, b"12345678")]


def test_a_request_in_pieces_is_told_in_order(peer: Peer) -> None:
    peer.send(peer.request(1, ends=False) + data_frame(1, b"ab") + data_frame(1, b"c", ends=True))
    path = b"/google.pubsub.v1.Publisher/Publish"
    assert peer.told == [("request", 1, path, False), ("data", 1, b"ab", False), ("data", 1, b"c", True)]


def test_padding_is_no_part_of_the_data(peer: Peer) -> None:
    padded = bytes([3]) + b"abc" + b"\0\0\0"
    peer.send(peer.request(1, ends=False) + frames.head(len(padded), frames.DATA, frames.PADDED | frames.END_STREAM, 1) + padded)
    assert peer.told[-1] == ("data", 1, b"abc", True)


def test_a_header_block_may_come_in_continuations(peer: Peer) -> None:
    whole = peer.request(1)
    block = whole[9:]
    peer.send(frames.head(5, frames.HEADERS, frames.END_STREAM, 1) + block[:5])
    assert not peer.told
    peer.send(frames.head(len(block) - 5, frames.CONTINUATION, frames.END_HEADERS, 1) + block[5:])
    assert peer.told == [("request", 1, b"/google.pubsub.v1.Publisher/Publish", True)]


def test_a_repeated_header_block_is_read_once_until_the_table_changes(peer: Peer) -> None:
    peer.send(peer.request(1))
    peer.send(peer.request(3) + peer.request(5))
    heads = [stream.head for stream in peer.connection.streams.values()]
    assert heads[1] is heads[2]
    other = [(name, value if name != ":path" else "/other") for name, value in [(":method", "POST"), (":scheme", "http"), (":path", "")]]
    peer.send(peer.request(7, fields=other) + peer.request(9))
    heads = [stream.head for stream in peer.connection.streams.values()]
    assert heads[3].path == b"/other"
    assert heads[4].path == b"/google.pubsub.v1.Publisher/Publish"


def test_a_response_that_fits_leaves_at_once(peer: Peer) -> None:
    peer.send(peer.request(1))
    stream = peer.connection.streams[1]
    peer.connection.sending.whole(stream, RESPONSE_BLOCK, b"body", RESPONSE_BLOCK)
    assert [(kind, flags, payload) for kind, flags, _, payload in peer.sent()] == [
        (frames.HEADERS, frames.END_HEADERS, RESPONSE_BLOCK),
        (frames.DATA, 0, b"body"),
        (frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, RESPONSE_BLOCK),
    ]
    assert not peer.connection.streams


def test_what_exceeds_the_window_waits_for_it_and_trailers_come_last(peer: Peer) -> None:
    peer.send(peer.request(1))
    stream = peer.connection.streams[1]
    body = bytes(range(256)) * 1000
    peer.connection.sending.whole(stream, RESPONSE_BLOCK, body, RESPONSE_BLOCK)
    got = b"".join(payload for kind, _, _, payload in peer.sent() if kind == frames.DATA)
    assert len(got) == frames.WINDOW_DEFAULT
    while peer.connection.streams:
        peer.send(frames.window_update(0, 50_000) + frames.window_update(1, 40_000))
        sent = peer.sent()
        got += b"".join(payload for kind, _, _, payload in sent if kind == frames.DATA)
    assert got == body
    assert sent[-1][:2] == (frames.HEADERS, frames.END_HEADERS | frames.END_STREAM)


def test_a_smaller_initial_window_may_make_windows_negative(peer: Peer) -> None:
    peer.send(peer.request(1))
    stream = peer.connection.streams[1]
    peer.connection.sending.headers(stream, RESPONSE_BLOCK)
    peer.connection.sending.data(stream, b"x" * 60_000)
    peer.send(frames.settings({Setting.INITIAL_WINDOW_SIZE: 10}))
    assert stream.send_window == 65_535 - 60_000 - (65_535 - 10)
    assert peer.connection.sending.room(stream) == 0
    peer.sent()
    peer.connection.sending.data(stream, b"y")
    assert not peer.sent()
    peer.send(frames.window_update(1, 60_000))
    assert [payload for kind, _, _, payload in peer.sent() if kind == frames.DATA] == [b"y"]


def test_whoever_waits_for_room_is_told_when_there_is_some(peer: Peer) -> None:
    peer.send(peer.request(1))
    stream = peer.connection.streams[1]
    peer.connection.sending.headers(stream, RESPONSE_BLOCK)
    peer.connection.sending.data(stream, b"x" * 65_535)
    peer.connection.sending.wait_for_room(stream)
    peer.send(frames.window_update(1, 100))
    assert ("room", 1) not in peer.told, "the connection has none yet"
    peer.send(frames.window_update(0, 100))
    assert peer.told[-1] == ("room", 1)


def test_windows_are_given_back_as_they_are_consumed(peer: Peer) -> None:
    peer.send(peer.request(1, ends=False))
    stream = peer.connection.streams[1]
    for _ in range(32):
        peer.send(data_frame(1, b"x" * 16_384))
        assert not [frame for frame in peer.sent() if frame[0] == frames.WINDOW_UPDATE]
    peer.connection.credit(stream, http2.STREAM_WINDOW // 2)
    assert (frames.WINDOW_UPDATE, 0, 1, (http2.STREAM_WINDOW // 2).to_bytes(4)) in peer.sent()


def test_more_data_than_the_stream_s_window_resets_the_stream(peer: Peer) -> None:
    peer.send(peer.request(1, ends=False))
    for _ in range(http2.STREAM_WINDOW // 16_384):
        peer.send(data_frame(1, b"x" * 16_384))
    peer.sent()
    peer.send(data_frame(1, b"x"))
    assert peer.sent()[-1] == (frames.RST_STREAM, 0, 1, ErrorCode.FLOW_CONTROL_ERROR.to_bytes(4))
    assert peer.told[-1] == ("reset", 1)
    assert not peer.fault


def test_more_data_than_the_connection_s_window_ends_the_connection(peer: Peer) -> None:
    for place in range(http2.CONNECTION_WINDOW // http2.STREAM_WINDOW + 1):
        peer.send(peer.request(2 * place + 1, ends=False))
        for _ in range(http2.STREAM_WINDOW // 16_384):
            peer.send(data_frame(2 * place + 1, b"x" * 16_384))
    assert peer.fault == "FLOW_CONTROL_ERROR"


def test_a_client_that_resets_is_told_of_and_late_frames_after_our_reset_are_ignored(peer: Peer) -> None:
    peer.send(peer.request(1, ends=False) + frames.rst_stream(1, ErrorCode.CANCEL))
    assert peer.told[-1] == ("reset", 1)
    peer.send(peer.request(3, ends=False))
    peer.connection.reset(3, ErrorCode.CANCEL)
    peer.sent()
    peer.send(data_frame(3, b"late"))
    assert not peer.sent()
    assert not peer.fault


def test_a_response_that_is_complete_before_its_request_tells_the_client_to_stop(peer: Peer) -> None:
    peer.send(peer.request(1, ends=False))
    peer.connection.sending.only_headers(peer.connection.streams[1], RESPONSE_BLOCK)
    assert peer.sent()[-1] == (frames.RST_STREAM, 0, 1, ErrorCode.NO_ERROR.to_bytes(4))
    peer.send(data_frame(1, b"more", ends=True))
    assert not peer.fault


def test_after_stop_new_streams_are_refused_and_old_ones_go_on(peer: Peer) -> None:
    peer.send(peer.request(1, ends=False))
    peer.connection.stop()
    assert peer.sent()[0][:3] == (frames.GOAWAY, 0, 0)
    peer.send(peer.request(3) + data_frame(1, b"x", ends=True))
    assert peer.sent() == [(frames.RST_STREAM, 0, 3, ErrorCode.REFUSED_STREAM.to_bytes(4))]
    assert peer.told[-1] == ("data", 1, b"x", True)


def test_the_stream_after_the_last_allowed_one_is_refused(peer: Peer) -> None:
    for place in range(http2.CONCURRENT_STREAMS_MAX):
        peer.send(peer.request(2 * place + 1, ends=False))
    peer.sent()
    peer.send(peer.request(2 * http2.CONCURRENT_STREAMS_MAX + 1))
    assert peer.sent() == [(frames.RST_STREAM, 0, 2001, ErrorCode.REFUSED_STREAM.to_bytes(4))]


def test_a_read_of_many_requests_is_served_in_turns(peer: Peer) -> None:
    count = http2.REQUESTS_PER_TURN
    data = b"".join(peer.request(2 * place + 1) for place in range(2 * count + 1)) + PING[:5]
    peer.connection.receive(data, 0.0)
    assert (len(peer.told), peer.connection.has_more) == (count, True)
    peer.connection.receive(PING[5:], 0.0)
    assert (len(peer.told), peer.connection.has_more) == (2 * count, True)
    peer.connection.receive(b"", 0.0)
    assert (len(peer.told), peer.connection.has_more) == (2 * count + 1, False)
    assert peer.sent()[-1] == (frames.PING, frames.ACK, 0, b"12345678")


def test_trailers_end_a_request(peer: Peer) -> None:
    peer.send(peer.request(1, ends=False) + peer.request(1, fields=[("x-checksum", "1")]))
    assert peer.told[-1] == ("data", 1, b"", True)


@pytest.mark.parametrize(
    ("what", "data", "code"),
    [
        ("a frame above 16,384 bytes", frames.head(16_385, frames.DATA, 0, 1), "FRAME_SIZE_ERROR"),
        ("DATA on stream 0", data_frame(0, b""), "PROTOCOL_ERROR"),
        ("DATA on an idle stream", data_frame(1, b"x"), "PROTOCOL_ERROR"),
        ("HEADERS on an even stream", frames.head(0, frames.HEADERS, 4, 2), "PROTOCOL_ERROR"),
        ("CONTINUATION alone", frames.head(0, frames.CONTINUATION, 4, 1), "PROTOCOL_ERROR"),
        ("PUSH_PROMISE", frames.head(4, frames.PUSH_PROMISE, 4, 1) + b"\0\0\0\2", "PROTOCOL_ERROR"),
        ("PING of 7 bytes", frames.head(7, frames.PING, 0, 0) + b"1234567", "FRAME_SIZE_ERROR"),
        ("PING on a stream", frames.head(8, frames.PING, 0, 1) + b"12345678", "PROTOCOL_ERROR"),
        ("SETTINGS of 5 bytes", frames.head(5, frames.SETTINGS, 0, 0) + b"12345", "FRAME_SIZE_ERROR"),
        ("SETTINGS ack with a payload", frames.head(6, frames.SETTINGS, 1, 0) + b"123456", "FRAME_SIZE_ERROR"),
        ("ENABLE_PUSH 2", frames.settings({Setting.ENABLE_PUSH: 2}), "PROTOCOL_ERROR"),
        ("a window of 2^31", frames.settings({Setting.INITIAL_WINDOW_SIZE: 2**31}), "FLOW_CONTROL_ERROR"),
        ("frames of 16,383 bytes", frames.settings({Setting.MAX_FRAME_SIZE: 16_383}), "PROTOCOL_ERROR"),
        ("WINDOW_UPDATE by 0", frames.window_update(0, 0), "PROTOCOL_ERROR"),
        ("a connection window above 2^31-1", frames.window_update(0, 2**31 - 1), "FLOW_CONTROL_ERROR"),
        ("RST_STREAM on an idle stream", frames.rst_stream(1, ErrorCode.CANCEL), "PROTOCOL_ERROR"),
        ("a header block that is none", frames.head(2, frames.HEADERS, 5, 1) + b"\xff\xff", "COMPRESSION_ERROR"),
        ("GOAWAY on a stream", frames.head(8, frames.GOAWAY, 0, 1) + bytes(8), "PROTOCOL_ERROR"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_what_ends_a_connection(peer: Peer, what: str, data: bytes, code: str) -> None:
    peer.send(data)
    assert peer.fault == code, what
    kind, _, _, payload = peer.sent()[-1]
    assert kind == frames.GOAWAY
    assert struct.unpack(">LL", payload[:8])[1] == ErrorCode[code]
    before = len(peer.told)
    peer.send(peer.request(1))
    assert len(peer.told) == before, "a connection that has ended hears nothing more"


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("upper case", [(":method", "POST"), (":scheme", "http"), (":path", "/"), ("X-Upper", "1")]),
        ("no path", [(":method", "POST"), (":scheme", "http")]),
        ("an empty path", [(":method", "POST"), (":scheme", "http"), (":path", "")]),
        ("two methods", [(":method", "POST"), (":method", "GET"), (":scheme", "http"), (":path", "/")]),
        ("a pseudo-header after a field", [(":method", "POST"), (":scheme", "http"), ("a", "b"), (":path", "/")]),
        ("a response's pseudo-header", [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":status", "200")]),
        ("connection", [(":method", "POST"), (":scheme", "http"), (":path", "/"), ("connection", "close")]),
        ("te", [(":method", "POST"), (":scheme", "http"), (":path", "/"), ("te", "gzip")]),
        ("a line break", [(":method", "POST"), (":scheme", "http"), (":path", "/"), ("a", "b\r\nc: d")]),
        ("a length that is no number", [(":method", "POST"), (":scheme", "http"), (":path", "/"), ("content-length", "x")]),
    ],
)
def test_a_malformed_request_resets_its_stream_only(peer: Peer, what: str, fields: list[tuple[str, str]]) -> None:
    peer.send(peer.request(1, fields=fields))
    assert peer.sent() == [(frames.RST_STREAM, 0, 1, ErrorCode.PROTOCOL_ERROR.to_bytes(4))], what
    assert not peer.told
    peer.send(peer.request(3))
    assert peer.told[-1][:2] == ("request", 3)


@pytest.mark.parametrize(("sent", "is_whole"), [(2, False), (3, True), (4, False)])
def test_a_body_must_have_the_length_that_was_said(peer: Peer, sent: int, is_whole: bool) -> None:
    fields = [(":method", "POST"), (":scheme", "http"), (":path", "/"), ("content-length", "3")]
    peer.send(peer.request(1, ends=False, fields=fields) + data_frame(1, b"x" * sent, ends=True))
    assert (peer.told[-1] == ("data", 1, b"xxx", True)) is is_whole


@pytest.mark.parametrize(
    "flood",
    [PING, frames.settings({}), frames.head(5, frames.PRIORITY, 0, 1) + bytes(5), frames.head(0, 0x42, 0, 0), b"empty", b"reset"],
    ids=["PING", "SETTINGS", "PRIORITY", "unknown", "empty DATA", "rapid reset"],
)
def test_a_flood_of_frames_without_work_ends_the_connection(peer: Peer, flood: bytes) -> None:
    if flood == b"empty":
        peer.send(peer.request(1, ends=False))
        flood = data_frame(1, b"")
    sent = 0
    while not peer.fault and sent < 3 * floods.BURST:
        if flood == b"reset":
            stream_id = 2 * sent + 1
            peer.send(peer.request(stream_id) + frames.rst_stream(stream_id, ErrorCode.CANCEL))
        else:
            peer.send(flood)
        sent += 1
    assert peer.fault == "ENHANCE_YOUR_CALM"
    assert len(peer.connection.streams) <= 1


def test_the_same_frames_over_a_longer_time_are_welcome(peer: Peer) -> None:
    for second in range(1_000):
        peer.send(PING * 100, now_s=float(second))
        peer.sent()
    assert not peer.fault


def test_a_header_block_is_bounded_in_bytes_and_in_what_it_decodes_to(peer: Peer) -> None:
    peer.send(frames.head(16_384, frames.HEADERS, 0, 1) + bytes(16_384))
    for _ in range(http2.HEADER_BLOCK_BYTES_MAX // 16_384):
        peer.send(frames.head(16_384, frames.CONTINUATION, 0, 1) + bytes(16_384))
    assert peer.fault == "ENHANCE_YOUR_CALM"
    bomb = Peer()
    fields = [(":method", "POST"), (":scheme", "http"), (":path", "/"), *(("cookie", "x" * 4_000) for _ in range(40))]
    bomb.send(bomb.request(1, fields=fields))
    assert bomb.fault == "ENHANCE_YOUR_CALM"


def test_the_table_of_states_is_what_streams_do() -> None:
    for (state, end), following in NEXT.items():
        peer = Peer()
        peer.send(peer.request(1, ends=False))
        stream = peer.connection.streams[1]
        stream.remote_ended = state is State.HALF_CLOSED_REMOTE
        stream.local_ended = state is State.HALF_CLOSED_LOCAL
        assert stream.state is state
        if end is End.REMOTE:
            peer.send(data_frame(1, b"", ends=True))
        else:
            stream.local_ended = True
        assert stream.state is following
        assert (1 in peer.connection.streams) is (following is not State.CLOSED or end is End.LOCAL)


_ACTIONS = st.one_of(
    st.builds(lambda stream, ends: ("request", stream, ends), st.integers(1, 9), st.booleans()),
    st.builds(lambda stream, data, ends: ("data", stream, data, ends), st.integers(1, 9), st.binary(max_size=40), st.booleans()),
    st.builds(lambda stream: ("rst", stream), st.integers(0, 9)),
    st.builds(lambda stream, size: ("window", stream, size), st.integers(0, 9), st.integers(0, 2**31 - 1)),
    st.builds(lambda value: ("settings", value), st.integers(0, 2**31)),
    st.just(("ping",)),
    st.builds(lambda data: ("raw", data), st.binary(max_size=30)),
)


def _bytes_of(peer: Peer, actions: list[tuple[object, ...]]) -> bytes:
    parts = []
    for name, *rest in actions:
        match name, rest:
            case "request", [int(stream), bool(ends)]:
                parts.append(peer.request(stream, ends=ends))
            case "data", [int(stream), bytes(data), bool(ends)]:
                parts.append(data_frame(stream, data, ends=ends))
            case "rst", [int(stream)]:
                parts.append(frames.rst_stream(stream, ErrorCode.CANCEL))
            case "window", [int(stream), int(size)]:
                parts.append(frames.window_update(stream, size))
            case "settings", [int(value)]:
                parts.append(frames.settings({Setting.INITIAL_WINDOW_SIZE: value}))
            case "ping", []:
                parts.append(PING)
            case "raw", [bytes(data)]:
                parts.append(data)
    return b"".join(parts)


@settings(max_examples=150, deadline=None)
@given(st.lists(_ACTIONS, max_size=12), st.lists(st.integers(1, 50), max_size=20))
def test_the_result_does_not_depend_on_how_the_bytes_are_cut(actions: list[tuple[object, ...]], cuts: list[int]) -> None:
    whole, single, random = Peer(), Peer(), Peer()
    data = _bytes_of(Peer(), actions)
    whole.send(data)
    for byte in data:
        single.send(bytes((byte,)))
    at = 0
    for cut in [*cuts, len(data)]:
        random.send(data[at : at + cut])
        at += cut
    for other in (single, random):
        assert other.told == whole.told
        assert other.fault == whole.fault
        assert bytes(other.connection.outgoing) == bytes(whole.connection.outgoing)


_CALLS = st.one_of(
    st.tuples(
        st.sampled_from([5, 7, 9, 3, 4, 0]),
        st.sampled_from([0, 0, 1]),
        st.binary(max_size=9),
        st.sampled_from([1, 1, 0, 8, 9]),
        st.sampled_from([0, 0, 0, 2]),
    ),
    st.sampled_from([(5, 0, b"x" * 16_384, 1, 0), (5, 0, b"x" * 16_385, 1, 0), (2**31 + 5, 0, b"x", 1, 0)]),
)
"""A stream; of the frame behind its HEADERS: how far off its stream is, payload, flags, and kind (DATA but for some)."""


@settings(max_examples=150, deadline=None)
@given(st.lists(_CALLS, min_size=1, max_size=5), st.booleans())
def test_a_call_in_one_piece_is_what_it_is_frame_by_frame(calls: list[tuple[int, int, bytes, int, int]], stops: bool) -> None:
    """The header block has been seen before, so that a call whose frames are both there may take the short way; cut in two it never does."""
    writer = Peer()
    known = writer.request(1) + writer.request(3)
    whole, cut = Peer(), Peer()
    for peer in (whole, cut):
        peer.send(known)
        if stops:
            peer.connection.stop()
    for stream_id, off, data, flags, kind in calls:
        head = writer.request(stream_id & 0x7FFFFFFF, ends=False)
        head = head[:5] + stream_id.to_bytes(4) + head[9:]
        body = frames.head(len(data), kind, flags, stream_id + 2 * off) + data
        whole.send(head + body)
        cut.send(head)
        cut.send(body)
    assert whole.told == cut.told
    assert whole.fault == cut.fault
    assert bytes(whole.connection.outgoing) == bytes(cut.connection.outgoing)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_are_a_surprise(data: bytes) -> None:
    peer = Peer()
    peer.send(data)
    bare = Peer(with_preface=False)
    bare.send(data)
    assert len(peer.connection.outgoing) < 10_000
