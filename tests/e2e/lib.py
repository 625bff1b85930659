"""What every end-to-end test shares: counting, running programs, a temporary instance, tokens."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from pki import Authority

SANITIZED = bool(os.environ.get("ANTIN_SANITIZED"))
FULL = bool(os.environ.get("ANTIN_FULL"))
PIN = "739146"
SOFTHSM = next((p for p in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                            "/usr/lib64/pkcs11/libsofthsm2.so") if os.path.exists(p)), None)


class Suite:
    """Counts checks and ends with the line that tools/check.py reads."""

    def __init__(self, name):
        self.name = name
        self.passed = self.failed = self.skipped = 0

    def check(self, holds, what, detail=""):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}" + (f": {str(detail)[:1500]}" if detail != "" else ""), flush=True)
        return bool(holds)

    def equal(self, got, wanted, what, detail=""):
        return self.check(got == wanted, what, f"{got!r}, wanted {wanted!r} {detail}")

    def skip(self, what):
        self.skipped += 1
        print(f"skipped {what}", flush=True)

    def say(self, text):
        print(f"  {text}", flush=True)

    def run(self, *parts):
        """Runs the parts of a test; one that breaks down is a failure and does not stop the rest."""
        wanted = sys.argv[2:] if len(sys.argv) > 2 else None
        for part in parts:
            if wanted and part.__name__ not in wanted:
                continue
            started = time.monotonic()
            try:
                part()
                self.say(f"{part.__name__}: {time.monotonic() - started:.1f} s")
            except Exception:  # a test must report, whatever happened
                self.failed += 1
                print(f"FAILED {part.__name__}\n{traceback.format_exc()}", flush=True)
        print(f"{self.name}: {self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.exit(1 if self.failed else 0)


class Ran:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def both(self):
        return self.out + self.err

    def lines(self):
        """The JSON lines of an answer."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    def __repr__(self):
        return f"status {self.status}\n{self.out[-1000:]}\n{self.err[-1000:]}"


def run(*command, timeout=60, env=None, cwd=None, stdin=None, **kwargs):
    """A program to its end; a program that hangs is status -1."""
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL if stdin is None else None,
                              input=stdin, capture_output=True, timeout=timeout, cwd=cwd,
                              env=dict(os.environ, **{k: str(v) for k, v in (env or {}).items()}), **kwargs)
    except subprocess.TimeoutExpired as late:
        return Ran(-1, (late.stdout or b"").decode("utf-8", "replace"), f"no end after {timeout} s")
    return Ran(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


class Instance:
    """A temporary folder with an authority, people, a token and the program under test."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="antin-e2e-"))
        self.program = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ANTIN", "antin")).resolve()
        self.pin_file = self.file("pin", PIN + "\n", 0o600)
        self._made = {}
        os.environ.pop("SOURCE_DATE_EPOCH", None)
        os.environ["LC_ALL"] = "C.UTF-8"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def file(self, name, content=b"", mode=0o644):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    def once(self, name, make):
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    # ---- people and authorities, made when first asked for ----
    @property
    def root(self):
        return self.once("root", lambda: Authority(self.dir / "root", "Gốc thử nghiệm"))

    @property
    def sub(self):
        return self.once("sub", lambda: Authority(self.dir / "sub", "Cơ quan cấp chứng thư thử nghiệm", self.root))

    @property
    def other(self):
        return self.once("other", lambda: Authority(self.dir / "other", "Một gốc khác"))

    def person(self, key="P-256", name="Nguyễn Văn Thử", tag=""):
        return self.once(f"person {key} {name} {tag}", lambda: self.sub.issue(
            "person", f"/C=VN/L=Đồng Tháp/O=UBND tỉnh Mẫu/OU=Sở Mẫu/CN={name}", key))

    @property
    def agency(self):
        return self.once("agency", lambda: self.sub.issue("agency", "/CN=Sở Khoa học và Công nghệ/O=UBND tỉnh Mẫu/L=Đồng Tháp/C=VN"))

    @property
    def tsa(self):
        return self.once("tsa", lambda: self.sub.issue("tsa", "/CN=Máy chủ dấu thời gian/O=Thử nghiệm/C=VN", "RSA-2048"))

    @property
    def crls(self):
        return self.once("crls", self._write_crls)

    def _write_crls(self):
        folder = self.dir / "crls"
        folder.mkdir()
        for authority in (self.root, self.sub):
            (folder / f"{authority.dir.name}.crl").write_bytes(authority.crl().read_bytes())
        return folder

    # ---- the program ----
    def antin(self, *words, timeout=60, env=None, **kwargs):
        ran = run(self.program, *words, timeout=timeout * (6 if SANITIZED else 1), env=env, cwd=self.dir, **kwargs)
        if PIN in ran.both:
            raise AssertionError(f"the PIN was printed: {words}")
        return ran

    def sign_words(self, inputs, out, who, *more, trust=True):
        words = ["sign", *(inputs if isinstance(inputs, (list, tuple)) else [inputs]), "--key", who.key, "--cert", who.cert,
                 "--chain", self.sub.cert]
        words += ["--trust", self.root.cert] if trust else []
        words += ["-o", out] if out is not None else []
        return words + list(more)

    def sign(self, inputs, out, who, *more, **kwargs):
        return self.antin(*self.sign_words(inputs, out, who, *more), **kwargs)

    def verify(self, *words, policy="noi-bo", **kwargs):
        ran = self.antin("verify", *words, "--trust", self.root.cert, "--untrusted", self.sub.cert, "--crl", self.crls,
                         "--policy", policy, "--json", **kwargs)
        return ran, (ran.lines() or [{}])[0]

    # ---- a token ----
    def token(self, keys):
        """A SoftHSM2 store of our own with keys imported: {label: Identity}. Returns the URI without ';object='."""
        store = self.dir / "tokens"
        store.mkdir(exist_ok=True)
        conf = self.file("softhsm2.conf", f"directories.tokendir = {store}\nobjectstore.backend = file\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(conf)
        made = run("softhsm2-util", "--init-token", "--free", "--label", "the-thu", "--so-pin", "12345678", "--pin", PIN)
        for number, (label, who) in enumerate(keys.items(), 1):
            plain = self.dir / f"import-{number}.pem"
            run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", who.key, "-out", plain)
            done = run("softhsm2-util", "--import", plain, "--token", "the-thu", "--label", label, "--id", f"{number:02x}", "--pin", PIN)
            plain.unlink()
            if done.status != 0:
                raise RuntimeError(f"{made} {done}")
        return "pkcs11:token=the-thu"


def key_uri(token, label, module=None):
    return f"{token};object={label}?module-path={module or SOFTHSM}"


def leftovers(folder):
    """Files in a folder that no finished run may leave."""
    return [p.name for p in Path(folder).rglob("*") if ".antin-" in p.name]


def error_of(ran):
    """The code of the error that a run reported, '' when none."""
    found = re.findall(r"\[(AN_[A-Z0-9_]+)\]", ran.err)
    return found[-1] if found else ""


def is_bilingual(ran):
    """Vietnamese first, then English, in the message on the terminal."""
    message = ran.err[ran.err.find("antin: "):]
    lines = message.splitlines()
    return len(lines) >= 2 and bool(re.search(r"[à-ỹĐđ]", lines[0])) and bool(re.search(r"\b(the|a|an|is|no|not|cannot|be|was|are|of|this|has)\b", lines[1]))
