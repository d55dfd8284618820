"""The special tokens that every tokenizer of the project shares, and the frame that CLIP puts around a text."""

from tokenizers import Tokenizer, normalizers, processors

PAD, START, END, UNKNOWN = "<|pad|>", "<|start|>", "<|end|>", "<|unknown|>"
SPECIAL_TOKENS = (PAD, START, END, UNKNOWN)
"""In this order, from id 0 on; ``<|unknown|>`` stands for missing words, since bytes leave no text unknown."""


def make_lowercase_tokenizer(tokenizer: Tokenizer) -> Tokenizer:
    """A copy that lowers the case, and neither frames, cuts nor pads.

    Case says little about a listing, and a small catalogue has few examples of each token (CLIP lowers it as well).
    """
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    return copy


def make_framed_tokenizer(tokenizer: Tokenizer, context: int) -> Tokenizer:
    """A lowered copy that puts start and end around a text, cuts it to ``context`` tokens and pads a batch."""
    copy = make_lowercase_tokenizer(tokenizer)
    start, end, pad = (copy.token_to_id(token) for token in (START, END, PAD))
    copy.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, start), (END, end)]
    )
    copy.enable_truncation(context)
    copy.enable_padding(pad_id=pad, pad_token=PAD)
    return copy
