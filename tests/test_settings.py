"""Settings: where they come from, who wins, and what is said when they are wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.errors import SetupError
from linarite.domain.target import is_loopback
from linarite.main import settings_shown
from linarite.setting_tree import Settings
from linarite.settings import load, open_pages, reference, reference_page, variables

if TYPE_CHECKING:
    from collections.abc import Callable

Environment = dict[str, str]
MASTER_KEY = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder to stand in, an empty home, and no variable of ours."""
    for name in list(os.environ):
        if name.startswith("LINARITE_") or name == "XDG_DATA_HOME":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(bare: Path) -> Callable[[str], Path]:
    """Write `linarite.toml` into the current folder."""

    def written(text: str) -> Path:
        file = bare / "linarite.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return written


def test_every_default_works(bare: Path) -> None:
    """Without a file and a variable there are settings, and they pass their own checks."""
    loaded = load()
    assert loaded.settings == Settings()
    assert (loaded.file, loaded.origins, loaded.master_key) == (None, {}, None)
    assert loaded.home == bare / "home" / ".local" / "share" / "linarite"
    assert loaded.settings.server.host == "127.0.0.1"


def test_the_later_source_wins_and_is_named(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Defaults, file, environment, command line; each key remembers which it was."""
    write("[server]\nport = 1\nkeep_alive_s = 7\ndrain_s = 3\n[limits]\nbody_read_s = 9.5\n")
    monkeypatch.setenv("LINARITE_SERVER_PORT", "2")
    monkeypatch.setenv("LINARITE_SERVER_DRAIN_S", "4.5")
    loaded = load(overrides={"server.port": 3})
    server = loaded.settings.server
    assert (server.port, server.drain_s, server.keep_alive_s) == (3, 4.5, 7.0)
    assert loaded.settings.limits.body_read_s == 9.5
    assert loaded.origins == {
        "server.port": "command line",
        "server.drain_s": "environment LINARITE_SERVER_DRAIN_S",
        "server.keep_alive_s": "file",
        "limits.body_read_s": "file",
    }


def test_variables_that_kubernetes_sets_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service named `linarite` or `linarite-server` does not keep its own pods from starting."""
    for prefix in ("LINARITE", "LINARITE_SERVER"):
        for name, value in {
            "SERVICE_HOST": "10.0.0.1",
            "SERVICE_PORT": "80",
            "SERVICE_PORT_HTTP_API": "80",
            "PORT": "tcp://10.0.0.1:80",
            "PORT_80_TCP": "tcp://10.0.0.1:80",
            "PORT_80_TCP_PROTO": "tcp",
            "PORT_80_TCP_PORT": "80",
            "PORT_80_TCP_ADDR": "10.0.0.1",
        }.items():
            monkeypatch.setenv(f"{prefix}_{name}", value)
    assert load().settings == Settings()


def test_tables_of_the_file_are_read(write: Callable[[str], Path]) -> None:
    """Deployments and instances, with their own defaults."""
    write(
        '[[deployments]]\nname = "a"\nmodel = "m"\ninstance = "i"\n'
        '[[deployments]]\nname = "b"\nmodel = "n"\ncapacity = 5\n'
        'sku = "DataZoneProvisionedManaged"\n'
        '[instances.i]\nengine = "simulator"\n[instances.i.options]\nseed = 1\n'
    )
    loaded = load()
    first, second = loaded.settings.deployments
    assert (first.name, first.instance, first.sku) == ("a", "i", "GlobalStandard")
    assert (second.capacity, second.instance, second.model_version) == (5, "", "1")
    assert second.sku == "DataZoneProvisionedManaged"
    assert loaded.settings.instances["i"].options == {"seed": 1}
    assert set(loaded.origins) == {"deployments", "instances.i"}


def test_the_file_is_looked_for_in_order(
    bare: Path, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given, else LINARITE_CONFIG, else the current folder, else the data folder."""
    home = bare / "data"
    home.mkdir()
    in_home, named, given = home / "linarite.toml", bare / "named.toml", bare / "given.toml"
    for port, file in ((1, in_home), (3, named), (4, given)):
        file.write_text(f"[server]\nport = {port}\n")
    monkeypatch.setenv("LINARITE_HOME", str(home))
    assert (load().file, load().settings.server.port) == (in_home, 1)
    here = write("[server]\nport = 2\n")
    assert (load().file, load().settings.server.port) == (here, 2)
    monkeypatch.setenv("LINARITE_CONFIG", str(named))
    assert load().settings.server.port == 3
    assert load(given).settings.server.port == 4
    monkeypatch.setenv("LINARITE_CONFIG", "")
    assert load().settings.server.port == 2


@pytest.mark.parametrize(
    ("environment", "home"),
    [
        ({"LINARITE_HOME": "data"}, "data"),
        ({"LINARITE_HOME": "~/data"}, "home/data"),
        ({"XDG_DATA_HOME": "share"}, "share/linarite"),
        ({"XDG_DATA_HOME": "share", "LINARITE_HOME": "data"}, "data"),
        ({"XDG_DATA_HOME": "share", "LINARITE_HOME": ""}, "share/linarite"),
    ],
)
def test_all_data_has_one_folder(
    bare: Path, monkeypatch: pytest.MonkeyPatch, environment: Environment, home: str
) -> None:
    """LINARITE_HOME, else where the system keeps data; always an absolute path."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load().home == bare / home


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("LINARITE_SERVER_PORT", "0", lambda settings: settings.server.port == 0),
        ("LINARITE_MODELS_MINIMAL", "true", lambda settings: settings.models.minimal),
        ("LINARITE_MODELS_MINIMAL", "1", lambda settings: settings.models.minimal),
        ("LINARITE_MINIMAL", "1", lambda settings: settings.models.minimal),
        ("LINARITE_MODELS_FETCH", "false", lambda settings: not settings.models.fetch),
        ("LINARITE_LOGS_FORMAT", "json", lambda settings: settings.logs.format == "json"),
        ("LINARITE_ACCOUNT_NAME", "mine-1", lambda settings: settings.account.name == "mine-1"),
        ("LINARITE_LIMITS_BODY_READ_S", "0.5", lambda settings: settings.limits.body_read_s == 0.5),
    ],
)
def test_variables_are_read_as_their_settings_type(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: Callable[[Settings], bool]
) -> None:
    """Numbers, booleans, choices and text."""
    monkeypatch.setenv(name, value)
    assert read(load().settings)


