"""Who a caller is by the token that it brings: a bot with a name and a quota, the operator, or anybody."""

import hmac
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dreamcanvas.errors import StoreError, UnknownToken
from dreamcanvas.small_file import read_small
from dreamcanvas.store import layout
from dreamcanvas.store.files import sync_directory
from dreamcanvas.store.tokens import Token, digest

ADMIN: Final = "admin"
SECRET_LETTERS: Final = 16
_SECRET: Final = re.compile(rf"[!-~]{{{SECRET_LETTERS},}}", re.ASCII)  # what a header can carry
_NOBODY: Final = digest("")


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller with a token: its name, whether it is the operator's, and what it may spend (0: no limit).

    `secret` tells its token from another of the same name, made when that was revoked.
    """

    name: str
    admin: bool
    dabs_per_second: int = 0
    dabs_burst: int = 0
    connections: int = 0
    secret: int = field(default=0, repr=False, compare=False)


class Access:
    """The valid tokens. `admin_token` is the operator's, `refresh` takes in what was added or revoked."""

    def __init__(self, admin_token: str) -> None:
        self._admin = digest(admin_token)
        self._tokens: dict[str, Token] = {}

    def refresh(self, tokens: dict[str, Token]) -> bool:
        """Takes the bots' tokens in, and says whether one is not valid any more."""
        before, self._tokens = self._tokens, tokens
        return any(self._tokens.get(name) != token for name, token in before.items())

    def identify(self, authorization: str | None) -> Identity | None:
        """Who sends this Authorization header; None where it brings no bearer token.

        Raises UnknownToken where the token is not valid.
        """
        if authorization is None:
            return None
        scheme, _, text = authorization.strip().partition(" ")
        if scheme.lower() != "bearer":  # a proxy's own, say
            return None
        name, _, secret = text.strip().partition(".")
        if name == ADMIN and hmac.compare_digest(self._admin, digest(text.strip())):
            return Identity(ADMIN, admin=True)
        token = self._tokens.get(name)
        known = hmac.compare_digest(token.hash if token else _NOBODY, digest(secret))
        if token is not None and known and not token.revoked:
            return self._identity(token)
        raise UnknownToken("the token is unknown, or was revoked")

    def is_valid(self, identity: Identity) -> bool:
        """Whether who was identified before still would be."""
        token = self._tokens.get(identity.name)
        return identity.admin or (
            token is not None
            and not token.revoked
            and (identity, identity.secret) == (self._identity(token), _number(token))
        )

    @staticmethod
    def _identity(token: Token) -> Identity:
        return Identity(
            token.name,
            admin=False,
            dabs_per_second=token.dabs_per_second,
            dabs_burst=token.dabs_burst,
            connections=token.connections,
            secret=_number(token),
        )


def _number(token: Token) -> int:
    """What tells a token from others of its name."""
    return int.from_bytes(token.hash, "big")


def admin_token(data_dir: Path, *, make: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> str:
    """Return the operator's token, from the file `admin-token`, only its owner's to read; make it if need be.

    Raises StoreError.
    """
    path = data_dir / layout.ADMIN_TOKEN
    try:
        if path.exists():
            token = read_small(path).strip()
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
        else:
            token = f"{ADMIN}.{make()}"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(token + "\n")
                file.flush()
                os.fsync(file.fileno())
            sync_directory(data_dir)
    except OSError as error:
        raise StoreError(f"{path} cannot be used: {error.strerror}") from error
    except UnicodeDecodeError:
        token = ""
    secret = token.removeprefix(f"{ADMIN}.")
    if secret == token or not _SECRET.fullmatch(secret):
        raise StoreError(
            f"{path} holds no token, which is admin. and at least {SECRET_LETTERS} letters, digits or signs: "
            "delete it, and the next start makes one"
        )
    return token
