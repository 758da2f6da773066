"""SkyPilot's names, hashes and tables: the cases that give texts."""

from __future__ import annotations

import json
import os
import pathlib

from integration.sky_watch import case, numbered_uuids

# ---- names


@case
def cluster_names_on_cloud(folder, port):
    from sky.utils import common_utils

    names = ["a", "dev", "My_Cluster.v2", "x" * 35, "a-very-long-cluster-name-with-many-words-in-it", "ends-with-dash-"]
    names += ["Übung_für_alle_Gruppen_von_Anfang_an", "-".join(str(n) for n in range(30))]
    lengths = (15, 20, 35, 42, 63, None)
    return [
        common_utils.make_cluster_name_on_cloud(name, length, add_user_hash=with_user)
        for name in names
        for length in lengths
        for with_user in (True, False)
        if length is None or length >= 20 or not with_user
    ]


@case
def cluster_names_of_clouds(folder, port):
    from sky import clouds
    from sky.utils import common_utils

    limits = {
        str(cloud): cloud.max_cluster_name_length() for cloud in (clouds.GCP(), clouds.AWS(), clouds.Kubernetes())
    }
    name = "Training_of.a-Model.with_a_Name_that_goes_on_and_on_and_on_and_on_for_ever_and_ever"
    return {cloud: common_utils.make_cluster_name_on_cloud(name, length) for cloud, length in limits.items()}


@case
def node_names_on_gcp(folder, port):
    from sky.provision.gcp import instance_utils

    with numbered_uuids():
        return [instance_utils._generate_node_name("dev", "compute", head) for head in (True, False) * 10]


@case
def run_ids_of_controllers(folder, port):
    from sky.utils import controller_utils

    with numbered_uuids():
        return [controller_utils._generate_run_uuid() for _ in range(20)]


# ---- hashes


@case
def hash_of_a_cluster_configuration(folder, port):
    from sky.backends import backend_utils

    mounts = {"/a": "tree", "/b": "one.txt", "/c": "link", "/d": "missing", "/e": "empty", "/f": "linked-tree"}
    hashes = []
    for count in range(len(mounts) + 1):
        chosen = {place: str(folder / name) for place, name in list(mounts.items())[:count]}
        file = folder / f"cluster{os.getpid()}.yaml"
        file.write_text(json.dumps({"cluster_name": "dev", "file_mounts": chosen}))
        hashes.append(backend_utils._deterministic_cluster_yaml_hash(str(file)))
        file.unlink()
    return hashes


@case
def modified_catalogs(folder, port):
    import hashlib

    from sky.catalog import common

    catalog = pathlib.Path(common.get_catalog_path("mine/vms.csv"))
    md5 = catalog.parents[1] / ".meta" / "mine" / "vms.csv.md5"
    for parent in (catalog.parent, md5.parent):
        parent.mkdir(parents=True, exist_ok=True)
    answers = []
    for content in (b"", b"InstanceType,vCPUs\n", bytes(range(256)) * 500):
        catalog.write_bytes(content)
        for said in (hashlib.md5(content).hexdigest(), "0" * 32):
            md5.write_text(said)
            answers.append(common.is_catalog_modified("mine/vms.csv"))
    return answers


# ---- tables


@case
def infra_in_tables(folder, port):
    from sky.utils.infra_utils import InfraInfo

    places = [("aws", "us-east-1", None), ("aws", "us-east-1", "us-east-1a"), ("gcp", None, None), (None, None, None)]
    places += [("kubernetes", "gke_my-project-123456_us-central1-c_a-cluster-with-a-long-name", None)]
    places += [("ssh", "ssh-a-pool-of-machines-in-the-cellar-of-the-institute", None), ("slurm", "s" * 60, "part")]
    infos = [InfraInfo(*place) for place in places]
    return [info.formatted_str(truncate=truncate) for info in infos for truncate in (True, False)]


