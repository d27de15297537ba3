"""Shelves: the resources of one kind, by full name.

The form of a name counts before its existence; existing names need no second look at their form.

Source: "Resource names", cloud.google.com/pubsub/docs/pubsub-basics; docs/semantics.md, names.

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from publican_emulator.broker.errors import AlreadyExists, InvalidName, NotFound, ResourceExhausted
from publican_emulator.broker.policies import Policy
from publican_protocol import names

Resource = TypeVar("Resource")


class Shelf(Generic[Resource]):
    """The resources of one kind ("topic", in the collection "topics")."""

    __slots__ = ("_by_name", "collection", "kind", "policies")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.collection = f"{kind}s"
        self.policies: dict[str, Policy] = {}
        """The IAM policies of those resources that were given one."""
        self._by_name: dict[str, Resource] = {}

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_name.values())

    def find(self, name: str) -> Resource | None:
        """Give a resource, or None."""
        return self._by_name.get(name)

    def get(self, name: str, *, shown: str | None = None) -> Resource:
        """Give a resource; `shown` is how the error names it where that is not the short id.

        Raises:
            InvalidName: the name's form.
            NotFound: there is none of that name.
        """
        resource = self._by_name.get(name)
        if resource is None:
            self.check_form(name)
            raise NotFound(self.kind, name, shown=shown)
        return resource

    def check_form(self, name: str) -> None:
        """Refuse what is no full name of this kind."""
        if not names.matches(self.collection, name):
            raise InvalidName(name)

    def check_free(self, name: str) -> None:
        """Refuse a name that is taken."""
        if name in self._by_name:
            raise AlreadyExists(self.kind, name)

    def check_room(self, name: str, most: int) -> None:
        """Refuse one more in the project of `name`, if it has `most`.

        Raises:
            ResourceExhausted: it has.
        """
        project = f"projects/{names.project_of(name)}/"
        if len(self._by_name) >= most and sum(other.startswith(project) for other in self._by_name) >= most:
            raise ResourceExhausted(f"The project {project.split('/')[1]} has {most} {self.collection}, as many as the quota allows.")

    def put(self, name: str, resource: Resource) -> None:
        """Add a resource under a name that is free."""
        self._by_name[name] = resource

    def remove(self, name: str) -> None:
        """Take a resource away, and its policy."""
        del self._by_name[name]
        self.policies.pop(name, None)

    def free_name(self, project: str, number: int) -> str:
        """Give a name that is free, made from a serial number."""
        name = f"projects/{project}/{self.collection}/auto-{number}"
        while name in self._by_name:
            name += "x"
        return name

    def items(self) -> list[tuple[str, Resource]]:
        """Give every resource with its name."""
        return list(self._by_name.items())

    def names(self) -> list[str]:
        """Give every name."""
        return list(self._by_name)

    def of_project(self, project: str) -> list[Resource]:
        """Give the resources of a project (`projects/p`), sorted by name."""
        return [self._by_name[name] for name in sorted(self._by_name) if name.startswith(f"{project}/")]


AnyShelf = Shelf[Any]
"""A shelf of whatever kind."""
