"""What Linux, macOS and the BSDs have in common."""

from __future__ import annotations

import errno
import os

from host_shims.struck import let_out


def process_signal(pid: int) -> int:
    try:
        os.kill(pid, 0)
    except ProcessLookupError as error:
        let_out(error)
        return errno.ESRCH
    except PermissionError as error:
        let_out(error)
        return errno.EPERM
    return 0


def open_files_limit() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
