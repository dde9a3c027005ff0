"""Tokens: who a caller is, and that nothing but the right secret will do."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dreamcanvas.access.tokens import Access, Identity, admin_token
from dreamcanvas.errors import StoreError, UnknownToken
from dreamcanvas.store import schema
from dreamcanvas.store.tokens import TokenFile, read

QUOTA = {"dabs_per_second": 5, "dabs_burst": 10, "connections": 2}


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenFile]:
    schema.connect(tmp_path / "dreamcanvas.db").close()
    with closing(TokenFile(tmp_path, clock=lambda: 1000)) as file:
        yield file


@pytest.fixture
def access(tmp_path: Path, tokens: TokenFile) -> Access:
    return Access("admin.secret")


def refresh(access: Access, directory: Path) -> bool:
    with closing(sqlite3.connect(directory / "dreamcanvas.db")) as connection:
        return access.refresh(read(connection))


def refused(access: Access, authorization: str) -> None:
    with pytest.raises(UnknownToken, match="unknown, or was revoked"):
        access.identify(authorization)


def test_who_brings_no_token_is_just_anybody(access: Access) -> None:
    assert access.identify(None) is None
    assert access.identify("Basic YTpi") is None


def test_a_token_has_a_name_and_a_quota(access: Access, tokens: TokenFile, tmp_path: Path) -> None:
    token = tokens.add("painter-1", **QUOTA)
    refresh(access, tmp_path)
    assert token.startswith("painter-1.")
    expected = Identity("painter-1", admin=False, **QUOTA)
    assert access.identify(f"Bearer {token}") == access.identify(f"bearer  {token} ") == expected


def test_anything_else_is_refused(access: Access, tokens: TokenFile, tmp_path: Path) -> None:
    token = tokens.add("painter", **QUOTA)
    tokens.add("other", **QUOTA)
    refused(access, f"Bearer {token}")  # not read yet
    refresh(access, tmp_path)
    secret = token.partition(".")[2]
    for text in ("", "painter", "painter.", secret, f"other.{secret}", f"{token}x", "admin.", "ädmin.\udcff"):
        refused(access, f"Bearer {text}")


def test_the_hosts_token_is_another(access: Access) -> None:
    assert access.identify("Bearer admin.secret") == Identity("admin", admin=True)
    refused(access, "Bearer admin.other")


def test_a_revoked_token_is_none_and_who_has_it_is_found(
    access: Access, tokens: TokenFile, tmp_path: Path
) -> None:
    token = tokens.add("painter", **QUOTA)
    assert not refresh(access, tmp_path)
    identity = access.identify(f"Bearer {token}")
    assert identity is not None
    assert access.is_valid(identity)
    tokens.revoke("painter")
    assert refresh(access, tmp_path)
    assert not access.is_valid(identity)
    refused(access, f"Bearer {token}")
    again = tokens.add("painter", **QUOTA)
    assert refresh(access, tmp_path)
    refused(access, f"Bearer {token}")
    assert not access.is_valid(identity), "the same name and quota, but another token"
    newer = access.identify(f"Bearer {again}")
    assert newer is not None
    assert access.is_valid(newer)


def test_a_token_that_was_revoked_and_added_between_two_looks_is_another(
    access: Access, tokens: TokenFile, tmp_path: Path
) -> None:
    token = tokens.add("painter", **QUOTA)
    refresh(access, tmp_path)
    identity = access.identify(f"Bearer {token}")
    assert identity is not None
    tokens.revoke("painter")
    tokens.add("painter", **QUOTA)
    assert refresh(access, tmp_path)
    assert not access.is_valid(identity)


def test_secrets_are_not_stored(tokens: TokenFile, tmp_path: Path) -> None:
    secret = tokens.add("painter", **QUOTA).partition(".")[2]
    assert len(secret) > 40
    for path in tmp_path.iterdir():
        assert secret.encode() not in path.read_bytes()


@pytest.mark.parametrize("name", ["", "admin", "A", "a b", "a.b", "-a", "x" * 33, "ä"])
def test_a_name_that_cannot_be_one(tokens: TokenFile, name: str) -> None:
    with pytest.raises(StoreError, match="cannot be a name"):
        tokens.add(name, **QUOTA)


def test_a_name_is_given_once(tokens: TokenFile) -> None:
    tokens.add("painter", **QUOTA)
    with pytest.raises(StoreError, match="already"):
        tokens.add("painter", **QUOTA)
    with pytest.raises(StoreError, match="no token nobody"):
        tokens.revoke("nobody")
    assert [token.name for token in tokens.all()] == ["painter"]


def test_tokens_need_a_canvas(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds no canvas"):
        TokenFile(tmp_path / "nothing", clock=lambda: 0)


# The host's token


def test_the_first_start_makes_it_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    token = admin_token(tmp_path)
    assert token.startswith("admin.")
    assert len(token) > 40
    assert (tmp_path / "admin-token").stat().st_mode & 0o777 == 0o600
    assert admin_token(tmp_path) == token
    (tmp_path / "admin-token").chmod(0o644)
    assert admin_token(tmp_path) == token
    assert (tmp_path / "admin-token").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    [
        *("\n", "admin.", "admin. \n", "admin", "admin.short", "admin." + " " * 40, f"other.{'x' * 40}"),
        *("admin.fifteen-letter", "admin.two-lines-of-a\nfile-that-is-long", f"admin.{'ä' * 30}"),
    ],
)
def test_a_file_without_a_token_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "admin-token").write_text(text)
    with pytest.raises(StoreError, match="holds no token"):
        admin_token(tmp_path)
