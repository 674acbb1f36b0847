"""What the twins are used for, what people think of it, and what it costs."""

from components.shared.metrics.llm import COST, FEEDBACK
from components.shared.metrics.requests import REQUESTS
from components.shared.metrics.traffic import BUDGET_REFUSED, TOKEN_BUDGET
from tools.observability.dashboards.parts import (
    WINDOW,
    Board,
    Panel,
    Query,
    Row,
    chosen,
    line,
    per_second,
    seldom,
    zero,
)
from tools.observability.objectives import BUDGET_SHARE
from tools.observability.promql import increase, max_by, rate, sum_by
from tools.observability.slo import ANSWERING

_ANSWERS = per_second(REQUESTS, route=f"=~{ANSWERING}", code="=~2..")

USE = Row(
    "Use",
    [
        Panel(
            "Answers",
            "Answers a second, by twin.",
            "reqps",
            [Query(_ANSWERS, "{{twin}}")],
        ),
        Panel(
            "Answers of the last day",
            "How many answers were given in 24 hours.",
            "short",
            [
                Query(
                    sum_by(increase(chosen(REQUESTS, route=f"=~{ANSWERING}", code="=~2.."), "1d"), "twin"),
                    "{{twin}}",
                )
            ],
        ),
        Panel(
            "Share of a release",
            "Share of the answers by champion, canary and fallback.",
            "percentunit",
            [
                Query(
                    f"{per_second(REQUESTS, 'role', route=f'=~{ANSWERING}', code='=~2..')}"
                    f" / on (namespace, twin) group_left () ({_ANSWERS} > 0)",
                    "{{twin}} {{role}}",
                )
            ],
        ),
    ],
)

COSTS = Row(
    "Cost",
    [
        Panel(
            "Cost an hour",
            "Money an hour at the present rate, in the unit of the configuration.",
            "short",
            [Query(f"3600 * {per_second(COST)} or {zero()}", "{{twin}}")],
        ),
        Panel(
            "Cost of 1,000 answers",
            "At the present length of questions, context and answers: what another prompt, index or model "
            "changes.",
            "short",
            [Query(f"1000 * {per_second(COST)} / ({_ANSWERS} > 0) or {zero()}", "{{twin}}")],
        ),
    ],
)

OPINION = Row(
    "Feedback",
    [
        Panel(
            "Feedback",
            "Feedback a second by verdict.",
            "reqps",
            [line(seldom, FEEDBACK, "verdict")],
        ),
        Panel(
            "Positive share",
            "Positive feedback among positive and negative; 0 where there is none.",
            "percentunit",
            [
                Query(
                    f"{per_second(FEEDBACK, verdict='positive')}"
                    f" / ({per_second(FEEDBACK, verdict='=~positive|negative')} > 0) or {zero()}",
                    "{{twin}}",
                )
            ],
        ),
    ],
)

KEYS = Row(
    "Keys",
    [
        Panel(
            "Token budget spent",
            "Share of its token budget that each API key has spent. At 1 it gets 429.",
            "percentunit",
            [
                Query(
                    f"{max_by(chosen(TOKEN_BUDGET), 'key')} or on () 0 * max({zero()})",
                    "{{key}}",
                )
            ],
            limit=BUDGET_SHARE,
        ),
        Panel(
            "Refused for want of tokens",
            "Requests a second that may need more tokens than their API key has left today.",
            "reqps",
            [
                Query(
                    f"{sum_by(rate(chosen(BUDGET_REFUSED), WINDOW), 'key')} or on () 0 * max({zero()})",
                    "{{key}}",
                )
            ],
        ),
    ],
)

BOARD = Board(
    "business",
    "Business",
    "Who uses the twins, are people content, and what does it cost?",
    [USE, COSTS, OPINION, KEYS],
)
