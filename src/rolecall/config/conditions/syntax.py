"""The syntax tree of a compiled condition, read out of CEL's own serialisation of it.

The bytes are a ``cel.expr.CheckedExpr`` within a ``google.protobuf.Any``
(https://github.com/google/cel-spec/tree/master/proto/cel/expr). Few fields of it matter here, and
the wire format is simple enough to need no protobuf library
(https://protobuf.dev/programming-guides/encoding/).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_VARINT: Final = 0
_FIXED64: Final = 1

_ANY_VALUE: Final = 2
_CHECKED_EXPR: Final = 4

Fields = dict[int, list[int | bytes]]


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: bool | int | float | str | bytes | None


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, with its dots where it was declared with them: ``caller.groups``."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """A field of a map: ``operand.field``, or ``has(operand.field)``."""

    operand: "Node"
    field: str
    test: bool


@dataclass(frozen=True, slots=True)
class Apply:
    """A function or an operator; a method's receiver is its target."""

    function: str
    target: "Node | None"
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Collection:
    """A list or a map literal: its elements, or its keys and values in turn."""

    kind: str
    elements: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Fold:
    """What macros over lists and maps become: ``exists``, ``all``, ``filter``, ``map``."""

    variables: tuple[str, ...]
    parts: "tuple[Node, ...]"


Node = Constant | Name | Select | Apply | Collection | Fold


def parse(serialised: bytes) -> Node:
    """Read the tree out of what ``Expression.serialize()`` gives."""
    checked = _message(_fields(serialised), _ANY_VALUE)
    return _node(_message(checked, _CHECKED_EXPR))


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node."""
    match node:
        case Select():
            return (node.operand,)
        case Apply():
            return node.arguments if node.target is None else (node.target, *node.arguments)
        case Collection():
            return node.elements
        case Fold():
            return node.parts
    return ()


def _node(fields: Fields) -> Node:
    if 3 in fields:
        return _constant(_message(fields, 3))
    if 4 in fields:
        return Name(_text(_message(fields, 4), 1))
    if 5 in fields:
        select = _message(fields, 5)
        return Select(_node(_message(select, 1)), _text(select, 2), 3 in select)
    if 6 in fields:
        call = _message(fields, 6)
        target = _node(_message(call, 1)) if 1 in call else None
        return Apply(_text(call, 2), target, tuple(map(_node, _messages(call, 3))))
    if 7 in fields:
        return Collection("list", tuple(map(_node, _messages(_message(fields, 7), 1))))
    if 8 in fields:
        entries = _messages(_message(fields, 8), 2)
        return Collection(
            "map", tuple(_node(_message(entry, part)) for entry in entries for part in (3, 4))
        )
    fold = _message(fields, 9)
    names = tuple(_text(fold, field) for field in (1, 8, 3) if field in fold)
    return Fold(
        names, tuple(_node(_message(fold, part)) for part in (2, 4, 5, 6, 7) if part in fold)
    )


def _constant(fields: Fields) -> Constant:
    ((field, (value, *_)),) = fields.items() or ((1, [0]),)
    match field, value:
        case 2, int():
            return Constant(bool(value))
        case 3, int():
            # a negative int64 is its two's complement in 64 bits
            return Constant(value - (1 << 64) if value >> 63 else value)
        case 4, int():
            return Constant(value)
        case 5, bytes():
            return Constant(struct.unpack("<d", value)[0])
        case 6, bytes():
            return Constant(value.decode())
        case 7, bytes():
            return Constant(value)
    return Constant(None)


def _message(fields: Fields, field: int) -> Fields:
    return next(iter(_messages(fields, field)), {})


def _messages(fields: Fields, field: int) -> list[Fields]:
    return [_fields(value) for value in fields.get(field, ()) if isinstance(value, bytes)]


def _text(fields: Fields, field: int) -> str:
    values = fields.get(field, [b""])
    return values[0].decode() if isinstance(values[0], bytes) else ""


def _fields(data: bytes) -> Fields:
    fields: Fields = {}
    position = 0
    end = len(data)
    while position < end:
        tag, position = _varint(data, position)
        number, position = _varint(data, position) if tag & 7 != _FIXED64 else (8, position)
        value: int | bytes = number
        if tag & 7 != _VARINT:
            value, position = data[position : position + number], position + number
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _varint(data: bytes, position: int) -> tuple[int, int]:
    first = data[position]
    if first < 0x80:
        return first, position + 1
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
