"""SkyPilot's logs, sizes, workers and ports: the cases that ask the machine."""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
import threading

from integration.sky_watch import case, pausing, printed, variables

# ---- logs


@case
def tail_of_service_logs(folder, port):
    from sky.serve import serve_state, serve_utils, service_spec

    spec = service_spec.SkyServiceSpec.from_yaml_config({"readiness_probe": "/", "replicas": 1})
    serve_state.add_or_update_version("service", 1, spec, "service: {readiness_probe: /}")
    serve_state.add_service(
        name="service",
        controller_job_id=1,
        policy="fixed",
        requested_resources_str="1x",
        load_balancing_policy="round_robin",
        status=serve_state.ServiceStatus.READY,
        tls_encrypted=False,
        pool=False,
        controller_pid=os.getpid(),
        entrypoint="sky serve up",
    )
    log = pathlib.Path(serve_utils.generate_remote_controller_log_file_name("service")).expanduser()
    balancer = pathlib.Path(serve_utils.generate_remote_load_balancer_log_file_name("service")).expanduser()
    replica = pathlib.Path(serve_utils.generate_replica_log_file_name("service", 1))
    log.parent.mkdir(parents=True, exist_ok=True)
    line = "I 11-25 13:00:00 controller.py:{}] déjà vu \u2713 {}\n"
    text = "".join(line.format(number, "x" * (number * 37 % 5000)) for number in range(400))
    log.write_text(text, encoding="utf-8")
    balancer.write_text(text[:-1], encoding="utf-8")
    replica.write_bytes(b"one\r\ntwo\rstill two\n\nfour")
    gave = []
    for tail in (0, 1, 2, 3, 50, 399, 400, 1000):
        for controller in (True, False):
            kwargs = {"stream_controller": controller, "follow": False, "tail": tail, "pool": False}
            gave.append(printed(serve_utils.stream_serve_process_logs, "service", **kwargs))
        gave.append(printed(serve_utils.stream_replica_logs, "service", 1, follow=False, tail=tail, pool=False))
    return gave


# ---- sizes


@case
def server_sizes(folder, port):
    from sky.server import config

    def size(deploy):
        # Older releases take fewer arguments.
        made = config.compute_server_config(deploy=deploy)
        return repr(made)

    gave = [size(True), size(False)]
    for cpus, memory in (("4", "16"), ("1.5", "2"), ("64", "512.5"), ("0.5", "0.5"), ("x", "16")):
        with variables(SKYPILOT_POD_CPU_CORE_LIMIT=cpus, SKYPILOT_POD_MEMORY_GB_LIMIT=memory):
            try:
                gave += [size(True), size(False)]
            except ValueError as error:
                gave.append([str(error), getattr(sys, "tracebacklimit", None)])
    return gave


@case
def server_size_by_bytes(folder, port):
    from sky.server import config

    with variables(SKYPILOT_POD_MEMORY_BYTES_LIMIT=str(10 << 30)):
        return repr(config.compute_server_config(deploy=True))


@case
def sizes_of_controllers(folder, port):
    from sky.utils import controller_utils

    gave = [controller_utils.get_controller_mem_size_gb()]
    with variables(SKYPILOT_POD_MEMORY_GB_LIMIT="24", SKYPILOT_POD_CPU_CORE_LIMIT="6"):
        gave.append(controller_utils.get_controller_mem_size_gb())
        for pool in (True, False):
            gave.append(controller_utils._consolidation_worker_reserved_mb(pool))
            gave += [controller_utils._get_total_usable_memory_mb(pool, together) for together in (True, False)]
    return gave


@case
def workers_for_file_mounts(folder, port):
    import types

    from sky.backends import cloud_vm_ray_backend

    backend = cloud_vm_ray_backend.CloudVmRayBackend()
    for cloud in ("AWS", "Kubernetes"):
        # A cluster without nodes: all is done but the copying.
        resources = types.SimpleNamespace(cloud=cloud)
        handle = types.SimpleNamespace(get_command_runners=list, launched_resources=resources)
        for names in (["one.txt"], ["tree"], ["many", "tree"]):
            backend._execute_file_mounts(handle, {f"/{name}": str(folder / name) for name in names})


@case
def workers_at_provisioning(folder, port):
    from sky.provision import common, instance_setup

    for provider in ("aws", "kubernetes"):
        cluster = common.ClusterInfo(instances={}, head_instance_id=None, provider_name=provider, provider_config={})
        for mounts in ({}, {"/a": str(folder / "many")}, {"/a": str(folder / "tree"), "/b": str(folder / "one.txt")}):
            # That there is no node to copy to is found out after the workers have been counted.
            with contextlib.suppress(AssertionError):
                instance_setup.internal_file_mounts("dev", mounts, cluster, {"ssh_user": "me"})


@case
def work_in_parallel(folder, port):
    import sky.provision.kubernetes.instance as kubernetes
    from sky.utils import subprocess_utils

    squares = subprocess_utils.run_in_parallel(lambda number: number * number, list(range(100)))
    return [squares, kubernetes._NUM_THREADS]


@case
def slow_start_of_processes(folder, port):
    from sky.utils import subprocess_utils

    started = []
    gave = []
    for cpus in ("1", "8", "64"):
        workers = [threading.Thread(target=started.append, args=(number,)) for number in range(12)]
        pauses = []
        with variables(SKYPILOT_POD_CPU_CORE_LIMIT=cpus), pausing(pauses):
            subprocess_utils.slow_start_processes(workers, delay=0.01)
        gave.append(len(pauses))
    for worker in workers:
        worker.join()
    return [gave, len(started)]


# ---- ports


@case
def ports(folder, port):
    from sky.serve import constants
    from sky.utils import common_utils

    # Other programs take ports too: then once more, further up.
    for base in range(port, port + 10_000, 1_000):
        gave = found_ports(base)
        if gave == [0, 2, 2, 4, 5]:
            break
    for start in (constants.CONTROLLER_PORT_START, constants.LOAD_BALANCER_PORT_START):
        gave.append(1 <= common_utils.find_free_port(start) - start + 1 <= 1000)
    return gave


def found_ports(port):
    import socket

    from sky.client import oauth
    from sky.utils import common_utils

    gave = [common_utils.find_free_port(port) - port]
    with contextlib.ExitStack() as taken:
        for number in (port, port + 1, port + 3):
            with contextlib.suppress(OSError):
                taken.enter_context(socket.socket()).bind(("", number))
        gave += [common_utils.find_free_port(number) - port for number in (port, port + 2, port + 3)]
        token = {"token": None}
        server = oauth.start_local_auth_server(common_utils.find_free_port(port + 5), token, "http://localhost")
        gave.append(server.server_address[1] - port)
        token["token"] = "ends the loop of the server's thread"
        server.server_close()
    return gave
