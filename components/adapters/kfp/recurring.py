"""Recurring runs of Kubeflow Pipelines: brought to what is wanted, never missing in between."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.adapters.kfp.access import PATIENCE
from components.adapters.kfp.server import KfpServer, Uploaded, reference

#: Description of a recurring run of the list, which may be removed, and of one that a person asked for.
MANAGED = "Kept by twinstack; what is changed by hand is undone."
ASKED = "Made by `twin submit --cron`."

#: Items a page.
PAGE = 100


@dataclass(frozen=True)
class Schedule:
    """A recurring run as it is wanted.

    Attributes:
        cron: Six fields, seconds first.
        managed: Whether it is removed when it leaves the list.
    """

    name: str
    cron: str
    uploaded: Uploaded
    arguments: Mapping[str, Any]
    service_account: str
    enabled: bool = True
    managed: bool = True


class Recurring:
    """The recurring runs of the server's experiment.

    Raises:
        PipelinesError: From every method: the server refuses, or does not answer.
    """

    def __init__(self, server: KfpServer) -> None:
        self.server = server
        self.access = server.access
        self.api = self.access.models.RecurringRunServiceApi(self.access.client)

    def bring(self, wanted: Schedule) -> tuple[str, str]:
        """Bring one to what is wanted; its id, and `created`, `updated` or `unchanged`.

        The API cannot change one: the new is made before the old is deleted, so a schedule is never missing.
        What a killed submission left twice is deleted by the next.
        """
        there = [one for one in self.listed() if one.display_name == wanted.name]
        same = [one for one in there if _is(one, wanted)]
        kept = str(same[0].recurring_run_id) if same else self._create(wanted)
        for one in there:
            if one.recurring_run_id != kept:
                self.delete(one.recurring_run_id)
        return kept, "unchanged" if same else "updated" if there else "created"

    def prune(self, names: set[str]) -> list[str]:
        """Delete those of the list that are not among the names any more; their names."""
        old = [one for one in self.listed() if one.description == MANAGED and one.display_name not in names]
        for one in old:
            self.delete(one.recurring_run_id)
        return sorted(one.display_name for one in old)

    def listed(self) -> list[Any]:
        """All of them."""
        return [one for page in self._pages() for one in page.recurring_runs or ()]

    def delete(self, recurring: str) -> None:
        """Delete one; runs that it started stay."""
        with self.access.asking(f"delete recurring run {recurring}"):
            self.api.recurring_run_service_delete_recurring_run(recurring, _request_timeout=PATIENCE)

    def _pages(self) -> Iterator[Any]:
        token = ""
        while True:
            with self.access.asking("list recurring runs"):
                answer = self.api.recurring_run_service_list_recurring_runs(
                    page_token=token,
                    page_size=PAGE,
                    experiment_id=self.server.experiment,
                    _request_timeout=PATIENCE,
                )
            yield answer
            token = answer.next_page_token or ""
            if not token:
                return

    def _create(self, wanted: Schedule) -> str:
        models = self.access.models
        body = models.V2beta1RecurringRun(
            display_name=wanted.name,
            description=_description(wanted),
            experiment_id=self.server.experiment,
            pipeline_version_reference=reference(models, wanted.uploaded),
            runtime_config=models.V2beta1RuntimeConfig(parameters=dict(wanted.arguments)),
            trigger=models.V2beta1Trigger(cron_schedule=models.V2beta1CronSchedule(cron=wanted.cron)),
            mode=models.RecurringRunMode.ENABLE if wanted.enabled else models.RecurringRunMode.DISABLE,
            # One at a time, and missed times are not made up for: a stage sees everything new at once.
            max_concurrency="1",
            no_catchup=True,
            service_account=wanted.service_account,
        )
        with self.access.asking(f"make recurring run {wanted.name}"):
            made = self.api.recurring_run_service_create_recurring_run(body, _request_timeout=PATIENCE)
        return str(made.recurring_run_id)


def _description(wanted: Schedule) -> str:
    return MANAGED if wanted.managed else ASKED


def _is(there: Any, wanted: Schedule) -> bool:
    """Whether a recurring run is what is wanted."""
    version, trigger, run = there.pipeline_version_reference, there.trigger, there.runtime_config
    found = (
        version.pipeline_version_id if version else None,
        trigger.cron_schedule.cron if trigger and trigger.cron_schedule else None,
        (run.parameters or {}) if run else None,
        there.service_account or "",
        there.status,
        there.description,
    )
    status = "ENABLED" if wanted.enabled else "DISABLED"
    return found == (
        wanted.uploaded.version_id,
        wanted.cron,
        dict(wanted.arguments),
        wanted.service_account,
        status,
        _description(wanted),
    )
