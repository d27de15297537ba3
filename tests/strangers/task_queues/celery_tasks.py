"""A Celery application whose one task fails the first time; run by test_task_queues.py in an environment that has Celery."""

import pathlib
from typing import Any

import celery

app = celery.Celery("orders", broker="gcpubsub://projects/strangers")
app.conf.broker_transport_options = {"wait_time_seconds": 1, "ack_deadline_seconds": 10}
app.conf.task_ignore_result = True
app.conf.worker_enable_remote_control = False


@app.task(bind=True, max_retries=3)  # type: ignore[untyped-decorator]
def write(self: Any, path: str, text: str) -> None:
    """Write a file, at the second attempt."""
    if self.request.retries == 0:
        raise self.retry(countdown=0)
    pathlib.Path(path).write_text(text)
