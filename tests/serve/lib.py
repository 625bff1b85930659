"""A served instance for tests: made, filled, started, asked, stopped."""
import base64, http.client, json, os, re, shutil, signal, sqlite3, subprocess, sys, tempfile, time
from pathlib import Path


def run(*command, check=True, **kwargs):
    done = subprocess.run([str(c) for c in command], capture_output=True, **kwargs)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr.decode(errors='replace')[-800:]}{done.stdout.decode(errors='replace')[-400:]}")
    return done


def wait_for(condition, seconds=30):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def ask(port, method, path, body=None, headers=None, timeout=60):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def clean(log):
    """Nothing that a sanitizer writes when it finds a fault."""
    return not re.search(r"Sanitizer|runtime error:", log)


def said(done): return (done.stdout + done.stderr).decode(errors="replace")


class Service:
    """An instance as `antin init` makes it, and the service on it."""
    def __init__(self, build, base=None, folder=None, init=()):
        self.build = Path(build).resolve()
        self.base = Path(base or tempfile.mkdtemp(prefix="antin-service-"))
        self.dir = self.base / (folder or "ca")
        self.log, self.process, self.port = self.base / f"{self.dir.name}.log", None, None
        if not self.dir.exists():
            self.office("init", self.dir, "--quiet", *init)
        for path in (self.dir / "public" / "crt").glob("*.crt"):
            run("openssl", "x509", "-inform", "DER", "-in", path, "-out", self.base / f"{path.stem}.pem")
        if not (self.base / "any.csr").exists():  # whose key it is makes no difference to what is tried
            run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.base / "any.key", "-subj", "/", "-outform", "DER", "-out", self.base / "any.csr")
        self.csr = base64.b64encode((self.base / "any.csr").read_bytes())

    def office(self, *words, **kw): return run(self.build / "antin-office", *words, **kw)

    def configure(self, *pairs):
        path = self.dir / "antin.yaml"
        text = path.read_text()
        for old, new in pairs:
            if old not in text:
                raise SystemExit(f"antin.yaml has no {old!r}")
            text = text.replace(old, new)
        path.write_text(text)
        self.office("config", "check", self.dir)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.build / "antin-office", "serve", "--dir", self.dir, "--listen", f"127.0.0.1:{self.port or 0}", "--lang=en"], stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline().decode()
        if "port" not in line:
            raise SystemExit(f"serve did not start: {line} {self.log.read_text()[-2000:]}")
        self.port = int(line.split()[-1])
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, *what, **kw): return ask(self.port, *what, **kw)

    def allow(self, item, name):
        got = json.loads(self.office("enrol", "allow", item, "--dir", self.dir, "--json", "--subject", f"C=VN, O=Cơ quan MẪU, CN={name}").stdout)
        return got["reference"], got["secret"]

    def enrol(self, reference, secret, timeout=60):
        """The status and the certificates of one EST request."""
        who = base64.b64encode(f"{reference}:{secret}".encode()).decode()
        return self.ask("POST", "/.well-known/est/simpleenroll", self.csr, {"Content-Type": "application/pkcs10", "Authorization": f"Basic {who}"}, timeout=timeout)

    def started(self, program): return [json.loads(l)["detail"] for l in self.log.read_text().splitlines() if f'"program":"{program}"' in l and '"event":"started"' in l]

    def ocsp(self, name, *more):
        return said(run("openssl", "ocsp", "-issuer", self.base / "nha-nuoc.pem", "-cert", self.base / f"{name}.pem", "-url", f"{self.url}/ocsp", "-CAfile", self.base / "goc.pem", *more, check=False))

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def remove(self):
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)


def certificate_of(body):
    """PEM, and its serial, of an answer of EST."""
    pem = run("openssl", "x509", input=run("openssl", "pkcs7", "-inform", "DER", "-print_certs", input=base64.b64decode(body)).stdout).stdout
    return pem, run("openssl", "x509", "-noout", "-serial", input=pem).stdout.decode().strip().split("=")[1]


