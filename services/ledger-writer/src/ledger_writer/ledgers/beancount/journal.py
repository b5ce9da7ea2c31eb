"""The files of one company: append-only, locked while open, and cut back to what is recorded after a crash.

    main.beancount        options and includes; written once
    accounts.beancount    `open` directives; append-only
    manual.beancount      for the bookkeeper's own entries, and files that it includes; never touched
    journal/YYYY-MM.beancount, journal/lists.beancount    append-only, one block a batch
    torn/                 what a crash left behind unrecorded, moved out of the way

Every block begins with `;; tillbook batch <n>`. The number of the last recorded batch and the length of each file
then (the bookmark) are stored with the outcomes, in the same transaction. A new holder of the file therefore knows
without reading the journal whether a block is not recorded: the file is longer than its recorded length. That block
is cut off, whole or torn, and its documents are written again; nothing else refers to it. Text that somebody else
added is not a block of ours and stays.
"""

import fcntl
import mmap
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import structlog

from ledger_writer.ledgers.beancount.own_entries import MANUAL, OwnEntries
from ledger_writer.ledgers.beancount.rendering import LISTS_FILE, render_main, render_open

log = structlog.get_logger(__name__)

_OPENED = re.compile(r"^\d{4}[-/]\d+[-/]\d+[ \t]+open[ \t]+([^\s;]+)", re.MULTILINE)
"""A comment that names an account opens none."""
_KEYED = re.compile(rb'(?:posting-key|reverses): "[^"\n]+"')


class JournalLocked(Exception):
    """Another process holds the file."""


class JournalFailed(Exception):
    """The batch could not be written and was taken back: the disk is full or gone."""


class JournalTorn(Exception):
    """The batch could not be written and not be taken back either."""


def batch_header(number: int) -> bytes:
    return f";; tillbook batch {number}\n".encode()


def create(folder: Path, title: str, home_currency: str) -> None:
    """Make the folder of a company file; safe to repeat."""
    (folder / "journal").mkdir(parents=True, exist_ok=True)
    starts = {
        folder / "accounts.beancount": "",
        folder / MANUAL: ";; Your own entries go here; tillbook never writes to this file.\n",
        folder / "journal" / f"{LISTS_FILE}.beancount": "",
        folder / "main.beancount": render_main(title, home_currency),
    }
    for path, text in starts.items():
        if not path.exists():
            unfinished = path.with_suffix(".new")
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
    _sync_folder(folder)
    _sync_folder(folder / "journal")


def has_entries(folder: Path) -> bool:
    """Whether anything was ever written to a journal there."""
    return any(path.stat().st_size for path in (folder / "journal").glob("*.beancount"))


def journal_texts(folder: Path) -> Iterator[str]:
    """Content of the journal files, one at a time; needs no lock."""
    for path in sorted((folder / "journal").glob("*.beancount")):
        yield path.read_text(encoding="utf-8")


