"""What a new revision of a protocol buffer schema may change: optional fields come and go; everything else stays as it is.

Source: "Commit a schema revision", cloud.google.com/pubsub/docs/commit-schema-revision.

PYTEST_DONT_REWRITE
"""

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor


def problem(new: Descriptor, old: Descriptor) -> str:
    """Say what a new definition changes of an old one that it may not; "": nothing."""
    return _message(new, old, set())


def _message(new: Descriptor, old: Descriptor, seen: set[str]) -> str:
    if new.full_name in seen:
        return ""
    seen.add(new.full_name)
    fields, old_fields = new.fields_by_number, old.fields_by_number
    for number in sorted({*fields, *old_fields}):
        field, old_field = fields.get(number), old_fields.get(number)
        if field is None or old_field is None:
            only = field or old_field
            assert only is not None
            if only.is_required or only.is_repeated:
                return f"{only.full_name} = {number} is {'added' if old_field is None else 'missing'}, and is not optional"
        elif why := _field(field, old_field, seen):
            return why
    return ""


def _field(new: FieldDescriptor, old: FieldDescriptor, seen: set[str]) -> str:
    if new.name != old.name:
        return f"{old.full_name} = {old.number} is called {new.name}"
    if new.type != old.type or (new.is_repeated, new.is_required, new.has_presence) != (old.is_repeated, old.is_required, old.has_presence):
        return f"{new.full_name} = {new.number} is of another type"
    if new.message_type is not None and old.message_type is not None:
        if new.message_type.name != old.message_type.name:
            return f"{new.full_name} = {new.number} is of another type"
        return _message(new.message_type, old.message_type, seen)
    if new.enum_type is not None and old.enum_type is not None:
        return _enum(new.enum_type, old.enum_type)
    return ""


def _enum(new: EnumDescriptor, old: EnumDescriptor) -> str:
    values, old_values = ({value.name: value.number for value in each.values} for each in (new, old))
    for name in {**values, **old_values}:
        if values.get(name) != old_values.get(name):
            missing = name not in values or name not in old_values
            number = values.get(name, old_values.get(name))
            return f"{new.full_name}.{name} = {number} is {'missing in one of the revisions' if missing else 'another number'}"
    return ""
