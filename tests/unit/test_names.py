"""Names are told as the show spells them."""

import pytest

from include.claims.claim import Episode
from include.claims.offline.names import Names

EPISODE = Episode(
    "e", "Harbour Talk", "A war over turbines", "With Farnaz Fassihi and Ernesto Londoño.", ("Ilona Varga",)
)


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("Then Farnaz Farsihi called.", "Then Farnaz Fassihi called."),
        ("Lindoño's piece", "Londoño's piece"),
        ("Farnaz Fassihi's piece", "Farnaz Fassihi's piece"),
        ("Fassihis came", "Fassihis came"),
        ("The Turbine is late.", "The Turbine is late."),
        ("She said lindoño.", "She said lindoño."),
    ],
)
def test_a_misheard_name_is_mended_and_nothing_else(heard, written):
    assert Names(EPISODE, [heard]).mended(heard) == written


def test_a_last_name_has_the_full_name_that_is_nearly_always_meant():
    names = Names(EPISODE, ["Ilona Varga came.", "Ada Osei and Ben Osei came. Ada Osei and Ben Osei left."])
    assert names.full("Varga") == "Ilona Varga"
    assert names.full("Osei") == "Osei"
