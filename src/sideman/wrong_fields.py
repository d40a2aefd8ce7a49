"""What msgspec finds wrong with a value, in words: the field and, where it is a choice, what there is to choose."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

_STEP = re.compile(r"\.(\w+)|\[[^]]*\]")


def in_words(error: msgspec.ValidationError, kind: Any) -> tuple[str, str]:
    """(field, what is wrong with it) of a value that was to be a `kind`; the field of the value itself is empty.

    ``Invalid enum value 'x' - at `$.key` `` is ("key", "invalid value 'x': it must be lock or free").
    """
    what, _, where = str(error).replace("`", "").partition(" - at $")
    what = what[:1].lower() + what[1:]
    if what.startswith("invalid enum value"):
        what = f"{what.replace('enum ', '')}: it must be {_listed(choices(kind, where))}"
    return where.lstrip("."), what


def choices(kind: Any, where: str) -> list[str]:
    """The values that are allowed at a place such as `.keep[...].symbol` of a type; none where it is no choice."""
    places = [_described(kind)]
    for step in _STEP.finditer(where):
        places = [inner for place in places for inner in _inside(place, step[1])]
    found = [str(value) for place in places for plain in _plain(place) for value in _values(plain)]
    return list(dict.fromkeys(found))


@lru_cache
def _described(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _inside(place: inspect.Type, field: str | None) -> Iterator[inspect.Type]:
    """What lies in the field of a type, or in a place of a list or mapping."""
    for plain in _plain(place):
        if isinstance(plain, inspect.StructType):
            yield from (each.type for each in plain.fields if each.encode_name == field)
        elif isinstance(plain, inspect.ListType | inspect.VarTupleType) and field is None:
            yield plain.item_type
        elif isinstance(plain, inspect.TupleType) and field is None:
            yield from plain.item_types
        elif isinstance(plain, inspect.DictType) and field is None:
            yield from (plain.key_type, plain.value_type)


def _plain(place: inspect.Type) -> Iterator[inspect.Type]:
    """The types of which a value may be one."""
    if isinstance(place, inspect.Metadata):
        yield from _plain(place.type)
    elif isinstance(place, inspect.UnionType):
        for each in place.types:
            yield from _plain(each)
    else:
        yield place


def _values(plain: inspect.Type) -> Iterator[object]:
    if isinstance(plain, inspect.LiteralType):
        yield from plain.values
    elif isinstance(plain, inspect.EnumType):
        yield from (member.value for member in plain.cls)


def _listed(names: list[str]) -> str:
    return " or ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
