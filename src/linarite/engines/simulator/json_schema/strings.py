"""Makes texts of a format, a pattern, a length."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from linarite.engines.simulator.json_schema.pattern import CHARACTERS_MAX, parse_pattern, text_for
from linarite.engines.simulator.json_schema.types import SchemaTooComplex
from linarite.engines.simulator.prose import WORDS, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from linarite.engines.simulator.dice import Dice

_TRIES = 12


def texts(schema: dict[str, Any], dice: Dice) -> Iterator[str]:
    """Texts for a plain schema, each another try; the caller checks what matters to it.

    Length counts for more than format, as validators have it.
    """
    least, most = int(schema.get("minLength", 0)), int(schema.get("maxLength", CHARACTERS_MAX))
    if least > CHARACTERS_MAX:
        raise SchemaTooComplex(f"A text of {least} characters is asked for.")
    if "pattern" in schema:
        node = parse_pattern(schema["pattern"])
        # Longer and longer: an open count must come to minLength, a short one below maxLength.
        for stretch in (2, 0, 1, 4, 8, 16, 32, 64, 128, least, most):
            text = text_for(node, dice, min(stretch, CHARACTERS_MAX))
            if least <= len(text) <= most:
                yield text
        return
    make = _FORMATS.get(schema.get("format", ""))
    for _ in range(_TRIES if make else 0):
        text = make(dice) if make else ""
        if least <= len(text) <= most:
            yield text
    for attempt in range(_TRIES):
        yield _fitted(words(dice, 2 + attempt // 2), least, most, dice)


def _fitted(text: str, least: int, most: int, dice: Dice) -> str:
    while len(text) < least:
        text += " " + dice.pick(WORDS)
    text = text[:most].rstrip()
    # Cutting may have left blanks at the end, and one blank less may be too short.
    return text + dice.text(string.ascii_lowercase, max(0, least - len(text)))


def _date(dice: Dice) -> str:
    return f"{dice.between(2000, 2039)}-{dice.between(1, 12):02}-{dice.between(1, 28):02}"


def _time(dice: Dice) -> str:
    return f"{dice.below(24):02}:{dice.below(60):02}:{dice.below(60):02}Z"


def _uuid(dice: Dice) -> str:
    digits = dice.text("0123456789abcdef", 30)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:]}"


def _hostname(dice: Dice) -> str:
    return f"{dice.pick(WORDS)}.example"


def _path(dice: Dice) -> str:
    return f"/{dice.pick(WORDS)}/{dice.pick(WORDS)}"


def _internet_address_v6(dice: Dice) -> str:
    return "2001:db8::" + dice.text("123456789abcdef", 3)


# Names and addresses come from the blocks that are kept for documentation.
_FORMATS: dict[str, Callable[[Dice], str]] = {
    "date": _date,
    "time": _time,
    "date-time": lambda dice: f"{_date(dice)}T{_time(dice)}",
    "duration": lambda dice: f"P{dice.between(1, 27)}DT{dice.between(1, 23)}H",
    "email": lambda dice: f"{dice.pick(WORDS)}@{_hostname(dice)}",
    "idn-email": lambda dice: f"{dice.pick(WORDS)}@{_hostname(dice)}",
    "hostname": _hostname,
    "idn-hostname": _hostname,
    "ipv4": lambda dice: f"192.0.2.{dice.between(1, 254)}",
    "ipv6": _internet_address_v6,
    "uri": lambda dice: f"https://{_hostname(dice)}{_path(dice)}",
    "url": lambda dice: f"https://{_hostname(dice)}{_path(dice)}",
    "iri": lambda dice: f"https://{_hostname(dice)}{_path(dice)}",
    "uri-reference": _path,
    "iri-reference": _path,
    "json-pointer": _path,
    "uuid": _uuid,
    "regex": lambda dice: f"^{dice.pick(WORDS)}$",
}
