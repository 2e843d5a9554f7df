"""Errors that come again however often a task is tried: somebody has to mend something first, and the message says
what."""

from pydantic import ValidationError

from include.digest.recipients import BadRecipients
from include.models.questions import UnusableModel
from include.pipeline.handover import Unusable
from include.settings import Settings
from include.state.store import UnusableState
from include.warehouse.database import UnusableWarehouse
from include.warehouse.doors import CriticalRuleBroken
from include.warehouse.partition import NoPartition

HOPELESS = (UnusableModel, CriticalRuleBroken, NoPartition, BadRecipients, Unusable, UnusableState, UnusableWarehouse)


def is_hopeless(error: BaseException) -> bool:
    """Whether no retry helps; a setting of the wrong form counts too."""
    return isinstance(error, HOPELESS) or (isinstance(error, ValidationError) and error.title == Settings.__name__)
