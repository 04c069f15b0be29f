"""What docs/cluster.md has people write is what Dask, Slurm and Kubernetes take, as far as that shows without them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml
from click.testing import CliRunner

PAGE = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text()


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_slurm_gets_workers_that_offer_memory() -> None:
    code = block("python").replace("SLURMCluster(\n", "SLURMCluster(\n    interface='lo',\n", 1)
    before, _, _ = code.partition("cluster.scale(")
    names: dict[str, object] = {}
    exec(compile(before, "cluster.md", "exec"), names)
    cluster = names["cluster"]
    try:
        script = cluster.job_script()  # type: ignore[attr-defined]
    finally:
        cluster.close()  # type: ignore[attr-defined]
    assert "#SBATCH --cpus-per-task=4" in script and "--resources memory=14000" in script
    assert script.index("export XBOOT_CACHE") < script.index("dask_worker")


def test_dask_knows_the_options() -> None:
    from distributed.cli import dask_scheduler, dask_worker

    commands = [shlex.split(line) for line in block("sh").splitlines()]
    assert [words[:2] for words in commands] == [["dask", "scheduler"], ["dask", "worker"]]
    deployed = yaml.safe_load(block("yaml"))["spec"]["template"]["spec"]["containers"][0]
    assert deployed["command"][:2] == ["dask", "worker"]
    for command, words in [
        (dask_scheduler.main, commands[0][2:]),
        (dask_worker.main, commands[1][2:]),
        (dask_worker.main, deployed["command"][2:] + deployed["args"]),
    ]:
        files = [word.replace("ca.pem", "/dev/null").replace("cert.pem", "/dev/null").replace("key.pem", "/dev/null") for word in words]
        command.make_context("dask", files)  # raises for what it does not know
        assert CliRunner().invoke(command, ["--help"]).exit_code == 0


def test_kubernetes_description_is_whole() -> None:
    deployment = yaml.safe_load(block("yaml"))
    assert (deployment["apiVersion"], deployment["kind"]) == ("apps/v1", "Deployment")
    pod = deployment["spec"]["template"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    (container,) = pod["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["spec"]["volumes"]}
    offered = next(int(word.removeprefix("memory=")) for word in container["args"] if word.startswith("memory="))
    assert offered < 1024 * int(container["resources"]["limits"]["memory"].removesuffix("Gi"))
