#!/usr/bin/env python3
"""A PostgreSQL of one's own: Debian's server in a temporary folder, on a free loopback port and a socket in that folder,
run as an ordinary user (postgres, when the tests run as root). Stopped and removed at the end.

    with Postgres() as server:            server.url("name") creates a database and answers its address
    postgres.py [--set NAME=VALUE]… COMMAND ARGS…   runs COMMAND with "{url}" in its arguments replaced by a fresh database
"""
import glob, os, pwd, re, shutil, signal, socket, subprocess, sys, tempfile, time
from pathlib import Path

SKIP = 77


def bin_dir():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4]))
    return Path(found[-1]).parent if found else None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Postgres:
    def __init__(self, settings=(), port=None, base=None):
        self.bin, self.settings, self.base = bin_dir(), list(settings), base
        self.port = port or free_port()
        self.names = 0
        self.process = None

    def as_user(self, *command):
        command = [str(c) for c in command]
        if os.geteuid() != 0:
            return command
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]

    def run(self, *command, check=True, **kwargs):
        done = subprocess.run(self.as_user(*command), capture_output=True, text=True, cwd=self.dir, **kwargs)
        if check and done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stderr[-600:]}{done.stdout[-300:]}")
        return done

    @property
    def user(self):
        return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    def make_dir(self):
        self.dir = Path(tempfile.mkdtemp(prefix="antin-pg-", dir=self.base))
        self.data = self.dir / "data"
        os.chmod(self.dir, 0o755)
        if os.geteuid() == 0:
            shutil.chown(self.dir, "postgres", "postgres")

    def init(self):
        self.make_dir()
        self.run(self.bin / "initdb", "-D", self.data, "-U", self.user, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions", "-N")
        self.configure()

    def configure(self):
        own = [f"port = {self.port}", "listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{self.dir}'", "max_connections = 60",
               "shared_buffers = 32MB", "logging_collector = off", *self.settings]
        text = "\n".join(own) + "\n"
        self.run("sh", "-c", 'cat >> "$1"', "sh", self.data / "postgresql.conf", input=text)

    def start(self):
        log = open(self.dir / "log", "ab")
        self.process = subprocess.Popen(self.as_user(self.bin / "postgres", "-D", self.data), stdout=log, stderr=log, cwd=self.dir,
                                        start_new_session=True)
        for _ in range(300):
            if self.process.poll() is not None:
                raise RuntimeError((self.dir / "log").read_text()[-800:])
            if self.run(self.bin / "pg_isready", "-q", "-h", self.dir, "-p", self.port, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError("PostgreSQL does not answer: " + (self.dir / "log").read_text()[-800:])

    def kill(self):
        """The machine is gone: no process of this server is left to say goodbye."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        pid = self.data / "postmaster.pid"
        if pid.exists():
            pid.unlink()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # fast shutdown
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def sql(self, text, database="postgres"):
        return self.run(self.bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-p", self.port, "-U", self.user,
                        "-d", database, "-c", text).stdout.strip()

    def url(self, name=None, tcp=True):
        if name is None:
            self.names += 1
            name = f"antin_{self.names}"
        if name not in self.sql("SELECT datname FROM pg_database").split():
            self.sql(f'CREATE DATABASE "{name}"')
        host = f"127.0.0.1:{self.port}" if tcp else ""
        return f"postgresql://{self.user}@{host}/{name}" + ("" if tcp else f"?host={self.dir}&port={self.port}")

    def clone(self, name, settings=()):
        """A streaming replica of this server; its commits are waited for once synchronous_standby_names says so."""
        other = Postgres([*settings])
        other.make_dir()
        other.run(self.bin / "pg_basebackup", "-h", self.dir, "-p", self.port, "-U", self.user, "-D", other.data, "-R", "-X", "stream", "-c", "fast",
                  "-d", f"application_name={name}")
        other.configure()
        return other

    def promote(self):
        self.run(self.bin / "pg_ctl", "promote", "-D", self.data, "-w")

    def __enter__(self):
        try:
            self.init()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        if getattr(self, "dir", None):
            shutil.rmtree(self.dir, ignore_errors=True)


def main():
    if bin_dir() is None:
        print("PostgreSQL is not installed")
        return SKIP
    settings, command = [], sys.argv[1:]
    while command and command[0] == "--set":
        settings.append(command[1])
        command = command[2:]
    with Postgres(settings) as server:
        url = server.url(tcp=False)
        return subprocess.run([a.replace("{url}", url) for a in command]).returncode


if __name__ == "__main__":
    sys.exit(main())
