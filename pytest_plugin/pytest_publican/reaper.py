"""`python -m pytest_publican.reaper CONTAINER`: waits until its standard input closes, and removes the container if it is still there.

The input is a pipe from the test process: it closes when that ends, however it ends.

PYTEST_DONT_REWRITE
"""

import sys


def main(container_id: str) -> None:
    """Wait for the end of the input, and remove the container."""
    import docker
    import docker.errors

    sys.stdin.buffer.read()
    try:
        docker.from_env().containers.get(container_id).remove(force=True, v=True)
    except docker.errors.NotFound:
        pass  # as it should be: the session has removed it


if __name__ == "__main__":
    main(sys.argv[1])
