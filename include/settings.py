"""All that the environment decides, read in one place and at run time only: no DAG file imports this at parse time."""

import functools
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

OFFLINE = "offline"
ENGLISH = "English"
WINDOW_WORDS, SMALL_WINDOW_WORDS = 25_000, 3_000
SETTLED_DAYS = 60
"""After so many days nothing new depends on the words of a transcript, as far as days come in order."""
PROJECT = Path(__file__).resolve().parent.parent

_ODD_IN_PATHS = frozenset('?#;$%{}\\"')


class Settings(BaseSettings):
    """One field a variable, named `PODCAST_` and the field; `.env.example` says what each is for."""

    model_config = SettingsConfigDict(env_prefix="PODCAST_", env_ignore_empty=True, extra="ignore")

    data_dir: Path = PROJECT / "data"
    state_url: SecretStr = SecretStr("")
    backup_dir: Path | None = None
    backup_every_days: Annotated[int, Field(ge=0)] = 1
    backups_kept: Annotated[int, Field(ge=1)] = 7
    keep_landing_days: Annotated[int, Field(ge=1)] = 14
    keep_outbox_days: Annotated[int, Field(ge=0)] = 90
    keep_logs_days: Annotated[int, Field(ge=0)] = 30
    keep_answers_days: Annotated[int, Field(ge=0)] = 400
    keep_transcripts_days: Annotated[int, Field(ge=0)] = 0
    keep_history_days: Annotated[int, Field(ge=0)] = 730
    keep_pages_days: Annotated[int, Field(ge=0)] = 0
    feeds: str = ""
    allow_hosts: Annotated[frozenset[str], NoDecode] = frozenset()
    warehouse_memory: Annotated[str, Field(pattern=r"^\d+(MB|GB)$")] = "600MB"
    make_up_days: Annotated[int, Field(ge=0)] = 7
    transcriber: Literal["auto", "publisher", "assemblyai", "local"] = "auto"
    assemblyai_usd_per_hour: Annotated[float, Field(ge=0)] = 0.27
    speech_model: str = "bundled"
    llm_model: str = OFFLINE
    llm_price: Annotated[tuple[float, float] | None, NoDecode] = None
    llm_judge_model: str = ""
    llm_judge_price: Annotated[tuple[float, float] | None, NoDecode] = None
    llm_options: dict[str, Any] = {}
    llm_window_words: Annotated[int, Field(ge=1000, le=100_000)] | None = None
    llm_concurrency: Annotated[int, Field(ge=1, le=64)] = 4
    llm_requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    digest_language: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z ()-]{2,40}$")] = ENGLISH
    embedding_model: str = "bundled"
    daily_budget_usd: float = 5.0
    daily_audio_hours: float = 10.0
    recipients: str = "reader@localhost"
    sender: str = "Podcast Insights <insights@localhost>"
    alert_recipients: Annotated[tuple[str, ...], NoDecode] = ()
    alert_urls: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    digest_hour: Annotated[int, Field(ge=0, le=23)] = 6
    site_url: str = ""
    share_private_links: bool = False
    unsubscribe_url: str = ""
    unsubscribe_secret: SecretStr = SecretStr("")
    schedule: bool = True

    @field_validator("allow_hosts", "alert_recipients", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Lists are written with commas or spaces between their items."""
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("alert_urls", mode="before")
    @classmethod
    def _split_urls(cls, value: object) -> object:
        """Spaces or lines between: a comma may belong to an address."""
        return value.split() if isinstance(value, str) else value

    @field_validator("llm_price", "llm_judge_price", mode="before")
    @classmethod
    def _rates(cls, value: object) -> object:
        """Two prices with a slash between."""
        if not isinstance(value, str):
            return value
        rates = [rate.strip() for rate in value.split("/")]
        if len(rates) != 2 or not all(re.fullmatch(r"\d+(\.\d+)?", rate, re.ASCII) for rate in rates):
            raise ValueError("wants US dollars for a million tokens in and out, such as 0.15/0.60")
        return tuple(map(float, rates))

    @model_validator(mode="after")
    def _of_one_mind(self) -> Self:
        """A judge needs somebody who finds what it judges, a digest in another language somebody who can write it."""
        if self.llm_judge_model and self.llm_model == OFFLINE:
            raise ValueError(
                "PODCAST_LLM_JUDGE_MODEL names a chat model, and PODCAST_LLM_MODEL none that finds what it is to "
                "judge: set both, or neither"
            )
        self.digest_language = self.digest_language[0].upper() + self.digest_language[1:]
        if self.digest_language != ENGLISH and self.llm_model == OFFLINE:
            raise ValueError(
                f"PODCAST_DIGEST_LANGUAGE is {self.digest_language}, but without a chat model claims are told in the "
                "words in which they were said: set PODCAST_LLM_MODEL, or leave the language at English"
            )
        return self

    @field_validator("keep_transcripts_days", mode="after")
    @classmethod
    def _settled(cls, value: int) -> int:
        """What a show says again is looked for in the 30 days before, and days are made up."""
        if 0 < value < SETTLED_DAYS:
            raise ValueError(f"new claims are compared with what was said before; keep {SETTLED_DAYS} days, or all (0)")
        return value

    @field_validator("data_dir", mode="after")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        """Some characters mean something to DuckDB, dbt or Airflow wherever they stand in a path."""
        path = value.expanduser().resolve()
        if odd := sorted({sign for sign in str(path) if sign in _ODD_IN_PATHS or not sign.isprintable()}):
            raise ValueError(f"{path} has {' and '.join(map(repr, odd))} in it; choose a folder without")
        return path

    @property
    def window_words(self) -> int:
        """How many words of a transcript are read at once: what the setting says, else what the model mostly can."""
        usual = SMALL_WINDOW_WORDS if self.llm_model.startswith("ollama:") else WINDOW_WORDS
        return self.llm_window_words or usual

    @property
    def warehouse(self) -> Path:
        return self.data_dir / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        return self.data_dir / "published" / "podcasts.duckdb"

    @property
    def outbox(self) -> Path:
        return self.data_dir / "outbox"

    @property
    def site(self) -> Path:
        return self.data_dir / "site"

    @property
    def landing(self) -> Path:
        """Where a task that talks to the network leaves what it got for the task that writes it to the warehouse."""
        return self.data_dir / "landing"

    @property
    def backups(self) -> Path:
        return self.backup_dir.expanduser().resolve() if self.backup_dir else self.data_dir / "backups"

    @property
    def data_docs(self) -> Path:
        return self.data_dir / "data_docs"

    @property
    def dbt_docs(self) -> Path:
        return self.data_dir / "dbt_docs"


@functools.cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
