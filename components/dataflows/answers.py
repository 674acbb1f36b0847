"""How close an answer is to its reference: token F1 (Rajpurkar et al. 2016, SQuAD)."""

import re
import string
from collections import Counter

ARTICLES = re.compile(r"\b(a|an|the)\b")
#: Marks such as [1] cite an excerpt; they are no part of what is said.
CITATION = re.compile(r"\[\d+\]")
PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation, " "))


def normalised(text: str) -> list[str]:
    """Words in lower case without articles, punctuation and citation marks."""
    plain = CITATION.sub(" ", text.lower()).translate(PUNCTUATION)
    return ARTICLES.sub(" ", plain).split()


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of the shares of words that answer and reference have in common, 0 to 1."""
    said, wanted = Counter(normalised(answer)), Counter(normalised(reference))
    common = sum((said & wanted).values())
    if not common:
        return 0.0
    precision, recall = common / said.total(), common / wanted.total()
    return 2 * precision * recall / (precision + recall)
