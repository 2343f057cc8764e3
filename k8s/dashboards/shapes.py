"""The kinds of panels that the dashboards are made of, in one look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphGradientMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
TAG = "fiscal-worker"
#: Good below the first figure, doubtful from it on, bad from the second.
Limits = tuple[float, float]
#: PromQL and the name of its series, which may hold {{labels}}.
Query = tuple[str, str]


def board(uid: str, title: str, description: str) -> dashboard.Dashboard:
    """An empty dashboard with the variables and links that all have."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .refresh("1m")
        .time("now-6h", "now")
        .timezone("browser")
        .link(
            dashboard.DashboardLink("Fiscal worker")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .include_vars(True)
            .keep_time(True)
        )
        .with_variable(
            dashboard.DatasourceVariable("datasource")
            .label("Data source")
            .type("prometheus")
            .current(VariableOption(text="Prometheus", value="prometheus"))
        )
        .with_variable(_choice("job", "fiscal_build_info").label("Deployment"))
    )


def by_integration(board: dashboard.Dashboard) -> dashboard.Dashboard:
    """The same with a choice of integrations, for panels over what is counted by integration."""
    known = '{__name__=~"fiscal_requests_total|fiscal_integration_findings",job=~"$job"}'
    return board.with_variable(
        _choice("integration", known)
        .label("Integration")
        .description("Panels that follow it say so; all others show the whole deployment.")
    )


def _choice(label: str, series: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(label)
        .datasource(SOURCE)
        .query(f"label_values({series}, {label})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)
        .include_all(True)
        .all_value(".*")
    )


def stat_panel(
    title: str,
    description: str,
    query: str,
    *,
    unit: str = "short",
    limits: Limits | None = None,
    bad_below: Limits | None = None,
    decimals: int | None = None,
    nothing: str = "unknown",
    width: int = 4,
) -> stat.Panel:
    """A big number. ``limits``: bad from there on; ``bad_below``: bad under it, then doubtful."""
    panel = (
        stat.Panel()
        .title(title)
        .description(_about(description, [(query, title)]))
        .datasource(SOURCE)
        .with_target(_target("A", (query, title), instant=True))
        .unit(unit)
        .no_value(nothing)
        .thresholds(_thresholds(limits, bad_below))
        .color_mode(BigValueColorMode.BACKGROUND if limits or bad_below else BigValueColorMode.NONE)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .height(4)
        .span(width)
    )
    return panel if decimals is None else panel.decimals(decimals)


def series_panel(
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    unit: str = "short",
    stacked: bool = False,
    width: int = 8,
) -> timeseries.Panel:
    """Lines over time, or areas on top of each other."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(_about(description, queries))
        .datasource(SOURCE)
        .targets([_target(chr(ord("A") + index), query) for index, query in enumerate(queries)])
        .unit(unit)
        .min(0)
        .fill_opacity(35 if stacked else 10)
        .gradient_mode(GraphGradientMode.OPACITY)
        .show_points(VisibilityMode.NEVER)
        .line_width(1 if stacked else 2)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .height(8)
        .span(width)
    )
    return panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A")) if stacked else panel


def bars_panel(
    title: str,
    description: str,
    query: Query,
    *,
    unit: str = "short",
    width: int = 8,
    limits: Limits | None = None,
) -> bargauge.Panel:
    """A bar for each label's value, over the time that is shown."""
    return (
        bargauge.Panel()
        .title(title)
        .description(_about(description, [query]))
        .datasource(SOURCE)
        .with_target(_target("A", query, instant=True))
        .unit(unit)
        .min(0)
        .decimals(0)
        .no_value("none")
        .thresholds(_thresholds(limits, None))
        .orientation(VizOrientation.HORIZONTAL)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .height(8)
        .span(width)
    )


def _about(description: str, queries: Sequence[Query]) -> str:
    """With a word on what follows the chosen integrations."""
    following = [legend for expression, legend in queries if "$integration" in expression]
    if not following:
        return description
    of = "" if len(following) == len(queries) else f": {', '.join(following)}"
    return f"{description} Of the chosen integrations{of}."


def _target(ref: str, query: Query, instant: bool = False) -> prometheus.Dataquery:
    expression, legend = query
    target = prometheus.Dataquery().ref_id(ref).expr(expression).legend_format(legend).datasource(SOURCE)
    return target.instant() if instant else target.range()


def _thresholds(limits: Limits | None, bad_below: Limits | None) -> dashboard.ThresholdsConfig:
    steps: Iterable[tuple[float | None, str]] = [(None, "green")]
    if limits:
        steps = [(None, "green"), (limits[0], "orange"), (limits[1], "red")]
    if bad_below:
        steps = [(None, "red"), (bad_below[0], "orange"), (bad_below[1], "green")]
    thresholds = [Threshold(value, color) for value, color in steps]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(thresholds)
