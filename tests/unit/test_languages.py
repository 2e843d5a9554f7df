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
SPOKEN = [
    ("Spanish", "Pues mira, yo empecé a trabajar en el taller con mi tío cuando tenía quince años, y la verdad es que "
     "no me gustaba nada. Me levantaba a las seis, cogía el autobús, y llegaba muerto de sueño. Pero bueno, con el "
     "tiempo uno aprende, ¿no? Lo que pasa es que en este oficio casi nadie te explica las cosas."),
    ("German", "Also ich sag mal so, am Anfang haben wir gedacht, das kriegen wir in einem halben Jahr hin. Und dann "
     "kam halt die Bürokratie. Da musst du erst mal einen Antrag stellen, dann wartest du drei Monate, dann kommt "
     "jemand vorbei und sagt, nee, so geht das nicht. Mein Bruder hat irgendwann nur noch gelacht."),
    ("French", "Alors moi, quand j'ai repris la ferme de mes parents, tout le monde m'a dit que j'étais complètement "
     "folle. On avait vingt-deux vaches, plus de trésorerie, et un toit qui fuyait. Enfin bref, j'ai commencé par "
     "vendre la moitié du troupeau. Et là, mon père ne m'a plus parlé pendant six mois."),
    ("Portuguese", "Olha, eu vou te contar como é que foi. A gente chegou no bairro em dois mil e nove, não tinha nem "
     "calçada. Aí minha mãe falou assim, menina, você não vai ficar reclamando, vai lá e faz. E eu fui, né? Juntei "
     "umas vizinhas, a gente foi bater na porta da prefeitura toda terça-feira."),
    ("Italian", "Allora, io vi racconto com'è andata. Mio nonno aveva questo forno in fondo alla piazza, faceva il "
     "pane due volte al giorno, e noi bambini aspettavamo fuori perché ci dava sempre un pezzo di focaccia. Poi è "
     "arrivato il supermercato, e nel giro di tre anni ha perso metà dei clienti."),
    ("Dutch", "Nou kijk, toen wij hier kwamen wonen stond de hele straat eigenlijk al op de lijst om gesloopt te "
     "worden. Dus iedereen zei, joh, waar begin je aan. Maar wij dachten, we proberen het gewoon. We hebben met een "
     "stuk of twintig buren een vereniging opgericht, en toen zijn we naar de gemeente gestapt."),
    ("Norwegian", "Ja, altså, da vi begynte med dette, så trodde vi at det skulle ta et år. Men så viste det seg at "
     "ingen hadde tegninger av huset, og kommunen visste heller ikke hvem som eide det. Jeg ringte rundt i flere uker. "
     "Til slutt fant vi en gammel dame som husket alt sammen, og hun fortalte oss hvor rørene lå."),
    ("Danish", "Altså, jeg vil sige, at da vi startede, så var der ikke nogen, der troede på det. Vi havde lånt en "
     "gammel lade af min onkel, og der stod vi så med tre geder og ingen penge. Men folk begyndte at komme forbi, og "
     "de ville gerne købe osten, og så gik det stærkt."),
    ("Japanese", "えっと、最初に店を開いたときはですね、正直お客さんが一日に三人くらいしか来なかったんです"
     "よ。で、妻にも、もうやめたらって言われて。でもなんか、悔しいじゃないですか。"),
    ("Hindi", "देखिए, जब हमने यह काम शुरू किया था, तब गाँव में किसी के पास बिजली नहीं थी। तो मैंने सोचा, क्यों न हम "
     "खुद ही कुछ करें। पहले साल हमने सिर्फ बारह घरों में सोलर लगाया।"),
    ("Ukrainian", "Ну слухай, коли ми починали, ніхто не вірив, що з цього щось вийде. У нас був старий будинок, три "
     "кози і жодних грошей. Але люди почали приходити, хотіли купити сир, і звідти все пішло."),
    ("another language", "Dekho yaar, main bata raha hoon, jab humne yeh kaam shuru kiya tha na, tab hamare paas sirf "
     "do laptop the aur ek chhota sa office. Investors bolte the ki yeh model kaam nahi karega. Phir humne socha ki "
     "chalo, customer se seedha baat karte hain. Ek mahine mein teen sau dukaan wale jud gaye."),
    ("another language", "No siis, kun me aloitettiin tämä homma, niin kukaan ei uskonut että siitä tulee mitään. "
     "Meillä oli vanha talo, kolme vuohta ja ei yhtään rahaa. Mutta sitten ihmiset alkoivat käydä meillä, ja he "
     "halusivat ostaa juustoa, ja siitä se lähti. Nyt meitä on kahdeksan, ja myymme koko maahan."),
]  # fmt: skip
ENGLISH = {
    "with words of another language": "So my grandmother, mi abuela, she always told me, mija, you have to learn to "
    "cook before you learn to drive. And I was like, ay, abuela, por favor, nobody does that anymore. But then when I "
    "opened the restaurant, everything that people came back for was hers, the mole, the tamales, all of it. Claro, "
    "you learn that the hard way.",
    "with foreign names": "We met Oleksandr Kovalenko and Przemysław Wójcik at the port of Gdańsk, and with them was "
    "Nguyễn Thị Minh Khai from Hải Phòng, who had come by way of Reykjavík. Kovalenko said the grain moved from "
    "Mykolaiv to Constanța, then to Świnoujście, and that Yılmaz Öztürk of Çanakkale had arranged the barges.",
    "in capitals": "SO WHAT HAPPENED IS THE COUNTY CLOSED THE BRIDGE ON A TUESDAY AND TOLD NOBODY. >> AND YOU FOUND "
    "OUT HOW? >> WE FOUND OUT WHEN THE SCHOOL BUS CAME BACK. MY NEIGHBOR CALLED AND SAID THERE IS A FENCE ACROSS THE "
    "ROAD. >> WOW. >> YEAH. AND THE DETOUR IS FORTY MILES EACH WAY.",
    "with accents": "The café owner was naïve about the résumé, à la carte was her forte, and the soufflé cost more "
    "than the crème brûlée. Zoë and Chloë ran the rôtisserie, José did the décor, and Renée kept the books. They told "
    "us that the façade had been rebuilt by a protégé of the old maître d'.",
    "of terms": "Engineers debug latency, measure percentiles, tune garbage collection, shard tables, cache queries, "
    "batch writes. Controllers watch resources, replicas lag, partitions rebalance, nodes restart containers. Postgres "
    "stores orders, Redis evicts keys, Kafka moves events, Grafana draws dashboards, alerts wake people, people open "
    "tickets, tickets wait.",
    "of few words": "So I go to do it, to try to show people how to do it, to get something to work, and it is just a "
    "thing I do, I like to do it, so I want to do more, to get better, to be able to do something to help people do "
    "their own thing.",
    "of banter": "Oh my God, no. Yeah. No way. I know, right? Like, dude. Okay, okay. So I go, hey, come on. He goes, "
    "nah, man. I'm dead. Honestly, same. Yeah, no, totally. Um, I mean, kind of? Wait, seriously? Stop. Ha, yeah. You "
    "guys. Okay, so, like, we get there, right, and she's just like, nope.",
}


@pytest.mark.parametrize("language", TOLD)
def test_a_text_that_is_not_english_is_known_by_its_language(language):
    assert other_language(TOLD[language] * 8) == language


@pytest.mark.parametrize(("language", "said"), SPOKEN)
def test_a_minute_of_talk_is_enough_to_know_that_it_is_not_english(language, said):
    assert other_language(said) == other_language(said.upper()) == language


@pytest.mark.parametrize("kind", ENGLISH)
def test_english_is_english_however_it_is_spoken_and_written(kind):
    assert other_language(ENGLISH[kind]) is None
    assert other_language(ENGLISH[kind] * 10) is None


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
