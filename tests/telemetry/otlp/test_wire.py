"""What we write is what OpenTelemetry's own types read, and what they would write themselves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint, NumberDataPoint

from linarite.telemetry.otlp import enveloped, wire

INT_64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=200)
SCALAR = st.one_of(TEXT, st.booleans(), INT_64, st.floats(allow_nan=False))


@given(value=SCALAR)
def test_an_attribute_is_read_as_it_was(value: str | bool | float) -> None:
    """Every kind of attribute arrives with its type and value."""
    read = AnyValue.FromString(wire.any_value(value))
    kind = read.WhichOneof("value")
    expected = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
    assert kind is not None
    assert kind == expected[type(value)]
    assert getattr(read, kind) == value


@given(
    count=st.integers(0, 2**64 - 1),
    total=st.floats(allow_nan=False),
    buckets=st.lists(st.integers(0, 2**64 - 1), max_size=20),
    bounds=st.lists(st.floats(allow_nan=False), max_size=20),
)
def test_a_histogram_is_written_as_protobuf_writes_it(
    count: int, total: float, buckets: list[int], bounds: list[float]
) -> None:
    """Byte for byte the same as the official encoder."""
    ours = (
        wire.fixed_64(4, count)
        + wire.double(5, total)
        + wire.packed_fixed_64(6, buckets)
        + wire.packed_doubles(7, bounds)
    )
    theirs = HistogramDataPoint(
        count=count, sum=total, bucket_counts=buckets, explicit_bounds=bounds
    )
    assert ours == theirs.SerializeToString(deterministic=True)


@given(value=INT_64)
def test_a_number_is_written_as_protobuf_writes_it(value: int) -> None:
    """Also 0, which says that there is a number."""
    theirs = NumberDataPoint(as_int=value).SerializeToString(deterministic=True)
    assert wire.signed_fixed_64(6, value) == theirs


@given(number=st.integers(0, 2**31 - 1), text=TEXT, octets=st.binary(max_size=300))
def test_a_log_record_is_written_as_protobuf_writes_it(
    number: int, text: str, octets: bytes
) -> None:
    """Texts, bytes, fixed and variable numbers of the other signals too."""
    ours = (
        wire.fixed_64(1, number)
        + wire.integer(2, number % 25)
        + wire.text(3, text)
        + wire.octets(9, octets)
    )
    severity = SeverityNumber.values()[number % 25]
    theirs = LogRecord(
        time_unix_nano=number, severity_number=severity, severity_text=text, trace_id=octets
    )
    assert ours == theirs.SerializeToString(deterministic=True)


def test_items_stand_in_one_resource_and_scope() -> None:
    """Who tells is said once, and by which version."""
    items = [wire.text(3, "INFO"), wire.text(3, "WARN")]
    body = enveloped(items, {"service.name": "linarite"}, version="1.2")
    read = ExportLogsServiceRequest.FromString(body)
    (resource,) = read.resource_logs
    (scope,) = resource.scope_logs
    name = KeyValue(key="service.name", value=AnyValue(string_value="linarite"))
    assert list(resource.resource.attributes) == [name]
    assert (scope.scope.name, scope.scope.version) == ("linarite", "1.2")
    assert [record.severity_text for record in scope.log_records] == ["INFO", "WARN"]