class Journal:
    """An open company file. All methods block; they are called from a worker thread."""

    def __init__(self, folder: Path, bookmark: Mapping[str, str]) -> None:
        """Lock the folder and repair what a crash left. Raises `JournalLocked` or `OSError`."""
        self.folder = folder
        # A cancelled caller leaves its thread behind: closing waits until that has finished writing.
        self._busy = threading.Lock()
        self._lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise JournalLocked(str(folder)) from error
        try:
            self._batch = int(bookmark.get("batch", "0"))
            self._lengths = {
                name.removeprefix("length:"): int(value)
                for name, value in bookmark.items()
                if name.startswith("length:")
            }
            self._files: dict[str, int] = {}
            self._own_entries = OwnEntries(self.folder)
            self.accounts = self._read_accounts() | self._read_own_accounts()
            self._repair()
        except BaseException:
            self.close()
            raise

    def bookmark(self) -> dict[str, str]:
        lengths = {f"length:{name}": str(length) for name, length in self._lengths.items()}
        return {"batch": str(self._batch), **lengths}

    def append(self, texts: Mapping[str, str], accounts: Iterable[str]) -> None:
        """Write one block to each file and force it to disk; new accounts are opened first.

        Raises `JournalFailed` when nothing was written, `JournalTorn` when that can't be said.
        """
        with self._busy:
            self._append(texts, accounts)

    def _append(self, texts: Mapping[str, str], accounts: Iterable[str]) -> None:
        starts: dict[int, int] = {}
        try:
            if not self.accounts.issuperset(accounts):
                self.accounts |= self._read_own_accounts()
            self._open_accounts(set(accounts) - self.accounts)
            for name in texts:
                handle = self._handle(name)
                starts[handle] = os.lseek(handle, 0, os.SEEK_END)
            header = batch_header(self._batch + 1)
            for name, text in texts.items():
                _write_all(self._files[name], header + text.encode("utf-8"))
            for handle in starts:
                os.fdatasync(handle)
        except OSError as error:
            self._take_back(starts)
            raise JournalFailed(f"{type(error).__name__}: {error.strerror}") from error
        self._batch += 1
        for name in texts:
            self._lengths[name] = os.lseek(self._files[name], 0, os.SEEK_END)

    def holding(self, needles: Iterable[str]) -> set[str]:
        """Which of these metadata lines (`posting-key: "…"`, `reverses: "…"`) any journal file holds.

        Each file is read once, however many are looked for: that may be every document of the company file.
        """
        wanted = {needle.encode("utf-8") for needle in needles}
        held: set[bytes] = set()
        for path in (self.folder / "journal").glob("*.beancount"):
            if path.stat().st_size == 0:
                continue
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                held.update(line for match in _KEYED.finditer(content) if (line := match[0]) in wanted)
        return {line.decode("utf-8") for line in held}

    def close(self) -> None:
        with self._busy:
            for handle in self._files.values():
                os.close(handle)
            self._files = {}
            os.close(self._lock)

    def _path(self, name: str) -> Path:
        return self.folder / "journal" / f"{name}.beancount"

    def _handle(self, name: str) -> int:
        handle = self._files.get(name)
        if handle is None:
            path = self._path(name)
            is_new = not path.exists()
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._files[name] = handle
            if is_new:
                _sync_folder(path.parent)
        return handle

    def _take_back(self, starts: Mapping[int, int]) -> None:
        try:
            for handle, length in starts.items():
                os.ftruncate(handle, length)
                os.fdatasync(handle)
        except OSError as error:
            raise JournalTorn(f"{type(error).__name__}: {error.strerror}") from error

    def _read_accounts(self) -> set[str]:
        path = self.folder / "accounts.beancount"
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            # A crash tore the last line: no entry uses that account yet, because accounts are opened first.
            os.truncate(path, len(whole.encode("utf-8")))
        return set(_OPENED.findall(whole))

    def _read_own_accounts(self) -> set[str]:
        """Accounts that the bookkeeper has opened by hand: Beancount refuses a second `open`."""
        return set(_OPENED.findall(self.own_entries()))

    def own_entries(self) -> str:
        """What the bookkeeper has written by hand, or includes."""
        return self._own_entries.text()

    def _open_accounts(self, names: set[str]) -> None:
        if not names:
            return
        text = "".join(render_open(name) for name in sorted(names))
        handle = os.open(self.folder / "accounts.beancount", os.O_WRONLY | os.O_APPEND)
        try:
            start = os.lseek(handle, 0, os.SEEK_END)
            try:
                _write_all(handle, text.encode("utf-8"))
                os.fdatasync(handle)
            except OSError:
                os.ftruncate(handle, start)
                raise
        finally:
            os.close(handle)
        self.accounts |= names

    def _repair(self) -> None:
        header = batch_header(self._batch + 1)
        for path in (self.folder / "journal").glob("*.beancount"):
            recorded = self._lengths.get(path.stem, 0)
            size = path.stat().st_size
            if size < recorded:
                log.warning("journal_shorter_than_recorded", file=path.name, bytes=size, recorded=recorded)
            if size <= recorded:
                continue
            start = _block_start(path, recorded, header)
            if start is None:
                log.warning("journal_changed_by_hand", file=path.name, bytes=size, recorded=recorded)
                continue
            self._cut(path, start)

    def _cut(self, path: Path, start: int) -> None:
        """Move everything from `start` on out of the journal, keeping a copy."""
        torn = self.folder / "torn"
        torn.mkdir(exist_ok=True)
        with path.open("rb") as file:
            file.seek(start)
            tail = file.read()
        copy = torn / f"{path.stem}-batch-{self._batch + 1}-at-{start}.txt"
        copy.write_bytes(tail)
        with path.open("r+b") as file:
            file.truncate(start)
            os.fsync(file.fileno())
        log.warning("journal_tail_cut", file=path.name, at=start, bytes=len(tail))


def _block_start(path: Path, recorded: int, header: bytes) -> int | None:
    """Where the unrecorded block begins, or None if what is there is not ours."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        tail = content[recorded : recorded + len(header)]
        if tail == header or header.startswith(tail) or not tail.strip(b"\0"):
            # A whole header, the beginning of one, or blocks of zeros that a power cut left.
            return recorded
        # Somebody edited the file, so that lengths no longer match; the header still tells our block.
        found = content.rfind(b"\n" + header)
        if found >= 0:
            return found + 1
        return 0 if content[: len(header)] == header else None


def _write_all(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
