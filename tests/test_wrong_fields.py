"""Wrong choices are told with the right ones, wherever in a message they are."""

from typing import Annotated, Literal

import msgspec
import pytest

from sideman.wrong_fields import in_words

Colour = Annotated[Literal["red", "green"], msgspec.Meta(description="A colour.")]


class Leaf(msgspec.Struct, forbid_unknown_fields=True):
    colour: Colour
    count: int = 0


class Round(Leaf, tag="round"):
    end: Literal["soft"] | None = None


class Long(Leaf, tag="long"):
    end: Literal["sharp", "torn"] | None = None


class Tree(msgspec.Struct):
    leaves: list[Round | Long] = []
    named: dict[str, Leaf] = {}
    pair: tuple[Colour, int] = ("red", 0)


@pytest.mark.parametrize(
    ("value", "field", "what"),
    [
        ({"leaves": [{"type": "round", "colour": "blue"}]}, "leaves[0].colour", "'blue': it must be green or red"),
        ({"named": {"a": {"colour": "blue"}}}, "named[...].colour", "'blue': it must be green or red"),
        ({"pair": ["blue", 1]}, "pair[0]", "'blue': it must be green or red"),
        ({"leaves": [{"type": "long", "colour": "red", "end": "x"}]}, "leaves[0].end", "soft, sharp or torn"),
        ({"pair": ["red", "1"]}, "pair[1]", "expected int, got str"),
        ({"named": {"a": {"colour": "red", "size": 1}}}, "named[...]", "object contains unknown field size"),
        ([], "", "expected object, got array"),
    ],
)
def test_field_and_fault(value: object, field: str, what: str):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, Tree)
    found, said = in_words(caught.value, Tree)
    assert found == field
    assert said.endswith(what)
