"""The forms that a chat model's answers have, and what can be used of an answer that keeps to its form in part."""

import math
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from include.models.questions import Answer


class Form(BaseModel):
    """An answer, or a part of one: all fields are required, and others are not allowed."""

    model_config = ConfigDict(extra="forbid")


def _on_scale(value: float) -> float:
    if not (math.isfinite(value) and 0 <= value <= 5):
        raise ValueError("a rating is a number from 0 to 5")
    return value


# A validator rather than bounds: bounds would enter the schema, which some providers then refuse.
Rating = Annotated[float, AfterValidator(_on_scale)]

AForm = TypeVar("AForm", bound=BaseModel)


def items_of(answer: Answer, name: str) -> list[Any]:
    """The list of that name in an answer, whatever its items are; none where there is none, or the model declined."""
    items = answer.data.get(name)
    return items if isinstance(items, list) and answer.status != "refused" else []


def as_form(form: type[AForm], item: Any) -> AForm | None:
    """An item as its form; None where it is of another."""
    try:
        return form.model_validate(item)
    except ValidationError:
        return None
