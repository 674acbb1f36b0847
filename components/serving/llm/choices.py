"""Several answers to one prompt: generated together, collected by number."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from components.serving.llm.predictor import Delta, Finish, Parameters

#: One answer to the prompt, by parameters of its own.
Start = Callable[[Parameters], AsyncGenerator[Delta, None]]


@dataclass
class Collected:
    """What has come of the answers so far.

    Attributes:
        choices: How many answers there are.
        texts: Text by choice.
        finishes: Why each choice ended, where it has.
        prompt_tokens: Tokens of the prompt.
        completion_tokens: Tokens generated, of all choices.
    """

    choices: int
    texts: list[str] = field(init=False)
    finishes: dict[int, Finish] = field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __post_init__(self) -> None:
        """Begin with nothing said."""
        self.texts = [""] * self.choices

    def take(self, delta: Delta) -> None:
        """Add a piece."""
        self.texts[delta.choice] += delta.text
        self.prompt_tokens, self.completion_tokens = delta.prompt_tokens, delta.completion_tokens
        if delta.finish is not None:
            self.finishes[delta.choice] = delta.finish

    @property
    def done(self) -> bool:
        """Whether every choice has ended."""
        return len(self.finishes) == self.choices


async def together(start: Start, parameters: Parameters) -> AsyncGenerator[Delta, None]:
    """Pieces of all choices as they come; closing the iterator stops them all.

    A given seed is that of the first choice; each further one counts up, so that the answers differ and can
    be repeated.

    Args:
        start: Begins one answer.
        parameters: Of the whole request.
    """
    pieces: asyncio.Queue[Delta | BaseException | None] = asyncio.Queue()
    counted = [0] * parameters.choices

    async def run(choice: int) -> None:
        seed = None if parameters.seed is None else parameters.seed + choice
        try:
            async with aclosing(start(replace(parameters, choices=1, seed=seed))) as own:
                async for delta in own:
                    counted[choice] = delta.completion_tokens
                    pieces.put_nowait(replace(delta, choice=choice, completion_tokens=sum(counted)))
            pieces.put_nowait(None)
        except Exception as error:
            pieces.put_nowait(error)

    tasks = [asyncio.create_task(run(choice)) for choice in range(parameters.choices)]
    try:
        left = len(tasks)
        while left:
            found = await pieces.get()
            if isinstance(found, BaseException):
                raise found
            if found is None:
                left -= 1
            else:
                yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def collected(pieces: AsyncIterator[Delta], choices: int) -> Collected:
    """All pieces, put together."""
    found = Collected(choices)
    async for delta in pieces:
        found.take(delta)
    return found
