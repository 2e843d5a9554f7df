"""Which transcripts the offline model reads: English ones, and of others it says which language they are in."""

import pytest

from include.claims.claim import Claim, Episode, Extraction
from include.claims.languages import EnglishOnly, other_language
from include.pipeline import chosen_models
from include.settings import Settings
from include.transcripts.segment import Segment

TOLD = {
    None: "We rebuilt the kiln last spring and it cut our gas bill by forty percent, which is what they had told us. ",
    "Spanish": "Cuando hicimos el horno nuevo, la factura bajó mucho, pero no es lo que nos dijeron en la obra. ",
    "German": "Wir haben den Ofen neu gebaut und die Rechnung ist nicht so hoch wie im Jahr davor, aber das ist so. ",
    "French": "Nous avons refait le four et la facture est plus basse, mais ce n'est pas ce que les gens disent. ",
    "Japanese": "去年の春に窯を作り直しました。ガスの料金が四割も下がったので、とても驚きました。",
    "Russian": "Прошлой весной мы перестроили печь, и счёт за газ стал меньше почти наполовину. ",
    "another language": "Vorig kwis blon tarrek muun sopla driv estun kalmo verpin tosk ",
}


@pytest.mark.parametrize("language", TOLD)
def test_a_text_that_is_not_english_is_known_by_its_language(language):
    assert other_language(TOLD[language] * 8) == language


def test_a_text_of_a_few_words_is_not_judged():
    assert other_language("Hola a todos.") is None


class Reader:
    name, version = "reader", "1"

    def extract(self, episode, segments):
        return Extraction((Claim("said", "Said", "It was said.", None, 0, 0),))


def test_an_episode_in_another_language_gives_no_claim_and_says_which_language_it_is():
    extractor, episode = EnglishOnly(Reader()), Episode("e1", "Show", "Title")
    spanish = extractor.extract(episode, [Segment(0, TOLD["Spanish"] * 8)])
    assert spanish.claims == ()
    assert [(one.quote, one.reason, one.detail) for one in spanish.dropped] == [("", "language", "Spanish")]
    assert len(extractor.extract(episode, [Segment(0, TOLD[None] * 8)]).claims) == 1


def test_the_bundled_model_is_given_english_alone_and_a_chat_model_any_language(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    assert isinstance(chosen_models.extractor(Settings(llm_model="offline")), EnglishOnly)
    assert not isinstance(chosen_models.extractor(Settings(llm_model="openai:gpt-4o-mini")), EnglishOnly)