def test_every_setting_that_can_have_a_variable_has_one() -> None:
    """Named after its key; tables and lists have none."""
    known = variables()
    for row in reference():
        name = "LINARITE_" + row.key.replace(".", "_").upper()
        assert (name in known) is row.settable
    assert "LINARITE_DEPLOYMENTS" not in known
    assert len(set(known.values())) == len(known)


DEPLOYMENT = '[[deployments]]\nname = "a"\nmodel = "m"\n'
WRONG_FILES = [
    (
        "[server]\nport = 70000\n",
        ["server.port (file)", "<= 65535", "free one", "`linarite settings --markdown`"],
    ),
    ('[server]\nport = "x"\n', ["server.port (file)", "int"]),
    ("[server]\nprot = 1\n", ["server", "unknown field `prot`", "Did you mean `port`?"]),
    ("[server]\nquite = 1\n", ["server", "unknown field `quite`", "There are: host, port, https"]),
    ("[sever]\nport = 1\n", ["the top level", "unknown field `sever`", "mean `server`?"]),
    ("port = 1\n", ["the top level", "unknown field `port`"]),
    ("server = 1\n", ["server", "object"]),
    ("server = 1\n", ["server"]),
    ("deployments = 1\n", ["deployments", "array"]),
    ('[deployments]\nname = "a"\n', ["deployments", "array"]),
    ("[[deployments]]\n", ["deployments[0]", "missing required field `name`"]),
    ('[[deployments]]\nname = "a"\n', ["deployments[0]", "missing required field `model`"]),
    (
        DEPLOYMENT + '[[deployments]]\nname = "a b"\nmodel = "m"\n',
        ["deployments[1].name", "in the path"],
    ),
    (DEPLOYMENT + DEPLOYMENT.replace('"a"', '"A"'), ["'a' is declared twice", "without case"]),
    (DEPLOYMENT + "capacity = -1\n", ["deployments[0].capacity", ">= 0"]),
    (DEPLOYMENT + "capacity = 1.5\n", ["deployments[0].capacity", "int"]),
    (
        DEPLOYMENT + 'sku = "globalstandard"\n',
        ["deployments[0].sku", "'globalstandard'", "GlobalStandard |", "| DeveloperTier"],
    ),
    (
        DEPLOYMENT + 'instance = "x"\n[instances.y]\n',
        ["'a'", "instance = 'x'", "[instances.x]", "use one of: y"],
    ),
    (DEPLOYMENT + 'instance = "x"\n', ["use one of: none"]),
    (
        DEPLOYMENT + 'sku = "Standard"\ninstance = "x"\n[account]\nlocation = "west"\n'
        '[instances.x]\nregion = "east"\n[regions.west]\n[regions.east]\n',
        ["'a'", "Standard keeps prompts in west", "'x' runs in east", "set sku to one"],
    ),
    (
        DEPLOYMENT + 'sku = "DataZoneStandard"\n[account]\nlocation = "west"\n'
        '[instances.m]\nregion = "east"\n'
        '[regions.west]\ndata_zone = "z"\n[regions.north]\ndata_zone = "z"\n[regions.east]\n',
        ["DataZoneStandard keeps prompts in west or north", "'m' runs in east"],
    ),
    ('[instances.one]\nengine = "x"\n', ["instances.one.engine", "'x'", "llamacpp | openvino"]),
    (
        "[instances.fine]\n[instances.bad]\nqueue_max = -1\n",
        ["instances.bad.queue_max", ">= 0"],
    ),
    ("[instances.bad]\nfoo = 1\n", ["instances.bad", "unknown field `foo`", "engine, model"]),
    ("[instances]\nbad = 1\n", ["instances.bad", "object"]),
    ('[instances."../x"]\n', ["instances", "'../x'", "letters, digits"]),
    ('[instances.""]\n', ["instances", "''"]),
    ('[account]\nname = "a b"\n', ["account.name", "regex"]),
    ('[server]\ntls_certificate = "x.pem"\n', ["tls_certificate", "tls_key", "set both"]),
    ('[server]\ntls_key = "x.pem"\n', ["tls_certificate", "tls_key", "set both"]),
    ('[server]\ntls_ca_file = "x.pem"\n', ["tls_ca_file", "server.tls_certificate: set that"]),
    ("[server\n", ["linarite.toml", "not valid TOML", "line 1"]),
    ("[server]\nport = 1\nport = 2\n", ["not valid TOML", "line 3"]),
    ("home = 3\n", ["home (file)", "str"]),
    ("[logs]\nlevel = 'loud'\n", ["logs.level (file)", "'loud'", "debug | info"]),
    ('[egress]\nallowed_hosts = "x"\n', ["egress.allowed_hosts", "array"]),
    ("[server]\nport = 2020-01-01\n", ["server.port"]),
]


