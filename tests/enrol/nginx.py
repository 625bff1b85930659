#!/usr/bin/env python3
"""EST through nginx as packaging/nginx/antin.conf sets it up: a device enrols with reference and secret over TLS and renews with its own
certificate; what must not pass does not. Usage: nginx.py BUILD SAMPLE"""
import base64, json, re, shutil, socket, subprocess, sys, tempfile, time
from pathlib import Path

build, sample = Path(sys.argv[1]), Path(sys.argv[2])
nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
base = Path(tempfile.mkdtemp(prefix="antin-nginx-"))
home = base / "ca"
failures = 0


def run(*command, check=True, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, **more)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {(done.stdout + done.stderr).decode(errors='replace')[-900:]}")
    return done


def expect(holds, what, detail=""):
    global failures
    if not holds:
        failures += 1
        print(f"FAILED {what} {detail}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def pem(name):
    return run("openssl", "x509", "-inform", "DER", "-in", home / f"public/crt/{name}.crt").stdout.decode()


def make_request(name):
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", base / f"{name}.key", "-utf8", "-subj", "/C=VN/O=CƠ QUAN MẪU/CN=may-chu-mau", "-outform", "DER", "-out", base / f"{name}.csr")
    (base / f"{name}.b64").write_bytes(base64.encodebytes((base / f"{name}.csr").read_bytes()))


def est(operation, request, *more, url=None):
    """Status, and the certificate in PEM."""
    done = run("curl", "-sS", "-o", base / "answer", "-w", "%{http_code}", "--cacert", base / "tls.pem", "-H", "Content-Type: application/pkcs10", "--data-binary", f"@{base / request}.b64",
               *more, f"{url or secure}/.well-known/est/{operation}")
    if done.stdout != b"200":
        return done.stdout.decode(), (base / "answer").read_bytes()
    (base / "answer.p7").write_bytes(base64.b64decode((base / "answer").read_bytes()))
    return "200", run("openssl", "pkcs7", "-inform", "DER", "-in", base / "answer.p7", "-print_certs").stdout.decode()


def first_certificate(text, name):
    (base / f"{name}.pem").write_text(re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.S).group(0))
    run("openssl", "verify", "-CAfile", base / "goc.pem", "-untrusted", base / "nha-nuoc.pem", base / f"{name}.pem")
    key = run("openssl", "pkey", "-in", base / f"{name}.key", "-pubout").stdout
    expect(run("openssl", "x509", "-in", base / f"{name}.pem", "-noout", "-pubkey").stdout == key, f"{name}: of its own key")


def configure(port, plain, tls):
    """The sample, with the addresses and files of this test."""
    text = sample.read_text()
    for old, new in (("127.0.0.1:8080", f"127.0.0.1:{port}"), ("listen 80;", f"listen 127.0.0.1:{plain};"), ("listen 443 ssl;", f"listen 127.0.0.1:{tls} ssl;"),
                     ("/etc/antin/tls/ca.mau.gov.vn.pem", str(base / "tls.pem")), ("/etc/antin/tls/ca.mau.gov.vn.key", str(base / "tls.key")),
                     ("/etc/antin/tls/issuers.pem", str(base / "issuers.pem"))):
        assert old in text, old
        text = text.replace(old, new)
    temp = "".join(f"{what}_temp_path {base}/temp-{what};\n" for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (base / "nginx.conf").write_text(f"daemon off; worker_processes 1; pid {base}/nginx.pid; error_log {base}/error.log;\nevents {{}}\nhttp {{ access_log off;\n{temp}{text}}}\n")
    (base / "issuers.pem").write_text(pem("nha-nuoc") + pem("goc"))
    for name in ("goc", "nha-nuoc"):
        (base / f"{name}.pem").write_text(pem(name))
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", base / "tls.key", "-out", base / "tls.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=IP:127.0.0.1")


def wait_for(port):
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("nginx does not listen: " + (base / "error.log").read_text()[-500:])


if nginx is None:
    print("skipped: nginx is not installed")
    sys.exit(77)
running = []
try:
    run(build / "antin-office", "init", home, "--quiet")
    text = (home / "antin.yaml").read_text().replace("  # proxies:", "  proxies:").replace("  # client_certs_from:", "  client_certs_from:")
    (home / "antin.yaml").write_text(text)
    allowed = json.loads(run(build / "antin-office", "enrol", "allow", "request:1/item:1", "--dir", home, "--subject", "C=VN, O=CƠ QUAN MẪU, CN=may-chu-mau", "--json").stdout)
    server = subprocess.Popen([build / "antin-office", "serve", "--dir", home, "--listen", "127.0.0.1:0", "--lang=en"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    running.append(server)
    port, plain, tls = int(server.stdout.readline().split()[-1]), free_port(), free_port()
    configure(port, plain, tls)
    running.append(subprocess.Popen([nginx, "-p", base, "-c", base / "nginx.conf", "-e", base / "error.log"]))
    wait_for(tls)
    secure, clear = f"https://127.0.0.1:{tls}", f"http://127.0.0.1:{plain}"
    secret = ["--user", f"{allowed['reference']}:{allowed['secret']}"]
    for name in ("mot", "hai"):
        make_request(name)
    expect(est("simpleenroll", "mot")[0] == "401", "without a secret")
    expect(est("simpleenroll", "mot", *secret, url=clear)[0] == "403", "the secret in the clear")
    status, answer = est("simpleenroll", "mot", *secret)
    if status != "200":
        raise SystemExit(f"enrolment: {status} {answer}")
    first_certificate(answer, "mot")
    own = ["--cert", base / "mot.pem", "--key", base / "mot.key"]
    expect(est("simplereenroll", "hai")[0] in ("401", "403"), "renewal by nobody")
    forged = run("python3", "-c", "import sys, urllib.parse; print(urllib.parse.quote(open(sys.argv[1]).read()))", base / "mot.pem").stdout.decode().strip()
    for url in (secure, f"http://127.0.0.1:{plain}"):
        status, _ = est("simplereenroll", "hai", "-H", f"X-Client-Cert: {forged}", url=url)
        expect(status in ("401", "403"), f"a certificate without its key ({url[:5]})", status)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", base / "la.key", "-out", base / "la.pem", "-subj", "/CN=la")
    status, _ = est("simplereenroll", "hai", "--cert", base / "la.pem", "--key", base / "la.key")
    expect(status in ("400", "401", "403"), "a stranger's certificate", status)
    status, answer = est("simplereenroll", "hai", *own)
    expect(status == "200", "renewal with its own certificate", answer)
    if status == "200":
        first_certificate(answer, "hai")
    expect(run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"{clear}/metrics").stdout == b"404", "metrics stay inside")
    run("openssl", "ocsp", "-issuer", base / "nha-nuoc.pem", "-cert", base / "mot.pem", "-url", f"{clear}/ocsp", "-CAfile", base / "goc.pem")
finally:
    for process in reversed(running):
        process.terminate()
    for process in running:
        process.wait(60)
    shutil.rmtree(base, ignore_errors=True)
print(f"EST through nginx: {failures} failed")
sys.exit(1 if failures else 0)
