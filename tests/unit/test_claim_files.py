"""The command that finds claims in episode files."""

import json

import pytest

from include.local.claim_files import UnreadableEpisode, main, read_episode

LINES = [
    "Grid companies earn six percent on new transformers and nothing on repairs, because repairs are running costs. ",
    "Whoever rewinds an old unit for 600,000 euros lowers the profit of the company for that year. ",
    "The regulator knows this since 2019 and has changed nothing, so the queue for new units grows each month. ",
]


def episode(**changes):
    told = {
        "guid": "base-load:64",
        "title": "Why transformers are late",
        "show": "Base Load",
        "segments": [{"start": i * 9.5, "end": None, "speaker": "Ada", "text": t} for i, t in enumerate(LINES * 4)],
    }
    return told | changes


def write(folder, name, told):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(told if isinstance(told, str) else json.dumps(told), encoding="utf-8")
    return file


def test_every_episode_below_the_folder_is_read_and_its_claims_ranked_from_one(tmp_path, capsys):
    write(tmp_path, "in/base-load/64.json", episode())
    write(tmp_path, "in/65.json", episode(guid="base-load:65"))
    assert main([str(tmp_path / "in"), str(tmp_path / "out/claims.jsonl")]) == 0
    rows = [json.loads(line) for line in (tmp_path / "out/claims.jsonl").read_text().splitlines()]
    assert {row["guid"] for row in rows} == {"base-load:64", "base-load:65"}
    for guid in ("base-load:64", "base-load:65"):
        mine = [row for row in rows if row["guid"] == guid]
        assert [row["rank"] for row in mine] == list(range(1, len(mine) + 1))
        assert [row["score"] for row in mine] == sorted((row["score"] for row in mine), reverse=True)
    assert set(rows[0]) == {
        "guid", "rank", "quote", "headline", "insight", "speaker", "start_seconds", "score",
    }  # fmt: skip
    assert "[2/2]" in capsys.readouterr().err


def test_what_a_show_says_again_in_other_files_of_the_folder_is_no_claim(tmp_path):
    talk = {
        number: [
            f"Port {number}{i} closes {i} weeks after storm {number}, because the cranes at quay {number}{i} rust."
            for i in range(12)
        ]
        for number in (3, 4)
    }
    for number, lines in talk.items():
        told = [{"text": text, "speaker": "Ada" if text in LINES else "Ben"} for text in [*lines, *LINES]]
        write(tmp_path, f"in/{number}.json", episode(guid=f"e{number}", segments=told))
    alone = write(tmp_path, "alone.json", episode(guid="e3", segments=told))
    assert main([str(alone), str(tmp_path / "alone.jsonl")]) == 0
    assert main([str(tmp_path / "in"), str(tmp_path / "out.jsonl")]) == 0
    assert "whoever rewinds" in (tmp_path / "alone.jsonl").read_text().lower()
    assert "port" in (tmp_path / "out.jsonl").read_text().lower()
    assert "whoever rewinds" not in (tmp_path / "out.jsonl").read_text().lower()


def test_a_bad_file_is_named_and_the_rest_goes_on(tmp_path, capsys):
    write(tmp_path, "in/bad.json", "{")
    write(tmp_path, "in/good.json", episode())
    assert main([str(tmp_path / "in"), str(tmp_path / "out.jsonl")]) == 1
    assert (tmp_path / "out.jsonl").read_text()
    error = capsys.readouterr().err
    assert "bad.json: left out: not JSON" in error
    assert "1 left out" in error


@pytest.mark.parametrize("arguments", [[], ["only one"], ["", "out.jsonl"]])
def test_missing_arguments_are_asked_for(arguments, capsys):
    assert main(arguments) == 2
    assert "IN=DIR OUT=FILE" in capsys.readouterr().err


def test_an_empty_folder_is_an_error(tmp_path, capsys):
    assert main([str(tmp_path), str(tmp_path / "out.jsonl")]) == 2
    assert "no episode files" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ("[]", "one JSON object"),
        (episode(guid=None), "`guid`"),
        (episode(segments=None), "`segments`"),
        (episode(segments=[{"text": 5}]), "segment 0"),
        (episode(segments=[{"text": "a", "speaker": 5}]), "`speaker`"),
        (episode(segments=[{"text": "a", "start": "soon"}]), "`start`"),
        (episode(segments=[{"text": "a", "end": -1}]), "`end`"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, told, wrong):
    with pytest.raises(UnreadableEpisode, match=wrong):
        read_episode(write(tmp_path, "e.json", told))


def test_descriptions_lose_their_markup_and_link_targets(tmp_path):
    told = episode(description="<p>About <b>grids</b></p>", shownotes_md="- [a map](https://example.org/x)")
    assert read_episode(write(tmp_path, "e.json", told)).episode.description == "About grids - a map"
