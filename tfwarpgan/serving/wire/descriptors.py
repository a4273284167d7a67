"""Protobuf messages from a compact schema, built in a descriptor pool of their own.

Messages that are registered in protobuf's default pool collide with TensorFlow's or with those of the package
tensorflow-serving-api, should the same process import them. These never do, and need no generated code, so that one
source fits protobuf 4 and later ones. On the wire only the numbers and types of the fields count.

A schema has a line for each message: its name, then its fields as `number type name`, separated by semicolons. A type
may be `repeated T` or `map K V`; ` @name` at the end of a field makes it a member of that oneof. Lines of values that
begin with `enum` are enumerations; a dot in a name nests what it names. Indented lines continue the one before.
"""

import re

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

FIELD = descriptor_pb2.FieldDescriptorProto
SCALARS = ("double", "float", "int32", "int64", "uint32", "uint64", "fixed64", "bool", "string", "bytes")
WELL_KNOWN = {"Any": any_pb2} | dict.fromkeys(
    ("Int32Value", "Int64Value", "UInt32Value", "BoolValue", "DoubleValue", "StringValue"), wrappers_pb2
)


def build(schemas):
    """The messages of several packages.

    Args:
        schemas: Dictionary of schemas by package; a package may use the names of those before it.

    Returns:
        Dictionary of message classes and enumerations (`EnumTypeWrapper`) by unqualified top-level name.
    """
    pool = descriptor_pool.DescriptorPool()
    types = {}
    for module in (any_pb2, wrappers_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    for name in WELL_KNOWN:
        types[name] = (FIELD.TYPE_MESSAGE, f".google.protobuf.{name}")
    found, files = {}, [any_pb2.DESCRIPTOR.name, wrappers_pb2.DESCRIPTOR.name]
    for package, schema in schemas.items():
        file = _file(package, schema, files, types)
        pool.AddSerializedFile(file.SerializeToString())
        files.append(file.name)
        for message in file.message_type:
            descriptor = pool.FindMessageTypeByName(f"{package}.{message.name}")
            found[message.name] = message_factory.GetMessageClass(descriptor)
        for enum in file.enum_type:
            found[enum.name] = EnumTypeWrapper(pool.FindEnumTypeByName(f"{package}.{enum.name}"))
    return found


def _file(package, schema, dependencies, types):
    """The descriptor of a package; its names are added to `types`."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"private/{package}.proto", package=package, syntax="proto3", dependency=dependencies
    )
    lines = [line.split(":", 1) for line in re.sub(r"\n[ ]+", " ", schema).strip().splitlines()]
    parents = {"": file}
    for name, content in lines:
        kind, _, full = name.rpartition(" ")
        outer, _, own = full.rpartition(".")
        parent = parents[outer]
        if kind == "enum":
            enum = parent.enum_type.add(name=own)
            for value in content.split():
                enum.value.add(name=value.split("=")[0], number=int(value.split("=")[1]))
            types[full] = (FIELD.TYPE_ENUM, f".{package}.{full}")
        else:
            nested = parent.nested_type if outer else parent.message_type
            parents[full] = nested.add(name=own)
            types[full] = (FIELD.TYPE_MESSAGE, f".{package}.{full}")
    for name, content in lines:
        if name in parents:
            for field in filter(None, map(str.strip, content.split(";"))):
                _add_field(parents[name], f".{package}.{name}", field, types)
    return file


def _add_field(message, full_name, text, types):
    text, _, oneof = text.partition(" @")
    number, *kind, name = text.split()
    field = message.field.add(name=name, number=int(number), label=FIELD.LABEL_OPTIONAL)
    if kind[0] == "map":
        entry = message.nested_type.add(name="".join(map(str.capitalize, name.split("_"))) + "Entry")
        entry.options.map_entry = True
        for position, part in enumerate(("key", "value"), 1):
            _set_type(entry.field.add(name=part, number=position, label=FIELD.LABEL_OPTIONAL), kind[position], types)
        field.type, field.type_name = FIELD.TYPE_MESSAGE, f"{full_name}.{entry.name}"
    else:
        _set_type(field, kind[-1], types)
    if kind[0] in ("map", "repeated"):
        field.label = FIELD.LABEL_REPEATED
    if oneof:
        names = [declared.name for declared in message.oneof_decl]
        if oneof not in names:
            message.oneof_decl.add(name=oneof)
            names.append(oneof)
        field.oneof_index = names.index(oneof)


def _set_type(field, name, types):
    if name in SCALARS:
        field.type = getattr(FIELD, f"TYPE_{name.upper()}")
    else:
        field.type, field.type_name = types[name]
