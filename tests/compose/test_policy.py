"""What every service of docker-compose.yml keeps to, read from the file itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SERVICES = ("postgres", "mlflow", "dashboard")


@pytest.fixture(params=SERVICES)
def service(request, compose):
    return compose["services"][request.param]


def test_the_file_follows_the_compose_specification():
    checked = subprocess.run(
        [
            Path(sys.executable).with_name("check-jsonschema"),
            "--builtin-schema=vendor.compose-spec",
            REPOSITORY / "docker-compose.yml",
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout


def test_the_specification_refuses_a_misspelt_key(tmp_path):
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text("services: {a: {image: b, healthchek: {}}}")
    checker = Path(sys.executable).with_name("check-jsonschema")
    checked = subprocess.run(
        [checker, "--builtin-schema=vendor.compose-spec", wrong], check=False, capture_output=True, text=True
    )
    assert checked.returncode == 1
    assert "healthchek" in checked.stdout


def test_the_services_are_the_three(compose):
    assert tuple(compose["services"]) == SERVICES


def test_every_image_has_a_tag_that_is_not_latest(service):
    assert re.fullmatch(r"[a-z]+:[\w.\-]+(@sha256:[0-9a-f]{64})?", service["image"])
    assert not service["image"].endswith(":latest")


def test_ports_are_open_to_this_machine_only(service):
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_database_has_no_port_and_a_network_without_a_way_out(compose):
    assert "ports" not in compose["services"]["postgres"]
    assert compose["services"]["postgres"]["networks"] == ["database"]
    assert compose["networks"]["database"] == {"internal": True}


def test_the_dashboard_cannot_reach_the_database(compose):
    assert compose["services"]["dashboard"]["networks"] == ["web"]


def test_no_service_is_root_or_can_become_it(service):
    assert int(service["user"].split(":")[0]) > 0
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"cap_add", "privileged", "devices", "pid", "network_mode"}.isdisjoint(service)


def test_containers_are_read_only_but_for_temporary_files_and_named_volumes(service, compose):
    assert service["read_only"] is True
    assert any(mount.split(":")[0] == "/tmp" for mount in service["tmpfs"])
    assert {volume.split(":")[0] for volume in service["volumes"]} <= compose["volumes"].keys()


def test_logs_processes_and_memory_are_bounded(service):
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert service["pids_limit"] <= 256
    assert service["mem_limit"]


def test_every_service_says_when_it_is_healthy(service):
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()


def test_a_service_starts_when_what_it_needs_is_healthy(compose):
    needs = {name: service.get("depends_on", {}) for name, service in compose["services"].items()}
    assert needs == {
        "postgres": {},
        "mlflow": {"postgres": {"condition": "service_healthy"}},
        "dashboard": {"mlflow": {"condition": "service_healthy"}},
    }


def test_passwords_come_from_the_environment_and_have_no_default(service):
    secret = {key: value for key, value in service["environment"].items() if "PASSWORD" in key}
    assert set(secret.values()) <= {"${POSTGRES_PASSWORD:?set it in .env}"}
    assert "PASSWORD" not in " ".join([*service["command"], *service["healthcheck"]["test"]])


def test_the_example_environment_names_every_variable_and_sets_none():
    text = (REPOSITORY / "docker-compose.yml").read_text()
    example = (REPOSITORY / ".env.example").read_text().splitlines()
    assert [line for line in example if not line.startswith("#")] == [
        f"{name}=" for name in sorted(set(re.findall(r"\$\{(\w+)", text)))
    ]


def test_mlflow_runs_no_jobs_loads_no_pickles_and_reports_to_nobody(compose):
    environment = compose["services"]["mlflow"]["environment"]
    wanted = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    assert wanted.items() <= environment.items()


def test_the_image_ends_as_a_user_who_is_not_root():
    lines = (REPOSITORY / "docker" / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]
