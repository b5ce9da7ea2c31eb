"""Pause a company file and go on."""

from typing import Literal

import typer

from cli.context import OnlyCompany, connected, only_company
from cli.output import GOOD
from cli.paths import segment


def pause(context: typer.Context, company: OnlyCompany = None) -> None:
    """Stop fetching for and writing to a company file; what webhooks bring is kept."""
    _switch(context, company, "pause")


def resume(context: typer.Context, company: OnlyCompany = None) -> None:
    """Go on fetching for and writing to a company file."""
    _switch(context, company, "resume")


def _switch(context: typer.Context, company: str | None, action: Literal["pause", "resume"]) -> None:
    with connected(context) as (api, output):
        company_id = segment(only_company(api, company))
        settings = api.post(f"/v1/companies/{company_id}/{action}")
        if action == "resume":
            api.post(f"/v1/companies/{company_id}/lane/resume")
        if output.as_json:
            output.json(settings)
            return
        output.line(f"{settings['name']} is {'paused' if settings['paused'] else 'not paused'}", GOOD)
