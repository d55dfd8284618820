"""Special tokens of the project's tokenizers, and the tokenizer variants of the models."""

from tokenizers import Tokenizer, normalizers, processors

PAD, START, END, UNKNOWN = "<|pad|>", "<|start|>", "<|end|>", "<|unknown|>"
SPECIAL_TOKENS = (PAD, START, END, UNKNOWN)
"""In the order of their ids, from 0. ``<|unknown|>`` marks missing words; byte-level encoding itself needs none."""


def make_lowercase_tokenizer(tokenizer: Tokenizer) -> Tokenizer:
    """Copy a tokenizer and let it lowercase texts, without special tokens, truncation and padding.

    Case matters little in listings, and a small catalogue has few examples per token. CLIP lowercases texts as well.
    """
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    return copy


def make_framed_tokenizer(tokenizer: Tokenizer, context: int) -> Tokenizer:
    """Copy a tokenizer and let it lowercase, add start and end, truncate to ``context`` tokens and pad."""
    copy = make_lowercase_tokenizer(tokenizer)
    start, end, pad = (copy.token_to_id(token) for token in (START, END, PAD))
    copy.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, start), (END, end)]
    )
    copy.enable_truncation(context)
    copy.enable_padding(pad_id=pad, pad_token=PAD)
    return copy