@case
def resources_in_tables(folder, port):
    import sky
    from sky.utils import resources_utils

    gave = []
    kinds = ("2CPU--8GB", "0.5CPU--1.25GB", "7.25CPU--30.75GB", "96CPU--1433.6GB")
    for kind in kinds:
        resources = sky.Resources(cloud=sky.clouds.Kubernetes(), instance_type=kind)
        gave += [resources_utils.format_resource(resources, simplified_only=simple) for simple in (True, False)]
    for spec, actual, ratio in (
        (2.0, None, 1),
        (None, 7.25, 1),
        (2.0, 4.05, 1),
        (8.0, 7.4505806, 0.93132),
        (0.25, 0.35, 1),
    ):
        gave.append(resources_utils._format_cpu_mem_element("mem", spec, actual, ratio))
    return gave


@case
def resources_of_a_cloud_with_instance_types(folder, port):
    import sky
    from sky.utils import resources_utils

    class Machine(sky.clouds.Slurm if hasattr(sky.clouds, "Slurm") else sky.clouds.Kubernetes):
        """A cloud whose instance types need no catalog, which would have to be fetched."""

        def canonical_name(self):
            return "machine"

    gave = []
    for kind in ("2CPU--8GB", "0.5CPU--1.25GB--A100-80GB:8", "16CPU--62.5GB--H100-with-a-very-long-name:4"):
        resources = sky.Resources(cloud=sky.clouds.Kubernetes(), instance_type=kind)
        resources._cloud = Machine()
        gave += [resources_utils.format_resource(resources, simplified_only=simple) for simple in (True, False)]
    return gave


@case
def instance_types(folder, port):
    from sky.provision.kubernetes import utils

    made = [utils.KubernetesInstanceType.from_resources(cpus, memory) for cpus, memory in FLOATS]
    made += [utils.KubernetesInstanceType.from_resources(cpus, memory, 8, "A100 80GB") for cpus, memory in FLOATS]
    return [kind.name for kind in made]


@case
def instance_types_of_slurm(folder, port):
    from sky.provision.slurm import utils

    return [utils.SlurmInstanceType(cpus, memory, 2, "V100").name for cpus, memory in FLOATS]


FLOATS = ((4, 16), (0.5, 1.5), (0.25, 0.75), (2.25, 1.35), (1e5, 1433.6), (3.0, 0.05), (12, 1e-9))


@case
def tables_of_storages_and_volumes(folder, port):
    from sky import models  # noqa: F401 - loads what the responses need
    from sky.client.cli import table_utils
    from sky.data import storage
    from sky.schemas.api import responses
    from sky.utils import status_lib

    commands = ["sky launch -c dev task.yaml", "sky storage ls", "sky launch " + "--env A=B " * 30, "ü" * 90, " " * 90]
    rows = [
        responses.StorageRecord(
            name=f"s{number}",
            launched_at=1,
            store=[storage.StoreType.S3],
            last_use=command,
            status=status_lib.StorageStatus.READY,
        )
        for number, command in enumerate(commands)
    ]
    volumes = [
        responses.VolumeRecord(
            name=f"v{number}",
            type="k8s-pvc",
            launched_at=1,
            cloud="kubernetes",
            region=f"context-{number}-" + "x" * number * 20,
            size="10",
            config={},
            name_on_cloud="v",
            user_hash="abcdef12",
            user_name="me",
            workspace="default",
            status="ERROR",
            usedby_pods=["pod-" + "y" * 20] * number,
            usedby_clusters=["cluster-" + "z" * 20] * (number % 3),
            error_message="the claim is pending since " + "no node fits, " * 20 * number,
        )
        for number in range(5)
    ]
    texts = [table_utils.format_storage_table(rows, show_all=show_all) for show_all in (True, False)]
    texts += [table_utils.format_volume_table(volumes, show_all=show_all) for show_all in (True, False)]
    # How long ago something was is another answer in another second.
    return [[word for word in text.split() if not word.isdigit()] for text in texts]


@case
def table_of_clusters(folder, port):
    from sky.utils.cli_utils import status_utils

    commands = ["sky launch", "sky exec dev -- " + "python train.py --lr 0.1 " * 9, "x" * 200, "- " * 99]
    return [
        status_utils._get_command({"last_use": command}, truncate=truncate)
        for command in commands
        for truncate in (True, False)
    ]
