"""Questions and answers on the wire (RFC 1035, 6891): what is no plain question is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import structlog

from linarite.privatelink.names.look_up import Found, look_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.privatelink.names.zone import RecordSet, Zone

HEAD_BYTES = 12
UDP_PLAIN_BYTES = 512
UDP_BYTES_MAX = 1232
"""of an answer by UDP: what no path has to take apart"""
TCP_BYTES_MAX = 65_535
QUESTION_BYTES_MAX = 4096
ANSWER_FLAG, TRUNCATED_FLAG = 0x80, 0x02
OPCODE_SHIFT, OPCODE_MASK = 3, 0x0F
"""in the third byte of a message"""
ENTIRE = frozenset((dns.rdatatype.AXFR, dns.rdatatype.IXFR, dns.rdatatype.ANY))
"""what asks for more than one answer: the whole zone, or everything about a name"""

log = structlog.get_logger(__name__)


def respond(question: bytes, zones: Sequence[Zone], *, udp: bool) -> bytes | None:
    """The answer to a message; None for what deserves none: answers, and what is too short."""
    if not _deserves_an_answer(question):
        return None
    if question[2] >> OPCODE_SHIFT & OPCODE_MASK != dns.opcode.QUERY:
        return _refused_unread(question, dns.rcode.NOTIMP)
    try:
        query = dns.message.from_wire(question)
    except (dns.exception.DNSException, ValueError, IndexError):
        return _refused_unread(question, dns.rcode.FORMERR)
    room = TCP_BYTES_MAX
    if udp:
        room = UDP_PLAIN_BYTES
        if query.edns >= 0:
            room = min(max(query.payload, UDP_PLAIN_BYTES), UDP_BYTES_MAX)
    try:
        answer = _answered(query, zones)
        return answer.to_wire(max_size=room, prefer_truncation=True)
    except (dns.exception.DNSException, ValueError):
        log.warning("a name can't be answered: a record of its zone is malformed", exc_info=True)
        return _refused_unread(question, dns.rcode.SERVFAIL)


def cut_short(question: bytes) -> bytes | None:
    """An answer that says nothing but: ask by TCP."""
    if not _deserves_an_answer(question):
        return None
    reply = _refused_unread(question, dns.rcode.NOERROR)
    return bytes((*reply[:2], reply[2] | TRUNCATED_FLAG, *reply[3:]))


def refused(question: bytes) -> bytes | None:
    """What they get who are not to be answered: no longer than the shortest question."""
    return _refused_unread(question, dns.rcode.REFUSED) if _deserves_an_answer(question) else None


def _deserves_an_answer(question: bytes) -> bool:
    """Answers are not answered: two responders would never end."""
    return len(question) >= HEAD_BYTES and not question[2] & ANSWER_FLAG


def _answered(query: dns.message.Message, zones: Sequence[Zone]) -> dns.message.Message:
    answer = dns.message.make_response(query, our_payload=UDP_BYTES_MAX)
    if query.edns > 0:
        answer.set_rcode(dns.rcode.BADVERS)
        return answer
    if len(query.question) != 1:
        answer.set_rcode(dns.rcode.FORMERR)
        return answer
    asked = query.question[0]
    if asked.rdclass != dns.rdataclass.IN or asked.rdtype in ENTIRE:
        answer.set_rcode(dns.rcode.REFUSED)
        return answer
    name = asked.name.to_text(omit_final_dot=True).lower()
    _fill(answer, look_up(zones, name, dns.rdatatype.to_text(asked.rdtype)), asked.name)
    return answer


def _fill(answer: dns.message.Message, found: Found, asked: dns.name.Name) -> None:
    if found.outcome == "not ours":
        answer.set_rcode(dns.rcode.REFUSED)
        return
    answer.flags |= dns.flags.AA
    if found.outcome == "no such name":
        answer.set_rcode(dns.rcode.NXDOMAIN)
    for place, record in enumerate(found.answer):
        # The first owner is the question's name, in the letters in which it was asked.
        answer.answer.append(_rrset(record, None if place else asked))
    if found.absence is not None:
        answer.authority.append(_rrset(found.absence))


def _rrset(record: RecordSet, owner: dns.name.Name | None = None) -> dns.rrset.RRset:
    name = owner or dns.name.from_text(record.owner)
    return dns.rrset.from_text(name, record.ttl, "IN", record.type, *record.values)


def _refused_unread(question: bytes, rcode: int) -> bytes:
    """The head of the question turned into an answer, without anything else of it."""
    flags = ANSWER_FLAG | (question[2] & 0x79)
    return bytes((*question[:2], flags, rcode & 0x0F)) + bytes(8)
