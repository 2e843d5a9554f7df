"""The forms that a chat model's answers have, and what can be used of an answer that keeps to its form in part."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from include.models.questions import Answer


class Form(BaseModel):
    """An answer, or a part of one: all fields are required, and others are not allowed."""

    model_config = ConfigDict(extra="forbid")


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
