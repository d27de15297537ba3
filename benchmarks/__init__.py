"""Side-by-side measurements of Publican and the official emulator; `python -m benchmarks` prints the table.

    connection.py   a blocking HTTP/2 client for gRPC, 200 lines: drives streams and end-to-end latency
    messages.py     the request bytes and response classes that every driver uses
    load.py         many equal calls: h2load where it is installed, connection.py where not
    product.py      the two servers: how each is started, its CPU and memory from /proc
    resources.py    one topic and its subscriptions for one measurement, and one checked answer
    rows/           what is measured: one function per row of the table
    run.py          warm-up, turns, medians
    report.py       Markdown and JSON
    drain.py        publish a million, stream them to two subscribers, look at the memory

Nothing here imports publican_emulator: the yardstick sees what a client on the other side of the port sees.

PYTEST_DONT_REWRITE
"""
