"""How gunicorn serves a web process: one process, several threads; more come as replicas."""

from services.memory import leave_out_what_stays, share_arenas

bind = "0.0.0.0:8000"
workers = 1
worker_class = "gthread"
threads = 12
# Longer than the longest request: a worker that is told to stop finishes what it holds.
graceful_timeout = 30
timeout = 60
keepalive = 5
control_socket_disable = True  # it would lie in the home folder
accesslog = None  # the application writes its own, without addresses and queries
errorlog = "-"
loglevel = "warning"
worker_tmp_dir = "/dev/shm"  # noqa: S108  (heartbeat files; the root file system is read-only)
limit_request_line = 4094
limit_request_fields = 60
forwarded_allow_ips = "127.0.0.1"

share_arenas()


def post_worker_init(_worker: object) -> None:
    """Leave the application, which is loaded now, out of every search for garbage."""
    leave_out_what_stays()
