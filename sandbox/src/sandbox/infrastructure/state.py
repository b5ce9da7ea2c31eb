"""The folder that holds the private servers' data, ports, passwords and logs."""

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.infrastructure.problems import CannotProvision

PROJECT = Path(__file__).resolve().parents[4]


@dataclass(frozen=True, slots=True)
class StateFolder:
    """`root` holds one pair of servers; `downloads` the unpacked programs, which several pairs may share."""

    root: Path
    downloads: Path

    @classmethod
    def default(cls) -> "StateFolder":
        """TILLBOOK_STATE_DIR, else `.state/` of the project."""
        root = Path(os.environ.get("TILLBOOK_STATE_DIR") or PROJECT / ".state").resolve()
        return cls.at(root)

    @classmethod
    def at(cls, root: Path, downloads: Path | None = None) -> "StateFolder":
        """A folder of its own, for instance for servers that a test is going to kill."""
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"can't create {root} ({error.strerror}); name a folder you may write to with TILLBOOK_STATE_DIR"
            raise CannotProvision(message) from error
        if not os.access(root, os.W_OK | os.X_OK):
            message = f"{root} belongs to somebody else; name a folder you may write to with TILLBOOK_STATE_DIR"
            raise CannotProvision(message)
        return cls(root, downloads or root / "downloads")

    @property
    def endpoints_file(self) -> Path:
        return self.root / "endpoints.json"

    @property
    def keep_file(self) -> Path:
        """Exists while somebody asked for servers that outlive the programs using them (`up`)."""
        return self.root / "keep"

    def private_folder(self) -> Path:
        """Our own folder under the system's temporary directory, for what another user's server has to reach."""
        name = f"tillbook-{os.getuid()}-{hashlib.sha256(str(self.root).encode()).hexdigest()[:12]}"
        folder = Path(tempfile.gettempdir()) / name
        folder.mkdir(mode=0o711, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            message = f"{folder} belongs to somebody else; set TMPDIR or TILLBOOK_STATE_DIR to a folder of your own"
            raise CannotProvision(message)
        folder.chmod(0o711)
        return folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Held while servers are started or stopped: of two programs that start at once, one waits for the other."""
        with (self.root / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Held shared by every program that uses the servers, so that the last one knows that it is the last."""
        with (self.root / "users").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield

    def is_used(self) -> bool:
        """Does any program still hold `in_use`?"""
        with (self.root / "users").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False
