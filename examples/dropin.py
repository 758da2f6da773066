"""Puts skywasm's functions in SkyPilot's place for this one program, and takes them back. Needs SkyPilot.

python dropin.py
"""

from skywasm import skypilot


def whose() -> str:
    """The module whose function answers. (Its ``__module__`` stays SkyPilot's, so that pickles load everywhere.)"""
    from sky.utils import common_utils

    return str(common_utils.base36_encode.__globals__["__name__"])


def main() -> None:
    """Prints whose function makes the name of a cluster, before and after."""
    from sky.utils import common_utils

    name = "a-cluster-whose-name-is-too-long-for-the-cloud"
    own = common_utils.make_cluster_name_on_cloud(name, 35, add_user_hash=False)
    print(f"{whose()}: {own}")

    skypilot.install()
    ours = common_utils.make_cluster_name_on_cloud(name, 35, add_user_hash=False)
    print(f"{whose()}: {ours}")
    states = [function["state"] for function in skypilot.status()["functions"].values()]
    print(f"{states.count('replaced')} functions replaced")

    skypilot.uninstall()
    print(f"{whose()}: back again")
    print("the same name" if own == ours else "THE NAMES DIFFER")


if __name__ == "__main__":
    main()