@pytest.mark.parametrize(("text", "said"), WRONG_FILES)
def test_what_is_wrong_in_the_file_is_named(
    write: Callable[[str], Path], text: str, said: list[str]
) -> None:
    """The key, what is wrong with it, and where it stands."""
    write(text)
    with pytest.raises(SetupError) as refused:
        load()
    for part in said:
        assert part in refused.value.message


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"LINARITE_SERVER_PORT": "x"}, ["server.port (environment LINARITE_SERVER_PORT)", "int"]),
        ({"LINARITE_SERVER_PORT": ""}, ["server.port (environment LINARITE_SERVER_PORT)"]),
        ({"LINARITE_SERVER_PORT": "-1"}, ["server.port (environment", ">= 0"]),
        ({"LINARITE_LOGS_LEVEL": "loud"}, ["logs.level (environment LINARITE_LOGS_LEVEL)"]),
        ({"LINARITE_MINIMAL": "maybe"}, ["models.minimal (environment LINARITE_MINIMAL)"]),
        ({"LINARITE_SERVER_PROT": "1"}, ["LINARITE_SERVER_PROT names no setting", "example"]),
        ({"LINARITE_DEPLOYMENTS": "x"}, ["LINARITE_DEPLOYMENTS names no setting"]),
        ({"LINARITE_": "x"}, ["LINARITE_ names no setting"]),
        ({"LINARITE_CONFIG": "absent.toml"}, ["absent.toml does not exist", "LINARITE_CONFIG"]),
        ({"LINARITE_CONFIG": "."}, ["does not exist"]),
        ({"LINARITE_MASTER_KEY": "abc"}, ["LINARITE_MASTER_KEY", "64 hexadecimal", "secrets"]),
        ({"LINARITE_MASTER_KEY": ""}, ["LINARITE_MASTER_KEY must be 64"]),
        ({"LINARITE_MASTER_KEY": "z" * 64}, ["LINARITE_MASTER_KEY must be 64"]),
        ({"LINARITE_SERVER_HOST": "::"}, ["server.host", "without TLS", "127.0.0.1"]),
    ],
)
def test_what_is_wrong_in_a_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, environment: Environment, said: list[str]
) -> None:
    """The variable stands beside its key, so that both can be found."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SetupError) as refused:
        load()
    for part in said:
        assert part in refused.value.message


def test_a_variable_under_a_section_that_is_none_is_told(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file says `server = 1`; a variable cannot be put into it."""
    write("server = 1\n")
    monkeypatch.setenv("LINARITE_SERVER_PORT", "1")
    with pytest.raises(SetupError, match=r"server is a section: write \[server\]"):
        load()


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\xef\xbb\xbf[server]\n"])
def test_a_file_that_is_no_text_is_told(bare: Path, content: bytes) -> None:
    """Not UTF-8, or with a mark before its first byte."""
    file = bare / "odd.toml"
    file.write_bytes(content)
    with pytest.raises(SetupError, match=r"odd\.toml"):
        load(file)


