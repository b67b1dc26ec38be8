"""How networks are opened in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import onnxruntime


def cpu_session(model: Path | bytes, *, threads: int = 1, memory_patterns: bool = True) -> onnxruntime.InferenceSession:
    """A session of a file or a serialised model on the processor. Raises ONNX Runtime's errors.

    With one thread the caller's thread does the work: models that run beside live conversations leave the other cores
    to them. More threads sleep when idle: spinning costs a third more processor time, which the language model needs.
    ``memory_patterns`` are planned for one input length; models whose inputs all differ go without. Of what the runtime
    says only errors are printed.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = memory_patterns
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
