"""Who a caller is, by its token: a bot with a name and a quota, the operator, or anybody without one."""

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
_SECRET: Final = re.compile(rf"[!-~]{{{SECRET_LETTERS},}}", re.ASCII)  # letters that a header can carry
_NOBODY: Final = digest("")


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller with a token: its name, whether it is the operator's, and what it may spend (0: no limit).

    `secret` is the token's hash as a number: it differs where a revoked token was replaced by a new one of
    the same name.
    """

    name: str
    admin: bool
    dabs_per_second: int = 0
    dabs_burst: int = 0
    connections: int = 0
    secret: int = field(default=0, repr=False, compare=False)


class Access:
    """The known tokens: the operator's, `admin_token`, and those of bots, which `refresh` brings."""

    def __init__(self, admin_token: str) -> None:
        self._admin = digest(admin_token)
        self._tokens: dict[str, Token] = {}

    def refresh(self, tokens: dict[str, Token]) -> bool:
        """Replace the bots' tokens, and return whether one that was known has changed or is gone."""
        before, self._tokens = self._tokens, tokens
        return any(self._tokens.get(name) != token for name, token in before.items())

    def identify(self, authorization: str | None) -> Identity | None:
        """Return who sends this Authorization header, or None where it holds no bearer token.

        Raises UnknownToken where the token is not valid.
        """
        if authorization is None:
            return None
        scheme, _, text = authorization.strip().partition(" ")
        if scheme.lower() != "bearer":  # meant for a proxy in front of us, such as Basic
            return None
        name, _, secret = text.strip().partition(".")
        if name == ADMIN and hmac.compare_digest(self._admin, digest(text.strip())):
            return Identity(ADMIN, admin=True)
        token = self._tokens.get(name)
        # Compared also where the name is unknown, so that the time taken tells no names
        known = hmac.compare_digest(token.hash if token else _NOBODY, digest(secret))
        if token is not None and known and not token.revoked:
            return self._identity(token)
        raise UnknownToken("the token is unknown, or was revoked")

    def is_valid(self, identity: Identity) -> bool:
        """Return whether an identity still holds: its token was neither revoked nor changed since."""
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
    """Return a number that differs between tokens of the same name."""
    return int.from_bytes(token.hash, "big")


def admin_token(data_dir: Path, *, make: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> str:
    """Return the operator's token from the file `admin-token`; make the file where there is none.

    Only the file's owner may read it. Raises StoreError where the file cannot be used or holds no token.
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
