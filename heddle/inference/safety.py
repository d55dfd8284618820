"""Find the safety sentences of a guide, so that an answer never comes without them.

A sentence is a safety sentence if it contains a warning sign (⚠, ☠) or a cue of :data:`CUES`: a word for a hazard, for
protection or for caution, or a prohibition.

The rule prefers recall: a superfluous sentence costs a line, a missing one can cost a finger. It has cues of English,
German, French and Spanish. In other languages it finds warning signs only, and a hazard that is described without a cue
is missed.
"""

import re
from collections.abc import Mapping

CUES: Mapping[str, str] = {
    "en": r"""
        warning\w* caution\w* attention danger\w* hazard\w* risk\w* unsafe safety safely beware careful\w* mind\s
        toxic\w* poison\w* harmful flammable inflammable explo[ds]\w* corrosive caustic fumes? asbestos splinters?
        sharp burns? scald\w* injur\w* hurt\w* chok\w* electrocut\w* electric\sshock shocks? live\swires? unplug\w*
        wear protect\w* gloves? goggles masks? respirators? ventilat\w* open\sa\swindow never do\snot don\W?t
        must\snot avoid\w* out\sof\sreach keep\s(?:\w+\s){0,3}(?:away|dry|clear|closed)
        (?:hidden|inconspicuous)\s(?:spot|area|place)
    """,
    "de": r"""
        warnung\w* achtung vorsicht\w* gefahr\w* gefähr\w* risik\w* sicherheit\w* giftig\w* schädlich\w* brennbar\w*
        entzündlich\w* explo\w* ätzend\w* dämpfe asbest splitter scharf\w* verbrenn\w* verletz\w* ersticken stromschlag
        netzstecker schutz\w* handschuhe? maske lüften niemals nie nicht
    """,
    "fr": r"""
        avertissement\w* attention prudence prudent\w* danger\w* risque\w* sécurité toxique\w* poison\w* nocif\w*
        nocive\w* inflammable\w* explos\w* corrosi\w* vapeurs amiante échardes? tranchante?s? coupante?s? brûl\w*
        bless\w* débranche\w* protég\w* protection gants? masque aére\w* jamais ne\s\w+\spas
    """,
    "es": r"""
        advertencia\w* atención precauci\w* cuidado peligr\w* riesgo\w* seguridad tóxic\w* venenos\w* nociv\w*
        inflamable\w* explosi\w* corrosiv\w* vapores amianto astillas? afilad\w* quemadura\w* herid\w* desenchuf\w*
        protec\w* guantes? mascarilla gafas ventil\w* nunca
    """,
}
"""Language to its cues: regular expressions of whole words, without regard to case."""

_CUE = re.compile(
    rf"[⚠☠]|\b(?:{'|'.join(cue for cues in CUES.values() for cue in cues.split())})(?:\b|(?<=\s))", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n")  # noqa: RUF001, full-width punctuation is meant
_NUMBER = re.compile(r"^(?:\(?\d+[.)]|[-*•])\s*")


def find_safety_sentences(text: str) -> list[str]:
    """The safety sentences of a guide's text, in their order, each once, without the numbers of steps."""
    sentences = (_NUMBER.sub("", part.strip()) for part in _SENTENCE_END.split(text))
    return list(dict.fromkeys(sentence for sentence in sentences if _CUE.search(sentence)))
