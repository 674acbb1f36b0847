"""Parts of the local predictor: text of growing tokens, and the choice of a token."""

import pytest
import torch
from tokenizers import ByteLevelBPETokenizer
from transformers.generation.logits_process import TopPLogitsWarper

from components.serving.llm.local import WINDOW, Decoder
from components.serving.llm.sampling import GREEDY, SEEDS, SeededChoice, TopP, seed_at, settings
from components.shared.generation import Parameters

TEXT = "Grüße, 你好 and 🙂🙂 to all: " + "one two three, four. " * 12


@pytest.fixture(scope="module")
def tokenizer() -> ByteLevelBPETokenizer:
    made = ByteLevelBPETokenizer()
    made.train_from_iterator([TEXT], vocab_size=300)
    return made


def fed(decoder: Decoder, tokens: list[int]) -> list[str]:
    return [decoder.feed(tokens[:count], last=count == len(tokens)) for count in range(1, len(tokens) + 1)]


def test_pieces_make_the_whole_text_and_no_half_character(tokenizer: ByteLevelBPETokenizer) -> None:
    tokens = tokenizer.encode(TEXT).ids
    assert len(tokens) > 3 * WINDOW
    pieces = fed(Decoder(tokenizer.decode, ()), tokens)
    assert "".join(pieces) == TEXT
    assert not any("\ufffd" in one for one in pieces)


def test_a_piece_late_in_an_answer_decodes_few_tokens(tokenizer: ByteLevelBPETokenizer) -> None:
    sizes: list[int] = []

    def decode(tokens: list[int]) -> str:
        sizes.append(len(tokens))
        return str(tokenizer.decode(tokens))

    fed(Decoder(decode, ()), tokenizer.encode(TEXT * 3).ids)
    # Half characters put a settlement off by some tokens.
    assert max(sizes) <= 2 * WINDOW + 8


def test_a_stop_text_over_the_edge_of_a_window_is_found(tokenizer: ByteLevelBPETokenizer) -> None:
    tokens = tokenizer.encode(TEXT).ids
    edge = len(tokenizer.decode(tokens[: 2 * WINDOW]))
    stop = TEXT[edge - 4 : edge + 4]
    decoder = Decoder(tokenizer.decode, (stop,))
    pieces = []
    for count in range(1, len(tokens) + 1):
        pieces.append(decoder.feed(tokens[:count], last=False))
        if decoder.stopped:
            break
    assert "".join(pieces) == TEXT[: TEXT.index(stop)]


def chosen(scores: torch.Tensor, seeds: list[int]) -> list[int]:
    return SeededChoice()(scores.clone(), torch.tensor(seeds, dtype=torch.int32)).argmax(-1).tolist()


def test_rows_without_a_seed_take_the_likeliest_token() -> None:
    scores = torch.randn(3, 1000)
    assert chosen(scores, [GREEDY] * 3) == scores.argmax(-1).tolist()


def test_a_row_is_drawn_alike_alone_and_among_others() -> None:
    scores = torch.randn(1, 1000).expand(3, 1000)
    assert chosen(scores, [GREEDY, 7, 8])[1:] == chosen(scores[1:], [7, 8])


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    draws = 4000
    shares = torch.tensor([0.5, 0.3, 0.15, 0.05, 0.0])
    found = chosen(shares.log().expand(draws, 5), [seed_at(1, one) for one in range(draws)])
    # Four standard errors of the likeliest token.
    assert (torch.bincount(torch.tensor(found), minlength=5) / draws - shares).abs().max() < 4 * 0.008


def test_top_p_touches_only_the_rows_that_ask() -> None:
    scores = torch.tensor([[0.6, 0.3, 0.1]]).log().expand(2, 3)
    cut = TopP(TopPLogitsWarper(1.0))(scores.clone(), torch.tensor([1.0, 0.5]).view(torch.int32))
    assert torch.equal(cut[0], scores[0])
    assert torch.isfinite(cut[1]).tolist() == [True, False, False]


def test_no_temperature_means_no_noise() -> None:
    for cold in (0.0, 1e-40):
        assert settings(Parameters(1, temperature=cold, top_p=0.1, seed=3), 3)["seed"] == GREEDY
    assert settings(Parameters(1, temperature=0.7), SEEDS + 3) == {
        "temperature": 0.7,
        "top_p": 1.0,
        "seed": 3,
    }
