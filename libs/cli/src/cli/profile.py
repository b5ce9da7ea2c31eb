"""Where the API is and with which key: environment variables first, else a file that only its owner can read."""

import os
import stat
import tomllib
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from cli.problems import CommandFailed, Exit

URL_VARIABLE = "TILLBOOK_URL"
KEY_VARIABLE = "TILLBOOK_API_KEY"
PRIVATE = stat.S_IRUSR | stat.S_IWUSR


class Environment(BaseSettings):
    """What the environment says; it wins over the file."""

    model_config = SettingsConfigDict(env_prefix="TILLBOOK_", frozen=True, extra="ignore", hide_input_in_errors=True)

    url: str = ""
    api_key: SecretStr = SecretStr("")
    profiles: Path | None = None
    """Another file of profiles."""


@dataclass(frozen=True, slots=True)
class Profile:
    url: str
    key: str


def profile_file() -> Path:
    """The file with all profiles; `TILLBOOK_PROFILES` names another one."""
    return Environment().profiles or Path(typer.get_app_dir("tillbook")) / "profiles.toml"


def load(name: str) -> Profile:
    """The profile to use. Raises `CommandFailed` where there is none, or where others can read its key."""
    environment = Environment()
    url, key = environment.url, environment.api_key.get_secret_value()
    if url and key:
        return Profile(url, key)
    stored = read(profile_file()).get(name)
    if stored is None:
        raise CommandFailed(
            f"there is no profile {name!r} in {profile_file()}",
            Exit.NOT_CONFIGURED,
            cure=f"run `tillbook login`, or set {URL_VARIABLE} and {KEY_VARIABLE}",
        )
    return Profile(url or stored.url, key or stored.key)


def read(path: Path) -> dict[str, Profile]:
    """All profiles of the file; none where there is no file. Raises `CommandFailed` for one that can't be used."""
    if not path.exists():
        return {}
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CommandFailed(f"others can read {path}", Exit.NOT_CONFIGURED, cure=f"chmod 600 {path}")
    try:
        tables = tomllib.loads(path.read_text())
        return {name: Profile(table["url"], table["key"]) for name, table in tables.items()}
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise CommandFailed(
            f"{path} is not a file of profiles: {error}", Exit.NOT_CONFIGURED, cure="correct it, or remove it"
        ) from error


def save(path: Path, name: str, profile: Profile) -> None:
    """Add or replace a profile. The file is private from its first byte on."""
    profiles = read(path) | {name: profile}
    text = "".join(
        f"[{_quoted(each)}]\nurl = {_quoted(held.url)}\nkey = {_quoted(held.key)}\n\n"
        for each, held in profiles.items()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    if not text.isprintable():
        raise CommandFailed("profiles hold printable characters only", Exit.NOT_CONFIGURED)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
