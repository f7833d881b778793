"""No change of a log goes unnoticed: properties over logs of any length and any change."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from linarite.controls.audit.chain import canonical, chained, event_of
from linarite.controls.audit.verification import Link, verified
from linarite.domain.audit import AuditEntry, AuditEvent
from tests.controls.audit.events import (
    AT,
    KEY,
    OTHER_KEY,
    evidence,
    make_entries,
    signed,
)

TEXT = st.text(max_size=20)
LENGTHS = st.integers(1, 30)


@given(
    st.builds(
        AuditEvent,
        at=TEXT,
        category=TEXT,
        action=TEXT,
        outcome=TEXT,
        status=st.integers(0, 599),
        principal=TEXT,
        details=st.dictionaries(TEXT, TEXT | st.integers(-(2**40), 2**40), max_size=4),
    )
)
def test_an_event_has_one_form(event: AuditEvent) -> None:
    """The canonical bytes tell the event, and the event gives the same bytes again."""
    body = canonical(event)
    assert event_of(body) == event
    assert canonical(event_of(body)) == body
    mixed = msgspec.structs.replace(event, details=dict(reversed(event.details.items())))
    assert canonical(mixed) == body


@given(LENGTHS, st.data())
def test_a_whole_log_is_whole(count: int, data: st.DataObject) -> None:
    """With any checkpoints, or none, it is told how far signatures reach."""
    entries = make_entries(count)
    places = data.draw(st.sets(st.integers(1, count)))
    anchors = data.draw(st.sets(st.integers(1, count)))
    verdict = verified(
        evidence(
            entries,
            [signed(entries[place - 1]) for place in sorted(places)],
            anchors=[signed(entries[place - 1]) for place in anchors],
        )
    )
    assert verdict.good, verdict.problem
    assert (verdict.entries, verdict.first, verdict.last) == (count, 1, count)
    assert verdict.signed_to == max(places | anchors, default=0)


@given(LENGTHS, st.data())
def test_any_changed_byte_is_found(count: int, data: st.DataObject) -> None:
    """Of a body or of a hash, at any place; the first bad entry is named."""
    entries = make_entries(count)
    at = data.draw(st.integers(0, count - 1))
    part = data.draw(st.sampled_from(("body", "hash")))
    old: bytes = getattr(entries[at], part)
    place = data.draw(st.integers(0, len(old) - 1))
    flipped = data.draw(st.integers(1, 255))
    new = old[:place] + bytes([old[place] ^ flipped]) + old[place + 1 :]
    entries[at] = msgspec.structs.replace(entries[at], **{part: new})
    verdict = verified(evidence(entries, []))
    assert verdict.problem is not None
    assert verdict.problem.seq == at + 1


@given(st.integers(2, 30), st.data())
def test_any_removal_before_the_last_checkpoint_is_found(count: int, data: st.DataObject) -> None:
    """From the beginning, the middle or the end; the first missing entry is named."""
    entries = make_entries(count)
    checkpoints = [signed(entries[-1])]
    first = data.draw(st.integers(0, count - 1))
    last = data.draw(st.integers(first, count - 1))
    del entries[first : last + 1]
    verdict = verified(evidence(entries, checkpoints))
    assert verdict.problem is not None
    assert verdict.problem.seq == first + 1


@given(st.integers(2, 30), st.data())
def test_any_other_order_is_found(count: int, data: st.DataObject) -> None:
    """Entries that changed places, with their numbers or without."""
    entries = make_entries(count)
    order = data.draw(st.permutations(range(count)).filter(lambda them: them != sorted(them)))
    moved = [entries[place] for place in order]
    assert not verified(evidence(moved, [])).good
    renumbered = [AuditEntry(seq, each.body, each.hash) for seq, each in enumerate(moved, start=1)]
    assert not verified(evidence(renumbered, [])).good


@given(LENGTHS, LENGTHS)
def test_two_logs_do_not_make_one(first: int, second: int) -> None:
    """Whether the second begins anew or is numbered on, and whoever's it is."""
    one = make_entries(first)
    for key in (KEY, OTHER_KEY):
        two = make_entries(second, key)
        assert not verified(evidence([*one, *two], [])).good
        numbered = [AuditEntry(first + each.seq, each.body, each.hash) for each in two]
        assert not verified(evidence([*one, *numbered], [])).good