def test_a_value_in_the_environment_never_shows_in_a_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A master key with one digit too few is still a secret."""
    monkeypatch.setenv("LINARITE_MASTER_KEY", MASTER_KEY[1:])
    with pytest.raises(SetupError) as refused:
        load()
    assert MASTER_KEY[1:8] not in refused.value.message


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - compared, not bound
        ("::", False),
        ("", False),
        ("192.168.1.2", False),
        ("localhost.example.com", False),
        ("::ffff:1.2.3.4", False),
        ("fe80::1", False),
    ],
)
def test_only_loopback_goes_without_tls(
    write: Callable[[str], Path], host: str, loopback: bool
) -> None:
    """Other addresses need a certificate, or somebody who says that TLS ends in front."""
    assert is_loopback(host) is loopback
    write(f'[server]\nhost = "{host}"\n')
    if loopback:
        assert load().settings.server.host == host
    else:
        with pytest.raises(SetupError, match=r"server\.plaintext_beyond_loopback"):
            load()
    write(f'[server]\nhost = "{host}"\nplaintext_beyond_loopback = true\n')
    assert load().settings.server.host == host
    write(f'[server]\nhost = "{host}"\ntls_certificate = "c"\ntls_key = "k"\n')
    assert load().settings.server.host == host
    assert open_pages(load().settings) is loopback


@pytest.mark.parametrize(("wanted", "is_open"), [("always", True), ("never", False)])
def test_pages_may_be_opened_and_closed(
    write: Callable[[str], Path], wanted: str, is_open: bool
) -> None:
    """Whatever the address is."""
    write(f'[server]\nopen_pages = "{wanted}"\n')
    assert open_pages(load().settings) is is_open


UPSTREAM = """
[instances.up]
engine = "upstream"
[instances.up.options]
base_url = "https://example.com"
api_key = "env:UPSTREAM_KEY"
number = 3
"""


def test_secrets_come_from_variables(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`env:NAME` is replaced; other options stay; nothing that prints settings shows it."""
    write(UPSTREAM)
    monkeypatch.setenv("UPSTREAM_KEY", "very-secret-value")
    monkeypatch.setenv("LINARITE_MASTER_KEY", MASTER_KEY)
    loaded = load()
    options = loaded.settings.instances["up"].options
    assert options == {
        "base_url": "https://example.com",
        "api_key": "very-secret-value",
        "number": 3,
    }
    assert loaded.master_key == bytes.fromhex(MASTER_KEY)
    shown: Any
    for shown in (loaded, loaded.settings, loaded.settings.instances):
        assert "very-secret-value" not in repr(shown)
        assert MASTER_KEY[:8] not in repr(shown)
    assert "api_key" in repr(loaded.settings.instances)


