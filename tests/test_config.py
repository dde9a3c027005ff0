"""Settings: command line over environment over file over defaults."""

from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dreamcanvas.config import Config, load
from dreamcanvas.errors import ConfigError


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "dreamcanvas.toml"
    file.write_text(text)
    return file


def test_the_defaults() -> None:
    config = load({}, environment={})
    assert config == Config()
    assert (config.host, config.port, config.data_dir) == ("127.0.0.1", 4242, Path("data"))
    assert (config.dream, config.dream_interval, config.message_bytes) == (True, 2.0, 65536)
    assert config.dabs_per_call == 256
    assert config.batch_calls == 50


def test_each_source_gives_way_to_the_one_before_it(tmp_path: Path) -> None:
    file = written(tmp_path, "port = 1\ntick_ms = 1\nundo_seconds = 1\n")
    environment = {"DREAMCANVAS_PORT": "2", "DREAMCANVAS_TICK_MS": "2"}
    config = load({"port": 3}, file=file, environment=environment)
    assert (config.port, config.tick_ms, config.undo_seconds, config.batch_calls) == (3, 2, 1, 50)


def test_what_the_command_line_leaves_out_is_none() -> None:
    assert load({"port": None, "dream": None}, environment={"DREAMCANVAS_DREAM": "no"}).dream is False


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", "0", 0),
        ("dream_interval", "2.5", 2.5),
        ("dream_interval", "3", 3.0),
        ("data_dir", "/var/lib/x", Path("/var/lib/x")),
        ("dream", "ON", True),
        ("dream", "0", False),
        (
            "allowed_origins",
            "https://a.example, https://b.example,",
            ("https://a.example", "https://b.example"),
        ),
        ("allowed_origins", "", ()),
        ("log_level", "debug", "debug"),
    ],
)
def test_text_becomes_a_value_of_the_setting_s_type(name: str, text: str, value: Any) -> None:
    found = getattr(load({}, environment={f"DREAMCANVAS_{name.upper()}": text}), name)
    assert (found, type(found)) == (value, type(value))


def test_a_file_has_toml_s_types(tmp_path: Path) -> None:
    text = 'dream = false\ndream_interval = 3\nallowed_origins = ["https://a.example"]\ndata_dir = "d"\n'
    config = load({}, file=written(tmp_path, text), environment={})
    assert (config.dream, config.dream_interval) == (False, 3.0)
    assert (config.allowed_origins, config.data_dir) == (("https://a.example",), Path("d"))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("port", "70000", "port is 70000, but has to be 0 to 65535"),
        ("port", "-1", "port is -1, but has to be 0 to 65535"),
        ("port", "abc", "port is 'abc', but has to be a whole number"),
        ("port", "1.5", "port is '1.5', but has to be a whole number"),
        ("dream_interval", "0", "dream_interval is 0.0, but has to be 0.1 to 3600"),
        ("dream_interval", "nan", "dream_interval is nan, but has to be 0.1 to 3600"),
        ("dream_interval", "soon", "dream_interval is 'soon', but has to be a number"),
        ("dream", "maybe", "dream is 'maybe', but has to be true or false"),
        ("dabs_per_call", "0", "dabs_per_call is 0, but has to be 1 to 65536"),
        ("log_format", "xml", "log_format is 'xml', but has to be one of auto, text, json"),
        ("log_level", "loud", "log_level is 'loud', but has to be one of debug, info, warning, error"),
    ],
)
def test_a_wrong_value_is_named_with_its_bounds(name: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({name: value}, environment={})
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1", "there is no setting 'colour'"),
        ("port =", "Invalid value"),
        ("port = true", "port is True, but has to be a whole number"),
        ("port = [1]", "port is .*, but has to be a whole number"),
        ("dream = 2", "dream is 2, but has to be true or false"),
        ("allowed_origins = 1", "allowed_origins is 1, but has to be a list"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load({}, file=written(tmp_path, text), environment={})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: .*No such file"):
        load({}, file=tmp_path / "none.toml", environment={})
    (tmp_path / "latin.toml").write_bytes(b"host = '\xe9'")
    with pytest.raises(ConfigError, match=r"latin\.toml"):
        load({}, file=tmp_path / "latin.toml", environment={})


def test_other_variables_of_the_environment_are_nobody_s_business() -> None:
    assert load({}, environment={"PORT": "1", "DREAMCANVAS_": "x", "dreamcanvas_port": "1"}) == Config()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("timezone", "Mars/Olympus", "timezone is 'Mars/Olympus', but has to be a name of the IANA database"),
        ("timezone", "../etc", "timezone is '../etc'"),
        ("timezone", "", "timezone is ''"),
        ("history_window", 7201, "history_window is 7201, but has to divide 86400"),
        ("history_window", 0, "history_window is 0, but has to be 1 to 86400"),
        ("precision", "float64", "precision is 'float64', but has to be one of auto, float32, bfloat16"),
        ("movie_preset", "warp", "movie_preset is 'warp', but has to be one of ultrafast,"),
        ("movie_crf", 52, "movie_crf is 52.0, but has to be 0 to 51"),
    ],
)
def test_settings_of_movies_have_bounds(name: str, value: object, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({name: value}, environment={})
    assert str(caught.value).startswith(words)


def test_the_time_zone_of_days() -> None:
    assert Config().zone() is UTC
    assert Config(timezone="Europe/Berlin").zone() == ZoneInfo("Europe/Berlin")
