"""The model as the library runs it: opened, tried, and asked what it is."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from linarite.engines.openvino.messages import OpenvinoLoaded
from linarite.engines.openvino.worker.gguf_file import UnreadableModel, read_gguf
from linarite.engines.openvino.worker.native import Native  # noqa: TC001 - in a NamedTuple
from linarite.engines.openvino.worker.prompts import FillTokens, Prompts
from linarite.engines.openvino.worker.requantise import check_types, has_halves, requantise
from linarite.engines.openvino.worker.trial_model import write_trial_model
from linarite.engines.worker_process.life import report
from linarite.engines.worker_process.reports import Loading

if TYPE_CHECKING:
    from linarite.engines.openvino.messages import OpenvinoOrder
    from linarite.engines.openvino.worker.gguf_file import GgufFile

_BLOCK_TOKENS = 32
"""tokens in a block of the cache, where a processor computes"""
_SPARE_BLOCKS = 2
_ARCHITECTURES = ("llama", "qwen2", "qwen3")
"""those of GGUF files that the library is known to read"""
_CONTROL = 3
"""ggml's type of a token that is no text"""
_ENDS = (
    *("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<|eom_id|>"),
    *("<end_of_turn>", "<|end|>", "</s>"),
)
_FILL = FillTokens("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")


class Model(NamedTuple):
    """A model that runs, and what is known of it."""

    genai: Native
    """the library"""
    tensor: Native
    """makes a prompt of token ids for it"""
    pipeline: Native
    trials: Native
    """a pipeline on a model of no use, for trying grammars"""
    prompts: Prompts
    shown: list[bytes]
    """the text of each token in a reply; special ones have none"""
    pieces: list[bytes]
    """the text of each token"""
    ends: set[int]
    """tokens that end a reply"""
    loaded: OpenvinoLoaded


def open_model(order: OpenvinoOrder, reports: int) -> Model:
    """Load the model. Raises UnreadableModel, RuntimeError, OSError and ImportError."""
    path = Path(order.model_path)
    file = read_gguf(path)
    rewrite = check_types(file, may_requantise=order.options.requantise)
    report(reports, Loading(file.text("general.architecture")))
    genai: Native = import_module("openvino_genai")
    folder = Path(order.socket_path).parent
    unique = Path(order.socket_path).stem
    trial_path, rewritten = folder / f"{unique}-trial.gguf", folder / f"{unique}.gguf"
    try:
        write_trial_model(trial_path)
        if rewrite:
            requantise(path, file, rewritten)
        trained = file.number(f"{file.text('general.architecture')}.context_length")
        context = order.options.context_within(trained)
        pipeline = _opened(genai, order, file, rewritten if rewrite else path, context)
        trials = _trial_pipeline(genai, trial_path)
    finally:
        # What the library still needs of them it has mapped.
        trial_path.unlink(missing_ok=True)
        rewritten.unlink(missing_ok=True)
    return _looked_at(genai, file, (pipeline, trials), context)


def _opened(
    genai: Native, order: OpenvinoOrder, file: GgufFile, path: Path, context: int
) -> Native:
    try:
        return _pipeline(genai, order, file, path, context)
    except Exception as error:
        architecture = file.text("general.architecture")
        if architecture in _ARCHITECTURES:
            raise
        raise UnreadableModel(
            f"its architecture is '{architecture}'. OpenVINO GenAI reads "
            f"{', '.join(_ARCHITECTURES)}; the engine llamacpp runs many more"
        ) from error


def _pipeline(
    genai: Native, order: OpenvinoOrder, file: GgufFile, path: Path, context: int
) -> Native:
    options = order.options
    scheduler = genai.SchedulerConfig()
    tokens = max(context, options.cache_tokens or options.parallel_requests * context)
    scheduler.num_kv_blocks = -(-tokens // _BLOCK_TOKENS) + _SPARE_BLOCKS
    scheduler.max_num_batched_tokens = options.prompt_batch_tokens
    scheduler.max_num_seqs = options.parallel_requests
    scheduler.enable_prefix_caching = options.prompt_cache
    scheduler.dynamic_split_fuse = True
    properties: dict[str, object] = {"KV_CACHE_PRECISION": options.cache_type}
    if options.device.startswith("CPU"):
        # Half precision on one thread crashes the library; two share one processor as well.
        threads = max(2, order.threads) if has_halves(file) else order.threads
        properties |= {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}
    pipeline = genai.ContinuousBatchingPipeline(path, scheduler, options.device, properties)
    if options.chat_template:
        pipeline.get_tokenizer().set_chat_template(options.chat_template)
    return pipeline


def _trial_pipeline(genai: Native, path: Path) -> Native:
    scheduler = genai.SchedulerConfig()
    scheduler.num_kv_blocks = 4
    scheduler.max_num_batched_tokens = _BLOCK_TOKENS
    return genai.ContinuousBatchingPipeline(path, scheduler, "CPU", {"INFERENCE_NUM_THREADS": 1})


def _looked_at(
    genai: Native, file: GgufFile, pipelines: tuple[Native, Native], context: int
) -> Model:
    tokenizer = pipelines[0].get_tokenizer()
    vocabulary: dict[bytes, int] = tokenizer.get_vocab()
    pieces = [b""] * (max(vocabulary.values(), default=-1) + 1)
    for piece, token in vocabulary.items():
        pieces[token] = piece
    if not pieces:
        raise UnreadableModel("it has no vocabulary")
    kinds = file.numbers("tokenizer.ggml.token_type")
    control = {token for token, kind in enumerate(kinds[: len(pieces)]) if kind == _CONTROL}
    names = {pieces[token].decode("utf-8", "replace"): token for token in control}
    ends = {names[end] for end in _ENDS if end in names}
    ends.add(tokenizer.get_eos_token_id())
    template = str(tokenizer.chat_template)
    fills = all(token in names for token in _FILL)
    begin, end = tokenizer.get_bos_token(), tokenizer.get_eos_token()
    openvino: Native = import_module("openvino")
    numpy: Native = import_module("numpy")

    def tensor(ids: list[int]) -> object:
        return openvino.Tensor(numpy.array([ids], dtype=numpy.int64))

    return Model(
        genai=genai,
        tensor=tensor,
        pipeline=pipelines[0],
        trials=pipelines[1],
        prompts=Prompts(tokenizer, pieces, {*names} - {""}, _FILL if fills else None),
        shown=[b"" if token in control else piece for token, piece in enumerate(pieces)],
        pieces=pieces,
        ends=ends,
        loaded=OpenvinoLoaded(
            context_tokens=context,
            chat_template=bool(template),
            knows_tools="tools" in template,
            knows_calls="tool_calls" in template,
            fill_in_the_middle=fills,
            begin_text=str(begin or end),
        ),
    )