@given(st.integers(1, 30), st.data())
def test_a_forgery_linked_anew_contradicts_what_was_signed(count: int, data: st.DataObject) -> None:
    """Whoever changes an event and all hashes after it still lacks the key."""
    entries = make_entries(count)
    checkpoint = signed(entries[-1])
    at = data.draw(st.integers(0, count - 1))
    before = entries[at - 1].hash if at else None
    events = [event_of(each.body) for each in entries[at:]]
    events[0] = msgspec.structs.replace(events[0], principal="Nobody")
    forged = (
        [*entries[:at], *chained(before, at, events)]
        if before is not None
        else chained(msgspec.structs.asdict(entries[0])["hash"], 0, events)
    )
    assert not verified(evidence(forged, [checkpoint])).good
    resigned = OTHER_KEY.checkpoint(checkpoint.seq, forged[-1].hash, AT, "time")
    assert not verified(evidence(forged, [resigned])).good
    if before is not None:
        assert verified(evidence(forged, [])).good  # nothing but a signature shows it
        told = verified(evidence(forged, [], anchors=[checkpoint])).problem
        assert told is not None
        assert told.seq <= at + 1


@given(LENGTHS, st.data())
def test_another_key_is_another_log(count: int, data: st.DataObject) -> None:
    """A log that somebody signs anew with a key of their own does not pass for the first one."""
    forged = make_entries(count, OTHER_KEY)
    checkpoint = signed(forged[-1], OTHER_KEY)
    assert not verified(evidence(forged, [checkpoint])).good
    place = data.draw(st.integers(1, count))
    anchor = signed(make_entries(count)[place - 1])
    as_theirs = evidence(forged, [checkpoint], public_key=OTHER_KEY.public, anchors=[anchor])
    assert not verified(as_theirs).good


@given(LENGTHS, st.data())
def test_what_came_after_the_last_checkpoint_needs_an_anchor(
    count: int, data: st.DataObject
) -> None:
    """Cut off, it leaves no trace in the log; what was kept elsewhere shows it."""
    entries = make_entries(count)
    kept = data.draw(st.integers(0, count - 1))
    anchor = signed(entries[-1])
    assert verified(evidence(entries[:kept], [])).good
    verdict = verified(evidence(entries[:kept], [], anchors=[anchor]))
    assert verdict.problem is not None
    assert verdict.problem.seq == kept + 1


@given(st.integers(2, 30), st.data())
def test_a_pruned_log_goes_on_from_its_checkpoint(count: int, data: st.DataObject) -> None:
    """What a signed checkpoint says was removed may be missing; nothing beyond it."""
    entries = make_entries(count)
    cut = data.draw(st.integers(1, count - 1))
    checkpoints = [signed(entries[0]), signed(entries[cut - 1], kind="prune")]
    verdict = verified(evidence(entries[cut:], checkpoints))
    assert verdict.good, verdict.problem
    assert (verdict.first, verdict.last) == (cut + 1, count)
    assert not verified(evidence(entries[cut:], checkpoints[:1])).good
    if cut + 1 < count:
        assert not verified(evidence(entries[cut + 1 :], checkpoints)).good
    early = signed(entries[0])
    told = verified(evidence(entries[cut:], checkpoints, anchors=[early]))
    assert told.good
    assert told.unproved_anchors == ((1,) if cut > 1 else ())


def test_what_a_reader_found_wrong_counts() -> None:
    """A row whose other columns say something else is named, though its hash is right."""
    entries = make_entries(3)
    links = [Link.of(entry) for entry in entries]
    links[1] = msgspec.structs.replace(links[1], fault="at says something else")
    verdict = verified(evidence([], [], links=links))
    assert verdict.problem is not None
    assert verdict.problem.seq == 2
    assert "something else" in verdict.problem.reason


def test_an_empty_log_is_whole() -> None:
    """Nothing was signed, nothing is missing."""
    verdict = verified(evidence([], []))
    assert verdict.good
    assert (verdict.entries, verdict.signed_to) == (0, 0)
