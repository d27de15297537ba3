"""Its errors."""


class DockerException(Exception):
    """Any of them."""


class NotFound(DockerException):
    """No such container."""


class ImageNotFound(NotFound):
    """No such image here."""
