"""What can be counted about a question and its answer without understanding them.

All of it is a signal, nothing decides: expressions find the plain forms of personal data and of prompt
injection and miss the others. A prompt is defended by its structure, not by these.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from components.shared.metrics.metric import LANGUAGES

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

#: Characters of a text that are looked at; what is longer costs no more.
LONGEST = 20_000

#: Letters below which a language is a guess, and probability below which it is none.
LETTERS, SURE = 12, 0.7

#: Characters that a language is told from.
SPOKEN = 1_000

#: Share of a sentence's content words that one chunk has to hold to support it.
SUPPORTED = 0.6

#: Letters of a content word.
CONTENT = 4

#: A run of digits is no card number below the shortest in use.
CARD_DIGITS = 13


def _luhn(text: str) -> bool:
    """Whether digits pass the check of card numbers (ISO/IEC 7812)."""
    digits = [int(one) for one in reversed(text) if one.isdigit()]
    doubled = [sum(divmod(2 * one, 10)) for one in digits[1::2]]
    return len(digits) >= CARD_DIGITS and len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _iban(text: str) -> bool:
    """Whether a text passes the check of account numbers (ISO 13616)."""
    plain = text.replace(" ", "")
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(one, 36)) for one in turned)) % 97 == 1


def _address(text: str) -> bool:
    """Whether the four numbers of an IP address are in range."""
    return all(int(part) < 256 for part in text.split("."))  # noqa: PLR2004


def _any(text: str) -> bool:
    return bool(text)


#: Kind to its expression and a check of what it finds; earlier kinds are found first. Each expression begins
#: with a character class, which the engine looks for fastest, and looks behind only then; the one of mail
#: addresses reads every run of letters once (`++`), so that no text costs more than its length.
PERSONAL: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "email": (
        re.compile(r"[\w.+-](?<![\w.+-]{2})(?:[\w.+-]*+@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b)+", re.ASCII),
        _any,
    ),
    "iban": (re.compile(r"[A-Z](?<!\w.)[A-Z]\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"), _iban),
    "card": (re.compile(r"\d(?<![\d.-].)(?:[ -]?\d){12,18}(?![\d.-])"), _luhn),
    "ip_address": (re.compile(r"\d(?<![\d.].)\d{0,2}(?:\.\d{1,3}){3}(?![\d.])"), _address),
    "phone": (
        re.compile(
            r"[+0](?:(?<=\+)|(?<=0)0)(?<![\w+]\+)(?<![\w+]00)[1-9]\d{0,2}(?:[ ./()-]{0,2}\d{2,4}){2,5}(?!\w)"
        ),
        _any,
    ),
}

_INJECTION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|system)\b.{0,30}"
    r"\b(?:instruction|prompt|rule|guideline|message)s?\b"
    r"|\b(?:reveal|print|show|repeat|output)\b.{0,30}\b(?:system|hidden|initial|secret)\s+(?:prompt|message|instructions?)"
    r"|\byou are (?:now|no longer)\b.{0,40}\b(?:dan|unrestricted|jailbroken|assistant|ai)\b"
    r"|\bdeveloper mode\b|\bjailbreak\b|<\|(?:im_start|im_end|system|user|assistant)\|>",
    re.IGNORECASE | re.DOTALL,
)

_REFUSAL = re.compile(
    r"\b(?:i (?:can(?:no|')t|can not|won't|will not|do(?:n't| not) know)"
    r"|i(?:'m| am) (?:not able|unable) to|i(?:'m| am) sorry,? but|as an ai\b"
    r"|(?:the )?(?:context|excerpts?|documentation|documents?) do(?:es)?(?:n't| not) "
    r"(?:say|mention|contain|cover|answer|provide))",
    re.IGNORECASE,
)

#: An answer declines at its start; what it says no to later is its subject.
REFUSAL_START = 200

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?(?:\s*\[\d{1,2}\])*")
_MARK = re.compile(r"\[(\d{1,2})\]")
_WORD = re.compile(r"\w+")


def personal_data(text: str) -> dict[str, int]:
    """How often personal data of each kind is found; kinds that are not found are left out."""
    found: dict[str, int] = {}
    _replaced(text[:LONGEST], found)
    return found


def redacted(text: str) -> str:
    """The text with every find of personal data replaced by its kind: `[email]`."""
    return _replaced(text, {})


def _replaced(text: str, found: dict[str, int]) -> str:
    for kind, (pattern, check) in PERSONAL.items():

        def mark(match: re.Match[str], kind: str = kind, check: Callable[[str], bool] = check) -> str:
            if not check(match.group()):
                return match.group()
            found[kind] = found.get(kind, 0) + 1
            return f"[{kind}]"

        if kind != "email" or "@" in text:
            text = pattern.sub(mark, text)
    return text


def injection(text: str) -> bool:
    """Whether a text holds a plain form of prompt injection."""
    return _INJECTION.search(text[:LONGEST]) is not None


def refusal(answer: str) -> bool:
    """Whether an answer declines: its first sentences say that it cannot, will not or does not know."""
    return _REFUSAL.search(answer[:REFUSAL_START]) is not None


@lru_cache(maxsize=1)
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language(text: str) -> str:
    """ISO 639-1 code of a text's language: one of `LANGUAGES`, `other`, or `unknown` where it is a guess.

    By py3langid (Lui & Baldwin 2012, langid.py), on the first characters.
    """
    start = text[:SPOKEN]
    if sum(map(str.isalpha, start)) < LETTERS:
        return "unknown"
    code, chance = _identifier().classify(start)
    if chance < SURE:
        return "unknown"
    return code if code in LANGUAGES else "other"


def citation_coverage(answer: str, chunks: Sequence[str]) -> float | None:
    """Share of an answer's sentences that a chunk in its prompt supports; None where it has no sentence.

    A sentence is supported where it cites a chunk by its number, `[1]`, or where one chunk holds at least
    60 % of its words of four letters and more. Sentences without such a word do not count.
    """
    known = [_words(chunk) for chunk in chunks]
    supported = counted = 0
    for found in _SENTENCE.finditer(answer[:LONGEST]):
        sentence = found.group()
        words = _words(sentence)
        if not words:
            continue
        counted += 1
        marks = [int(mark) for mark in _MARK.findall(sentence)]
        if any(1 <= mark <= len(chunks) for mark in marks):
            supported += 1
        else:
            best = max((len(words & chunk) for chunk in known), default=0)
            supported += best >= SUPPORTED * len(words)
    return supported / counted if counted else None


def _words(text: str) -> set[str]:
    return {word for word in map(str.lower, _WORD.findall(text)) if len(word) >= CONTENT}
