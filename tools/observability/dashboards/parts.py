"""What the dashboards are put together from: queries out of the metric table, panels, rows, variables."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from grafana_foundation_sdk.builders import dashboard, prometheus, timeseries
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    GraphTresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

from components.shared.metrics.metric import Metric
from components.shared.metrics.requests import RELEASE_INFO
from tools.observability import promql
from tools.observability.promql import max_by, select, series, sum_by

#: Width of a dashboard and height of a panel, in Grafana's units.
WIDTH, HEIGHT = 24, 8

TAG = "twinstack"

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

#: Grafana puts in a window of several scrapes.
WINDOW = "$__rate_interval"


@dataclass(frozen=True)
class Query:
    """One line, or family of lines, of a panel."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One graph.

    Attributes:
        title: A few words.
        description: What it shows and when to worry.
        unit: Grafana's name of the unit: `reqps`, `s`, `percentunit`, `short`.
        queries: What is drawn.
        limit: Drawn as a line: what lies above it wants a look. An objective of the site is a query instead.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    limit: float | None = None


@dataclass(frozen=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Board:
    """One dashboard.

    Attributes:
        name: Of its file and in its address.
        title: As people see it.
        description: Which question it answers.
        rows: Its content.
    """

    name: str
    title: str
    description: str
    rows: Sequence[Row]


def chosen(metric: Metric, end: str = "", **labels: str) -> str:
    """A selector that the dashboard's variables narrow."""
    narrowed = {"namespace": "=~$namespace"}
    if "twin" in metric.labels:
        narrowed["twin"] = "=~$twin"
    return select(metric, end, **labels, **narrowed)


def recorded(name: str) -> str:
    """A recorded series that the dashboard's variables narrow."""
    return series(name, namespace="=~$namespace", twin="=~$twin")


def objective(name: str) -> str:
    """The series of an objective, in the namespaces that the dashboard's variable names."""
    return series(name, namespace="=~$namespace")


def zero() -> str:
    """0 for each twin that is served: what a counter that never rose is worth."""
    return f"0 * {largest(RELEASE_INFO)}"


def per_second(metric: Metric, *labels: str, end: str = "", **chosen_by: str) -> str:
    """Rate of a counter that has risen, by twin and labels."""
    return sum_by(promql.rate(chosen(metric, end, **chosen_by), WINDOW), "twin", *labels)


def seldom(metric: Metric, *labels: str, **chosen_by: str) -> str:
    """Rate of a counter that may never have risen: 0 where there is no series."""
    return f"{per_second(metric, *labels, **chosen_by)} or {zero()}"


def largest(metric: Metric, *labels: str) -> str:
    """A gauge, by twin and labels: the largest of all replicas."""
    return max_by(chosen(metric), "twin", *labels)


def line(of: Callable[..., str], metric: Metric, *labels: str) -> Query:
    """What `of` says of a metric by twin and labels, named by them."""
    return Query(of(metric, *labels), " ".join(f"{{{{{name}}}}}" for name in ("twin", *labels)))


def quantile(share: float, metric: Metric, *labels: str) -> str:
    """Quantile of a histogram, by twin and labels."""
    buckets = sum_by(promql.rate(chosen(metric, "bucket"), WINDOW), "le", "twin", *labels)
    return f"histogram_quantile({share}, {buckets})"


def quantiles(metric: Metric, legend: str = "{{twin}}", *labels: str) -> tuple[Query, Query]:
    """Median and 99th percentile."""
    return (
        Query(quantile(0.5, metric, *labels), f"{legend} p50"),
        Query(quantile(0.99, metric, *labels), f"{legend} p99"),
    )


def average(metric: Metric, *labels: str) -> str:
    """Mean of a histogram, by twin and labels."""
    total, count = per_second(metric, *labels, end="sum"), per_second(metric, *labels, end="count")
    return f"{total} / ({count} > 0)"


def _panel(panel: Panel, width: int) -> timeseries.Panel:
    made = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.description)
        .datasource(SOURCE)
        .unit(panel.unit)
        .min(0)
        .height(HEIGHT)
        .span(width)
        .fill_opacity(8)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )
    if panel.limit is not None:
        steps = [Threshold(color="transparent"), Threshold(value=panel.limit, color="red")]
        made = made.thresholds(
            dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
        ).thresholds_style(GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.LINE))
    for number, query in enumerate(panel.queries):
        made = made.with_target(
            prometheus.Dataquery()
            .expr(query.expr)
            .legend_format(query.legend)
            .ref_id(chr(ord("A") + number))
            .datasource(SOURCE)
        )
    return made


def _variables(board: dashboard.Dashboard) -> dashboard.Dashboard:
    board = board.with_variable(
        dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
    )
    for name, narrowed in (("namespace", select(RELEASE_INFO)), ("twin", _of_namespace())):
        board = board.with_variable(
            dashboard.QueryVariable(name)
            .label(name.capitalize())
            .datasource(SOURCE)
            .query(f"label_values({narrowed}, {name})")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
            .all_value(".*")
        )
    return board


def _of_namespace() -> str:
    return select(RELEASE_INFO, namespace="=~$namespace")


def to_json(board: Board) -> str:
    """A dashboard as Grafana reads it."""
    made = (
        dashboard.Dashboard(f"Twinstack: {board.title}")
        .uid(f"twinstack-{board.name}")
        .description(board.description)
        .tags([TAG])
        .time("now-6h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("Twinstack")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
    )
    made = _variables(made)
    ids = count(1)
    for row in board.rows:
        made = made.with_row(dashboard.Row(row.title).id(next(ids)))
        for panel in row.panels:
            made = made.with_panel(_panel(panel, WIDTH // min(len(row.panels), 3)).id(next(ids)))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"
