"""RabbitMQ without installing it: Debian's or Ubuntu's packages, downloaded and unpacked into a folder of ours.

Needs no root, starts no system daemon, and touches neither the system's packages nor its package lists.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.infrastructure.problems import CannotProvision
from sandbox.infrastructure.progress import say, step

PACKAGE = "rabbitmq-server"
WANTED = re.compile(r"^(rabbitmq-server|erlang-[a-z0-9-]+|lib[a-z0-9+.-]+)$")  # not adduser, logrotate, init scripts
PLANNED = re.compile(r"^Inst (\S+)", re.MULTILINE)
NO_WAY = (
    "or install RabbitMQ 3.10 or later yourself, "
    "or give running servers in TILLBOOK_POSTGRES_URL and TILLBOOK_RABBITMQ_URL"
)
PATIENCE_S = 600


@dataclass(frozen=True, slots=True)
class Apt:
    """`apt-get`, with the system's package lists or with lists of our own in `lists`."""

    lists: Path | None = None

    def run(self, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run one command. Its failure is in the return code."""
        options = ["-o", "APT::Sandbox::User=", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=30"]
        if self.lists:
            (self.lists / "partial").mkdir(parents=True, exist_ok=True)
            cache = self.lists.parent / "apt-cache"
            (cache / "archives" / "partial").mkdir(parents=True, exist_ok=True)
            options += ["-o", f"Dir::State::lists={self.lists}", "-o", f"Dir::Cache={cache}"]
        return subprocess.run(
            ["apt-get", *options, *arguments],
            check=False,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )

    def lacking(self, folder: Path) -> list[str]:
        """RabbitMQ, Erlang and the libraries this system lacks, by name. Empty where the lists don't know."""
        plan = self.run("install", "--simulate", "--no-install-recommends", PACKAGE, folder=folder)
        return [name for name in PLANNED.findall(plan.stdout) if WANTED.match(name)] if plan.returncode == 0 else []


def unpacked(downloads: Path) -> Path:
    """The folder with RabbitMQ and Erlang unpacked, downloading them the first time. Raises CannotProvision."""
    tree = downloads / "rabbitmq"
    if not tree.exists():
        missing = [tool for tool in ("apt-get", "dpkg-deb") if not shutil.which(tool)]
        if missing:
            message = f"there is no RabbitMQ here and no {missing[0]} to fetch it with; use Debian or Ubuntu, {NO_WAY}"
            raise CannotProvision(message)
        downloads.mkdir(parents=True, exist_ok=True)
        with step("downloading RabbitMQ and Erlang (25 MB, once)"):
            archives = download(downloads)
        with step("unpacking them"):
            unpack(archives, tree)
        for leftover in ("archives", "apt-lists", "apt-cache"):
            shutil.rmtree(downloads / leftover, ignore_errors=True)
    return tree


def download(downloads: Path) -> list[Path]:
    """Fetch the packages that this system lacks. Returns the archives; raises CannotProvision."""
    archives = downloads / "archives"
    shutil.rmtree(archives, ignore_errors=True)
    archives.mkdir()
    if fetch(Apt(), archives).returncode == 0:
        return sorted(archives.glob("*.deb"))
    say("the system's package list is empty or too old, fetching a list of our own (20 MB)")
    own = Apt(lists=downloads / "apt-lists")
    update = own.run("update", folder=archives)
    outcome = fetch(own, archives)
    if outcome.returncode != 0:
        reason = last_line(update.stderr if update.returncode != 0 else outcome.stderr)
        message = f"RabbitMQ's packages could not be downloaded ({reason}); check the network and try again, {NO_WAY}"
        raise CannotProvision(message)
    return sorted(archives.glob("*.deb"))


def fetch(apt: Apt, archives: Path) -> subprocess.CompletedProcess[str]:
    """Download what is lacking into `archives`."""
    names = apt.lacking(archives)
    if not names:
        return subprocess.CompletedProcess([], 100, "", f"no package {PACKAGE} in the list")
    return apt.run("download", *names, folder=archives)


def last_line(text: str) -> str:
    """What apt complained about, without its prefix."""
    lines = [line for line in text.strip().splitlines() if line.startswith(("E:", "W:", "no "))]
    return lines[-1].removeprefix("E: ").removeprefix("W: ") if lines else "no reason given"


def unpack(archives: list[Path], tree: Path) -> None:
    """Extract the archives and point Erlang's start scripts at their new place. Complete or not at all."""
    partial = tree.with_name(tree.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for archive in archives:
        subprocess.run(["dpkg-deb", "--extract", archive, partial], check=True, capture_output=True)
    relocate_erlang(partial, tree)
    partial.rename(tree)


def relocate_erlang(unpacked_tree: Path, final: Path) -> None:
    """Erlang's scripts name the folder they were installed for."""
    erlang = unpacked_tree / "usr/lib/erlang"
    for script in (*erlang.glob("bin/*"), *erlang.glob("erts-*/bin/*")):
        if script.is_symlink() or not script.is_file():
            continue
        text = script.read_bytes()
        if text.startswith(b"#!"):
            script.write_bytes(text.replace(b"/usr/lib/erlang", str(final / "usr/lib/erlang").encode()))