def test_what_is_secret_is_not_listed(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers for a collector may hold a key: that there are some is told, and by which file."""
    write('[otlp.headers]\nauthorization = "env:COLLECTOR_KEY"\n')
    monkeypatch.setenv("COLLECTOR_KEY", "very-secret-value")
    assert load().settings.otlp.headers == {"authorization": "very-secret-value"}
    (shown,) = [row for row in settings_shown(None) if row.key == "otlp.headers"]
    assert shown.value == "(hidden)"
    assert not [row for row in settings_shown(None) if "very-secret-value" in str(row)]


def test_a_missing_secret_is_told(write: Callable[[str], Path]) -> None:
    """The option and the variable, both by name."""
    write(UPSTREAM)
    with pytest.raises(SetupError) as refused:
        load()
    assert refused.value.message == (
        "instances.up.options.api_key is 'env:UPSTREAM_KEY', but the variable UPSTREAM_KEY is not "
        "set."
    )


def test_every_setting_is_described() -> None:
    """A kind, a default and a sentence for each."""
    for row in reference():
        assert row.description.endswith((".", ").")), row.key
        assert row.kind
        assert row.default is not None


def test_the_page_is_what_the_code_says() -> None:
    """`make docs` writes it; every row of its tables has as many cells as the head."""
    page = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"
    assert page.read_text(encoding="utf-8").strip() == reference_page().strip()
    width = 0
    for line in reference_page().splitlines():
        cells = line.replace("\\|", "").count("|") if line.startswith("|") else 0
        if cells and width:
            assert cells == width, line
        width = cells


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[networks.apps]\naddresses = ["10.1.0.0/33"]', r"networks\.apps\.addresses"),
        (
            '[networks.apps]\naddresses = []\nendpoint_addresses = ["10.1.0.9-10.1.0.1"]',
            r"networks\.apps\.endpoint_addresses",
        ),
        ('[networks.apps]\naddresses = []\nsubnet = "/subnets/x"', r"networks\.apps\.subnet"),
        ('[networks.apps]\naddresses = []\ndns = "0.0.0.0"', r"networks\.apps\.dns"),
        ('[dns]\nlisten = ["everywhere"]', r"dns\.listen"),
        ('[dns]\npublic_addresses = ["example.com"]', r"dns\.public_addresses"),
    ],
)
def test_networks_are_checked_with_all_else(tmp_path: Path, text: str, said: str) -> None:
    """Whoever reads settings refuses what a start would refuse."""
    file = tmp_path / "linarite.toml"
    file.write_text(text)
    with pytest.raises(SetupError, match=said):
        load(file)


def test_a_password_in_the_proxys_address_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is said where it belongs."""
    monkeypatch.setenv("LINARITE_EGRESS_PROXY", "http://user:geheim@proxy.example.com:3128")
    with pytest.raises(SetupError, match="proxy_credentials") as refused:
        load()
    assert "geheim" not in refused.value.message
