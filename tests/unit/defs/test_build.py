"""The definitions load, and the graph is the one that is on record."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.dependency import NodeHandle

from pipeline.defs.build import build_definitions
from pipeline.desk.dimensions import DIMENSIONS
from pipeline.lake.tables import BY_NAME

ON_RECORD = Path(__file__).with_name("assets.txt")


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions()


def graph(definitions: dg.Definitions) -> str:
    """One line per asset: key, partitions, and what it is made from."""
    lines = []
    for node in definitions.resolve_asset_graph().asset_nodes:
        parents = ", ".join(sorted(key.to_user_string() for key in node.parent_keys)) or "the provider"
        calendar = {"Daily": " (by day)", "Monthly": " (by month)"}.get(
            type(node.partitions_def).__name__.removesuffix("PartitionsDefinition"), ""
        )
        lines.append(f"{node.key.to_user_string()}{calendar} <- {parents}")
    return "\n".join(sorted(lines)) + "\n"


def test_definitions_load(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_the_module_that_dagster_loads_holds_them() -> None:
    from pipeline.definitions import defs

    assert graph(defs) == ON_RECORD.read_text(encoding="utf-8")


def test_every_asset_says_what_it_is_and_whose(definitions: dg.Definitions) -> None:
    silent = [
        spec.key.to_user_string()
        for spec in definitions.resolve_all_asset_specs()
        if not (spec.description and spec.owners and spec.kinds and spec.group_name == spec.key.path[0])
    ]

    assert silent == []


def test_every_landed_and_rated_asset_is_a_table(definitions: dg.Definitions) -> None:
    keys = {spec.key.to_user_string() for spec in definitions.resolve_all_asset_specs()}

    assert {key for key in keys if key.split("/")[0] not in ("render", "measure")} - set(BY_NAME) == set()


def test_everything_runs_in_one_process(definitions: dg.Definitions) -> None:
    jobs = ("poll", "land", "around", "rate", "bill")

    assert {definitions.resolve_job_def(job).executor_def.name for job in jobs} == {"in_process"}


def test_nothing_runs_by_itself_in_a_clone(definitions: dg.Definitions) -> None:
    assert {s.name: s.default_status.value for s in definitions.schedules or ()} == {
        "hourly": "STOPPED",
        "daily": "STOPPED",
        "surroundings": "STOPPED",
    }


def test_days_and_months_back_to_the_first_record_are_partitions(definitions: dg.Definitions) -> None:
    rate, bill = definitions.resolve_job_def("rate"), definitions.resolve_job_def("bill")

    assert "2015-01-01" in rate.partitions_def.get_partition_keys()
    assert "2015-01-01" in bill.partitions_def.get_partition_keys()


@pytest.mark.parametrize(
    ("job", "steps"),
    [
        ("poll", {"land__calls", "land__messages", "check_land_calls", "check_land_messages"}),
        ("around", {f"land__{resource}" for resource in DIMENSIONS}),
        ("rate", {"rate_days", "roll_up", "measure__signals", "check_rate_calls", "check_rate_messages"}),
    ],
)
def test_a_job_holds_its_steps_and_no_more(definitions: dg.Definitions, job: str, steps: set[str]) -> None:
    assert {node.name for node in definitions.resolve_job_def(job).graph.nodes} == steps


def test_an_hourly_poll_leaves_out_the_checks_that_read_everything(definitions: dg.Definitions) -> None:
    poll = definitions.resolve_job_def("poll")
    checks = {key.name for node in poll.graph.nodes for key in checked(poll, node.name)}

    assert checks == {"calls_bookmark", "messages_bookmark"}


def checked(job: dg.JobDefinition, step: str) -> set[dg.AssetCheckKey]:
    held = job.asset_layer.get_selected_entity_keys_for_node(NodeHandle(step, parent=None))
    return {key for key in held if isinstance(key, dg.AssetCheckKey)}
