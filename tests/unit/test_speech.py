"""Recordings become segments: any container, any length, truncated or stitched together; what is none is refused."""

import itertools
import logging
import os
import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from include.settings import settings
from include.sources import workers
from include.transcripts import checks, decoder, speech
from tests.evals.speech import SAMPLE, SHARED, Said, compared, real, sample, word_errors

MINUTE = " ".join(sample().text.split("So it is not the new maker")[0].split())
"""What is said in the first 64 seconds of the sample's recording, up to the end of a sentence."""


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """The first 64 seconds of the sample's recording, mono, 16,000 samples a second."""
    blocks = []
    resampler = av.AudioResampler(format="flt", layout="mono", rate=speech.RATE)
    with av.open(str(SAMPLE)) as container:
        for frame in container.decode(audio=0):
            blocks += [part.to_ndarray().reshape(-1) for part in resampler.resample(frame)]
            if frame.time > 66:
                break
    return np.concatenate(blocks)[: int(64.2 * speech.RATE)]


def write(file: Path, sound: np.ndarray, codec: str, rate: int = speech.RATE, layout: str = "mono") -> Path:
    """A recording in the container that the file's name says; a video where that is one."""
    with av.open(str(file), "w") as container:
        if file.suffix in {".mp4", ".mkv"}:
            video = container.add_stream("mpeg4", rate=1)
            video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        stream = container.add_stream(codec, rate=rate, layout=layout)
        resampler = av.AudioResampler(format=stream.codec_context.codec.audio_formats[0].name, layout=layout, rate=rate)
        if file.suffix in {".mp4", ".mkv"}:
            for second in range(len(sound) // speech.RATE):
                picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                picture.pts = second
                container.mux(video.encode(picture))
            container.mux(video.encode(None))
        for start in range(0, len(sound), speech.RATE):
            frame = av.AudioFrame.from_ndarray(sound[None, start : start + speech.RATE], format="flt", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = speech.RATE, start, Fraction(1, speech.RATE)
            for part in resampler.resample(frame):
                container.mux(stream.encode(part))
        for part in resampler.resample(None):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file


def text(heard: speech.Speech) -> str:
    return " ".join(segment.text for segment in heard.segments)


def test_what_is_said_over_several_pieces_is_heard_once_and_whole(tmp_path, sound):
    heard = speech.transcribe(write(tmp_path / "minute.wav", sound, "pcm_s16le"), "en")
    assert len(sound) / speech.RATE > 2 * speech.PIECE_SECONDS
    assert word_errors(MINUTE, text(heard)) <= 0.08 * len(compared(MINUTE))
    assert abs(len(compared(MINUTE)) - len(compared(text(heard)))) <= 3
    assert (heard.language, heard.model) == ("en", "tiny.en")
    assert heard.duration_seconds == pytest.approx(64.2, abs=0.1)
    times = [(segment.start_seconds, segment.end_seconds) for segment in heard.segments]
    assert all(0 <= start < end <= 64.21 for start, end in times)
    assert all(end <= start + 0.01 for (_, end), (start, _) in itertools.pairwise(times))
    assert [segment.index for segment in heard.segments] == list(range(len(times)))
    said_at = next(
        segment.start_seconds
        for segment in heard.segments
        if "So I took it" in segment.text or "I took it" in segment.text
    )
    assert said_at == pytest.approx(27.4, abs=2)


def test_pieces_leave_nothing_out_and_end_where_nobody_speaks(sound):
    cut = list(speech.pieces(iter(np.array_split(sound, 700))))
    assert np.array_equal(np.concatenate(cut), sound)
    assert all(len(piece) <= speech.PIECE_SECONDS * speech.RATE for piece in cut)
    assert len(cut) >= 3
    loudness = np.abs(sound).mean()
    for piece in cut[:-1]:
        assert np.abs(piece[-speech.RATE // 20 :]).mean() < loudness / 5


@pytest.mark.parametrize("seconds", [23.9, 24.0, 24.1, 100.0])
def test_sound_without_any_pause_is_cut_all_the_same(seconds: float):
    noise = np.random.default_rng(1).normal(0, 0.1, int(seconds * speech.RATE)).astype(np.float32)
    cut = list(speech.pieces(iter([noise])))
    assert np.array_equal(np.concatenate(cut), noise)
    assert all(0 < len(piece) <= speech.PIECE_SECONDS * speech.RATE for piece in cut)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout"),
    [
        ("a.mp3", "libmp3lame", 44_100, "stereo"),
        ("a.m4a", "aac", 44_100, "stereo"),
        ("a.ogg", "libopus", 48_000, "mono"),
        ("a.flac", "flac", 22_050, "stereo"),
        ("a.mp4", "aac", 48_000, "stereo"),
        ("a.mkv", "libopus", 48_000, "stereo"),
    ],
)
def test_every_usual_container_is_heard(tmp_path, sound, name: str, codec: str, rate: int, layout: str):
    sentence = sound[int(5.5 * speech.RATE) : int(11 * speech.RATE)]
    heard = speech.transcribe(write(tmp_path / name, sentence, codec, rate, layout), "en")
    assert "mention his knees" in text(heard)
    assert heard.duration_seconds == pytest.approx(5.5, abs=0.2)


def test_a_name_that_says_another_format_misleads_nobody(tmp_path, sound):
    file = write(tmp_path / "a.flac", sound[: 11 * speech.RATE], "flac").rename(tmp_path / "a.mp3")
    assert "no jokes" in text(speech.transcribe(file))


def test_an_advertisement_of_another_rate_that_was_put_in_shifts_nothing(tmp_path, sound):
    first, second = sound[: 11 * speech.RATE], sound[int(13.5 * speech.RATE) : 20 * speech.RATE]
    parts = [
        write(tmp_path / "a.mp3", first, "libmp3lame", 22_050),
        write(tmp_path / "b.mp3", second, "libmp3lame", 44_100, "stereo"),
    ]
    (tmp_path / "both.mp3").write_bytes(b"".join(part.read_bytes() for part in parts))
    heard = speech.transcribe(tmp_path / "both.mp3", "en")
    assert "no jokes" in text(heard)
    drives = next(segment for segment in heard.segments if "bus" in segment.text)
    assert 11 < drives.start_seconds < 16
    assert heard.duration_seconds == pytest.approx(17.5, abs=0.5)


def test_of_a_truncated_recording_comes_what_is_there_and_it_is_marked(tmp_path):
    (tmp_path / "cut.mp3").write_bytes(SAMPLE.read_bytes()[:100_000])
    heard = speech.transcribe(tmp_path / "cut.mp3", "en")
    assert "mention his knees" in text(heard)
    assert heard.duration_seconds == pytest.approx(212, abs=1)
    assert max(segment.end_seconds for segment in heard.segments) < 35
    assert "truncated" in checks.check(heard.segments, heard.duration_seconds, "en")


def test_packets_that_are_broken_are_skipped(tmp_path, caplog):
    content = bytearray(SAMPLE.read_bytes()[:66_000])
    content[30_000:36_000] = np.random.default_rng(2).bytes(6_000)
    (tmp_path / "hole.mp3").write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert "no jokes" in text(speech.transcribe(tmp_path / "hole.mp3", "en"))
    assert "could not be decoded" in caplog.text


def test_silence_is_a_transcript_without_words(tmp_path):
    heard = speech.transcribe(write(tmp_path / "quiet.wav", np.zeros(60 * speech.RATE, np.float32), "pcm_s16le"))
    assert (heard.segments, heard.duration_seconds) == ((), 60.0)
    assert checks.check(heard.segments, heard.duration_seconds, "en") == ("empty",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html><html><body>Not found</body></html>" * 20,
        np.random.default_rng(3).bytes(200_000),
        b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(5_000),
    ],
    ids=["nothing", "a web page", "noise", "a header alone"],
)
def test_what_is_no_recording_is_refused_in_words(tmp_path, content: bytes):
    (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(speech.UnreadableAudio, match=r"no recording in a known format|no sound that can be decoded"):
        speech.transcribe(tmp_path / "a.mp3")


@pytest.mark.parametrize(
    "playlist", ["#EXTM3U\n#EXTINF:10,\nfile://{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile '{}'\n"]
)
def test_a_playlist_leads_to_no_other_file(tmp_path, playlist: str):
    (tmp_path / "a.mp3").write_text(playlist.format(SAMPLE))
    with pytest.raises(speech.UnreadableAudio, match="no recording"):
        speech.transcribe(tmp_path / "a.mp3")


def test_a_video_without_sound_is_refused(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    with pytest.raises(speech.UnreadableAudio, match="no sound"):
        speech.transcribe(tmp_path / "a.mp4")


def test_a_recording_without_end_is_refused(tmp_path, sound, monkeypatch):
    monkeypatch.setattr(speech, "LONGEST_HOURS", 0.001)
    with pytest.raises(speech.UnreadableAudio, match="more than"):
        speech.transcribe(write(tmp_path / "a.wav", sound[: 10 * speech.RATE], "pcm_s16le"))


def test_a_language_that_the_model_does_not_know_is_refused_with_what_to_set():
    with pytest.raises(
        speech.UnreadableAudio, match=r"'de-AT', which the speech model tiny\.en .* PODCAST_SPEECH_MODEL"
    ):
        speech.transcribe(SAMPLE, "de-AT")


def test_a_model_that_cannot_be_had_is_named(monkeypatch):
    monkeypatch.setenv("PODCAST_SPEECH_MODEL", "no-such-model")
    settings.cache_clear()
    with pytest.raises(speech.NoSpeechModel, match="PODCAST_SPEECH_MODEL is 'no-such-model'"):
        speech.transcribe(SAMPLE)
    settings.cache_clear()


def test_progress_is_told_up_to_the_end(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(speech, "TOLD_SECONDS", 20.0)
    with caplog.at_level(logging.INFO):
        speech.transcribe(write(tmp_path / "a.wav", np.zeros(60 * speech.RATE, np.float32), "pcm_s16le"), "en")
    told = [float(minutes) for minutes in re.findall(r"([\d.]+) minutes read", caplog.text)]
    assert told == sorted(told)
    assert len(told) >= 3
    assert told[-1] == 1.0


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real recordings are not here")
def test_clear_real_speech_is_heard_with_few_errors():
    said: Sequence[Said] = list(real())
    errors = sum(word_errors(one.text, text(speech.transcribe(one.recording, "en"))) for one in said)
    assert errors <= 0.08 * sum(len(compared(one.text)) for one in said)


def test_a_recording_that_keeps_its_decoder_waiting_is_given_up(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "a.mp3")
    monkeypatch.setattr(decoder, "STALLED_SECONDS", 3.0)
    with pytest.raises(speech.UnreadableAudio, match="kept its decoder busy for 3 s"):
        speech.transcribe(tmp_path / "a.mp3")


def test_a_recording_that_kills_its_decoder_is_said_to(tmp_path, sound):
    file = write(tmp_path / "a.wav", np.tile(sound, 4), "pcm_s16le")
    _, blocks = decoder.decoded(file, 1.0)
    next(blocks)
    (process,) = [child for child in psutil.Process().children() if decoder.__name__ in child.cmdline()]
    assert set(process.environ()) <= set(workers.bare_environment())
    process.kill()
    with pytest.raises(speech.UnreadableAudio, match="made its decoder crash"):
        list(blocks)


def test_the_decoder_ends_with_who_asked_for_it(tmp_path, sound):
    _, blocks = decoder.decoded(write(tmp_path / "a.wav", np.tile(sound, 4), "pcm_s16le"), 1.0)
    next(blocks)
    blocks.close()
    assert not [child for child in psutil.Process().children() if decoder.__name__ in child.cmdline()]