class Served:
    def __init__(self, build, maker, token=None, config="", swapped=False):
        self.build, self.maker = Path(build), maker
        self.base = Path(tempfile.mkdtemp(prefix="antin-serve-"))
        self.dir = self.base / "ca"
        self.port, self.process = None, None
        run(self.build / "antin-office", "init", self.dir, "--quiet")
        text = (self.dir / "antin.yaml").read_text()
        text = re.sub(r"revoked_seconds: 5", "revoked_seconds: 1", text)
        (self.dir / "antin.yaml").write_text(text + config)
        self.fill(token, swapped)

    def fill(self, token, swapped):
        (self.dir / "keys" / "keys.json").unlink(missing_ok=True)  # authorities of our own, whose people's keys we have too
        run(self.maker, "make", self.dir, *([token] if token else []), *(["swapped"] if swapped else []))
        der = lambda name: (self.dir / f"{name}.crt").read_bytes()
        pem = lambda name: run("openssl", "x509", "-inform", "DER", "-in", self.dir / f"{name}.crt", "-out", self.base / f"{name}.pem")
        for path in self.dir.glob("*.crt"):
            pem(path.stem)
        with sqlite3.connect(self.dir / "store.db") as store:
            store.executescript("DROP TRIGGER authority_stays; DELETE FROM authority")
            columns = "id,name,line,kind,hierarchy,profile,parent,certificate,serial,key,ocsp_certificate,ocsp_key,base_url,crl_partitions,not_before,not_after,status,created_at"
            rows = [(1, "goc", "goc", "root", "root", "goc", None, der("goc"), self.serial("goc"), "goc", None, None),
                    (2, "nha-nuoc", "nha-nuoc", "issuing", "state", "trung-gian", 1, der("nha-nuoc"), self.serial("nha-nuoc"), "nha-nuoc", der("nha-nuoc-ocsp"), "nha-nuoc-ocsp"),
                    (3, "tsa", "tsa", "tsa", "state", "tsa", 2, der("tsa"), self.serial("tsa"), "tsa", None, None)]
            for row in rows:
                store.execute(f"INSERT INTO authority ({columns}) VALUES ({','.join('?' * 18)})", row + ("http://localhost:8080", 0, 0, 1 << 40, 0, 0))
            for i, name in enumerate(("nguoi-mot", "nguoi-hai", "nguoi-ba")):
                self.add_certificate(store, 2, self.serial(name), der(name), name)

    @staticmethod
    def add_certificate(store, authority, serial, der, name):
        store.execute("INSERT INTO certificate (authority,serial,partition,der,profile,subject,subject_folded,agency_folded,email_folded,not_before,not_after,subscriber,device,"
                      "status,ground,request_key,request_digest,kind,renewals,issued_at) VALUES (?,?,0,?,'ca-nhan','',?,'','',0,1,'','',0,'',?,x'00','new',0,0)",
                      (authority, serial, der, name, f"test:{name}"))

    def serial(self, name):
        out = run("openssl", "x509", "-inform", "DER", "-in", self.dir / f"{name}.crt", "-noout", "-serial").stdout.decode()
        return bytes.fromhex(out.strip().split("=")[1])

    def change(self, name, kind, reason):
        """kind: 0 revoke, 1 hold, 2 release. When it was committed, by the clock of time.monotonic()."""
        with sqlite3.connect(self.dir / "store.db", timeout=20) as store:
            status = {0: 1, 1: 2, 2: 0}[kind]
            store.execute("UPDATE certificate SET status=?, revoked_at=?, reason=? WHERE serial=?",
                          (status, int(time.time()) if kind != 2 else None, reason if kind == 0 else None, self.serial(name)))
        return float(run(self.maker, "change", self.dir, 2, self.serial(name).hex(), kind, reason).stdout)

    def start(self, listen="127.0.0.1:0", cores=None):
        self.log = open(self.base / "log", "ab")
        self.process = subprocess.Popen([str(self.build / "antin-office"), "serve", "--dir", str(self.dir), "--listen", listen, "--lang=en"],
                                        stdout=subprocess.PIPE, stderr=self.log,
                                        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None)
        line = self.process.stdout.readline().decode()
        if "port" not in line:
            raise SystemExit(f"serve did not start: {line} {(self.base / 'log').read_text()[-2000:]}")
        self.port = int(line.split()[-1])
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.log.close()
        self.process = None

    def child(self, program):
        """The process ids of a program among the children of the supervisor."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                text = path.read_text()
            except OSError:
                continue
            name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
            if name == program and int(rest[1]) == self.process.pid:
                found.append(int(text.split()[0]))
        return sorted(found)

    def ask(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), content

    def events(self):
        return (self.base / "log").read_text(errors="replace")

    def remove(self):
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)
