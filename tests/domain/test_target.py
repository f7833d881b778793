"""URLs and hosts: one meaning, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.target import Target, configured_target, host_of, target_of


@pytest.mark.parametrize(
    ("url", "expected", "host_header"),
    [
        ("https://a.example", Target(True, "a.example", 443, "/"), "a.example"),
        ("HTTP://A.Example.:8080/v1", Target(False, "a.example", 8080, "/v1"), "a.example:8080"),
        ("http://127.0.0.1:80/x?y=z", Target(False, "127.0.0.1", 80, "/x?y=z"), "127.0.0.1"),
        (
            "https://[2001:DB8::1]:8443/",
            Target(True, "2001:db8::1", 8443, "/"),
            "[2001:db8::1]:8443",
        ),
        ("https://a.example?q", Target(True, "a.example", 443, "/?q"), "a.example"),
        ("https://b\u00fccher.example/", Target(True, "xn--bcher-kva.example", 443, "/"), None),
        ("http://under_score/", Target(False, "under_score", 80, "/"), "under_score"),
        ("http://\uff41.example/", Target(False, "a.example", 80, "/"), "a.example"),
    ],
)
def test_urls_are_taken_apart(url: str, expected: Target, host_header: str | None) -> None:
    """A plain URL gives its parts, the host in its normal form."""
    assert target_of(url) == expected
    assert target_of(url).host_header == (host_header or expected.host)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "//a.example/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "http\u017f://a.example/",
        "http:/a.example/",
        "http://",
        "http:///x",
        "http://?x",
        "http://user@a.example/",
        "http://user:secret@a.example/",
        "http://a.example@127.0.0.1/",
        "http://a.example#@127.0.0.1/",
        "http://a.example/#x",
        "http://a.example\\@127.0.0.1/",
        "http://a.example\\.b.example/",
        "http://127.0.0.1\\/x",
        "http://a.example:/",
        "http://a.example:0/",
        "http://a.example:65536/",
        "http://a.example:-1/",
        "http://a.example:80:80/",
        "http://a.example:0x50/",
        "http://a.example:\u0661/",
        " http://a.example/",
        "http://a.example/ ",
        "http://a.example/a b",
        "http://a.example/\r\nhost: x",
        "http://a.example/\n",
        "http://a\t.example/",
        "http://a.example\x00/",
        "http://a%2eexample/",
        "http://%31%32%37.0.0.1/",
        "http://a..example/",
        "http://.example/",
        "http://-a.example/",
        "http://a-.example/",
        "http://a,b/",
        "http://*.example/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[127.0.0.1]/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[::ffff:127.0.0.256]/",
        "http://0x7f.0.0.1/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://2130706433/",
        "http://127.1/",
        "http://127.0.1/",
        "http://127.0.0.1.1/",
        "http://127.0.0.01/",
        "http://256.0.0.1/",
        "http://a.example.0x1/",
        "http://\u2460\u2461\u2466.0.0.01/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 127 + "example/",
    ],
)
def test_doubtful_urls_are_refused(url: str) -> None:
    """Whatever one parser reads as one host and another as another is no URL for us."""
    with pytest.raises(EgressRefused):
        target_of(url)


def test_digits_of_other_scripts_are_the_digits_they_look_like() -> None:
    """A host that normalises to an address is that address, and is judged as such."""
    assert host_of("\u2460\u2461\u2466.\u2070.\uff10.1") == "127.0.0.1"
    assert host_of("127\u30020\u30020\u30021") == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LOCALHOST.", "localhost"),
        ("::FFFF:127.0.0.1", "::ffff:7f00:1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1.", "10.0.0.1"),
    ],
)
def test_hosts_have_one_form(text: str, expected: str) -> None:
    """Case, trailing dots and ways to write an address do not make another host."""
    assert host_of(text) == expected
    assert host_of(expected) == expected


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str) -> None:
    """Every text is either refused or has a form that stays the same when judged again."""
    try:
        host = host_of(text)
    except EgressRefused:
        return
    assert host.isascii()
    assert host_of(host) == host


@given(st.text(alphabet="ht:p/s@.#?[]\\%127ax\u3002 ", max_size=30))
def test_any_url_is_judged(url: str) -> None:
    """Whatever is accepted begins with its scheme and host, with nothing in between."""
    try:
        target = target_of(url)
    except EgressRefused:
        return
    assert "@" not in url.partition("://")[2].partition("/")[0].partition("?")[0]
    assert host_of(target.host) == target.host


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("https://elsewhere.example", False),
        ("http://127.0.0.1:1", False),
        ("http://localhost", False),
        ("http://elsewhere.example", True),
        ("http://10.0.0.1", True),
    ],
)
def test_what_others_may_read_is_refused_unless_settings_say_so(url: str, *, read: bool) -> None:
    """Of names, only `localhost` is sure to be this machine."""
    assert target_of(url).read_on_the_way == read
    assert configured_target(url, allow_plain_http=True) == target_of(url)
    if not read:
        assert configured_target(url, allow_plain_http=False) == target_of(url)
        return
    with pytest.raises(SetupError, match=r"set otlp\.allow_plain_http = true"):
        configured_target(url, allow_plain_http=False, section="otlp.")
