"""Executes the steps of deploy/Dockerfile in a bare directory, for machines without Docker.

Each stage gets a directory that stands for its root; RUN runs in it with this machine's node, and with a
new virtual environment in place of the image's Python. What base images bring is not tested by that. As root,
what comes after USER runs as that user (who has to be able to reach the directory), and a volume is a new
directory with the owner and the mode that the image has for it, as Docker makes one.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BASES = ("node:24-slim", "python:3.12-slim")


class Stage:
    """What one FROM begins: a root, where in it one is, and the environment."""

    def __init__(self, root: Path, node: str) -> None:
        self.root = root
        self.place = Path("/")
        self.entry: list[str] = []
        self.user: tuple[int, int] | None = None
        self.volumes: list[Path] = []
        venv = root / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        path = os.pathsep.join([str(venv / "bin"), node, "/usr/bin", "/bin"])
        self.environment = {"PATH": path, "HOME": str(root), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        for name in ("PIP_INDEX_URL", "PIP_CONFIG_FILE", "NPM_CONFIG_REGISTRY", "NODE_EXTRA_CA_CERTS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def run(self, command: list[str], *, check: bool) -> int:
        """Runs a command as the stage's user, where this machine lets it."""
        as_user: dict[str, int] = {}
        if self.user is not None and os.geteuid() == 0:
            as_user = {"user": self.user[0], "group": self.user[1]}
        try:
            code: int = subprocess.run(
                command,
                cwd=self.real("."),
                env=self.environment,
                check=check,
                extra_groups=[] if as_user else None,
                **as_user,  # type: ignore[call-overload]
            ).returncode
        except PermissionError as error:
            raise SystemExit(
                f"{error}: the image's user has to be able to reach {self.root} and {sys.base_prefix}; "
                "run this with another Python, such as /usr/bin/python3"
            ) from None
        return code

    def mount(self) -> None:
        """Puts a new directory in the place of each volume."""
        for volume in self.volumes:
            told = volume.stat()
            shutil.rmtree(volume)
            volume.mkdir()
            volume.chmod(told.st_mode & 0o7777)
            if os.geteuid() == 0:
                os.chown(volume, told.st_uid, told.st_gid)

    def real(self, place: str) -> Path:
        """Where a path of the image is on this machine."""
        return self.root / (self.place / place).relative_to("/")


def step(stage: Stage, stages: dict[str, Stage], keyword: str, rest: str) -> None:
    match keyword:
        case "WORKDIR":
            stage.place = stage.place / rest
            stage.real(".").mkdir(parents=True, exist_ok=True)
        case "COPY":
            words = shlex.split(rest)
            source = ROOT
            if words[0].startswith("--from="):
                source = stages[words.pop(0).removeprefix("--from=")].root
            *names, target = words
            for name in names:
                copy(source / name.lstrip("/"), stage.real(target))
        case "RUN":
            inside = re.sub(r"(?<![\w./])/data\b", str(stage.real("/data")), rest)
            stage.run(["bash", "-ec", inside], check=True)
        case "ENV":
            for setting in shlex.split(rest):
                name, _, value = setting.partition("=")
                stage.environment[name] = value.replace("/data", str(stage.root / "data"))
        case "ENTRYPOINT":
            stage.entry = json.loads(rest)
        case "USER":
            user, _, group = rest.partition(":")
            stage.user = int(user), int(group or user)
        case "VOLUME":
            stage.volumes.append(stage.real(rest))
        case "EXPOSE" | "HEALTHCHECK":
            print(f"  ({keyword} is Docker's)")
        case _:
            raise SystemExit(f"{keyword} is not known here")


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        ignore = shutil.ignore_patterns("node_modules", "page", "__pycache__")
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=ignore)
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="new or empty")
    parser.add_argument("--node", default="/usr/local/bin", help="where node and npm are")
    parser.add_argument("--serve", nargs=argparse.REMAINDER, help="at last, run the entry point with these")
    options = parser.parse_args()
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for line in (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        print(line, flush=True)
        keyword, _, rest = line.partition(" ")
        if keyword == "FROM":
            image, _, name = rest.partition(" AS ")
            if image not in BASES:
                raise SystemExit(f"{image} is not known here")
            stage = stages[name or "last"] = Stage(
                options.directory.absolute() / (name or "last"), options.node
            )
        else:
            assert stage is not None
            step(stage, stages, keyword, rest)
    if options.serve is not None and stage is not None:
        stage.mount()
        raise SystemExit(stage.run([*stage.entry, *options.serve], check=False))


if __name__ == "__main__":
    main()
