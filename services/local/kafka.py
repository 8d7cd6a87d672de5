"""An own Kafka broker in a folder: the real one, from its jars, for tests and trials.

One node that is broker and controller, on loopback ports, without passwords. Its jars come from
Maven Central once, into a cache folder of the user.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from services.local import ports, tied
from shared.bus.kafka import open_client

VERSION = "4.3.1"
_CACHE = Path("~/.cache/warm-handoff")
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_OLDEST_JAVA = 17
_JAVA = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_QUIET = ("-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


class CannotRun(Exception):
    """The broker cannot run here; the text says what to change."""


class LocalKafka:
    """A Kafka broker that belongs to a folder and ends with the process that started it."""

    def __init__(
        self,
        folder: Path,
        *,
        libraries: Path | None = None,
        properties: Mapping[str, str] | None = None,
        numbers: Mapping[str, int] | None = None,
    ) -> None:
        """Name the folder.

        `libraries` holds the jars, `properties` go over the broker's own, `numbers` are the ports
        "broker" and "controller"; what is not given is fetched, the default, chosen once.
        """
        self.folder = folder.absolute()
        self._libraries = libraries
        self._given = dict(properties or {})
        self._numbers = dict(numbers or {})
        self._settings = self.folder / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> str:
        """Host and port of the broker."""
        return f"{ports.HOST}:{self._ports()['broker']}"

    @property
    def url(self) -> str:
        """Address for shared.bus.open_bus."""
        return f"kafka://{self.servers}"

    def start(self) -> None:
        """Start the broker and wait until it answers; call it from the main thread.

        Raises:
            CannotRun: there is no Java or no Maven, a port is taken, or it does not start.

        """
        if self.runs():
            return
        java = find_java()
        libraries = self._libraries or fetch_libraries()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._check_ports()
        self._settings.write_text(_as_lines(self._properties()))
        command = [java, *_JAVA, *_QUIET, "-cp", str(libraries / "*")]
        if not (self._data / "meta.properties").exists():
            self._format(command)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own programs)
                [*_tied(), *command, "kafka.Kafka", str(self._settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_ready()

    def runs(self) -> bool:
        """Tell whether the broker runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self.runs() else None

    def stop(self) -> None:
        """Stop the broker in order."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End the broker as a power cut would, for tests of recovery."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop and start on the same data and ports."""
        self.stop()
        self.start()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        return self.folder / "kafka.log"

    def _ports(self) -> dict[str, int]:
        """Return the ports: chosen once, so that clients find the broker again."""
        if self._numbers:
            return self._numbers
        file = self.folder / "ports.json"
        if file.exists():
            known: dict[str, int] = json.loads(file.read_text())
            return known
        broker = ports.choose()
        chosen = {"broker": broker, "controller": ports.choose({broker})}
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(json.dumps(chosen))
        return chosen

    def _check_ports(self) -> None:
        for port in self._ports().values():
            if not ports.is_free(port, patience=5.0):
                raise CannotRun(f"Port {port}, which the broker in {self.folder} has, is taken.")

    def _properties(self) -> dict[str, str]:
        broker, controller = (
            f"{ports.HOST}:{self._ports()[name]}" for name in ("broker", "controller")
        )
        own = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": controller,
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "inter.broker.listener.name": "PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": str(self._data),
        }
        return own | _ONE_NODE | self._given

    def _format(self, command: list[str]) -> None:
        storage = [*command, "kafka.tools.StorageTool"]
        shutil.rmtree(self._data, ignore_errors=True)  # what a killed format left
        cluster = _output([*storage, "random-uuid"]).split()[-1]
        _output(
            [*storage, "format", "--standalone", "-t", cluster, "-c", str(self._settings)],
        )

    def _wait_until_ready(self) -> None:
        patience = time.monotonic() + _START_SECONDS
        while not self._answers():
            if not self.runs() or time.monotonic() > patience:
                self.kill()
                raise CannotRun(f"Kafka does not start; {self._log} says why.")
            time.sleep(0.1)

    def _answers(self) -> bool:
        settings = {"bootstrap_servers": [self.servers], "bootstrap_timeout_ms": 1_000}
        try:
            with open_client(KafkaAdminClient, settings) as admin:
                return bool(admin.describe_cluster()["brokers"])
        except KafkaError:
            return False


def find_java() -> str:
    """Return the path of a Java that is new enough.

    Raises:
        CannotRun: there is none.

    """
    java = shutil.which("java")
    if java is None:
        raise CannotRun(f"Kafka needs Java {_OLDEST_JAVA} or newer: install a JDK.")
    told = _output([java, "-XshowSettings:properties", "-version"])
    version = next(
        (line.split("=")[1].strip() for line in told.splitlines() if "java.version =" in line), "0"
    )
    if int(version.split(".")[0]) < _OLDEST_JAVA:
        raise CannotRun(f"Kafka needs Java {_OLDEST_JAVA} or newer; {java} is {version}.")
    return java


def can_run() -> str:
    """Return why no broker can run here, empty when one can."""
    try:
        find_java()
        if not (_cache() / "libs").exists():
            _find_maven()
    except CannotRun as reason:
        return str(reason)
    return ""


def fetch_libraries() -> Path:
    """Return the folder of Kafka's jars, fetched by Maven if they are not in the cache.

    Raises:
        CannotRun: there is no Maven, or it fails.

    """
    cache = _cache()
    libraries = cache / "libs"
    if libraries.exists():
        return libraries
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not libraries.exists():
            _fetch(cache, libraries)
    return libraries


def _cache() -> Path:
    return _CACHE.expanduser() / f"kafka-{VERSION}"


def _fetch(cache: Path, libraries: Path) -> None:
    maven = _find_maven()
    new = cache / "libs.new"
    shutil.rmtree(new, ignore_errors=True)
    (cache / "pom.xml").write_text(_POM)
    _output(
        [
            *(maven, "-q", "-B", "-f", str(cache / "pom.xml"), "dependency:copy-dependencies"),
            *("-DincludeScope=runtime", f"-DoutputDirectory={new}"),
        ]
    )
    new.rename(libraries)


def _find_maven() -> str:
    maven = shutil.which("mvn")
    if maven is None:
        raise CannotRun(
            "Kafka's jars are fetched by Maven: install it, or start a broker yourself."
        )
    return maven


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (ours)
    if done.returncode:
        told = (done.stderr or done.stdout).strip()[-2000:]
        raise CannotRun(f"{Path(command[0]).name} failed: {told}")
    return done.stdout + done.stderr


def _tied() -> list[str]:
    """Return the start of a command that ends with us; only Linux can do so."""
    if sys.platform != "linux":
        return []
    return [sys.executable, "-P", tied.__file__, str(os.getpid())]


def _as_lines(properties: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in sorted(properties.items()))


_ONE_NODE = {
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "offsets.topic.num.partitions": "3",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "3",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "broker.session.timeout.ms": "2000",  # how long a killed broker's next start waits
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": "10485760",
}

_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>warm-handoff</groupId>
  <artifactId>kafka-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""
