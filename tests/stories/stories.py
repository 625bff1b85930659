#!/usr/bin/env python3
"""A story under one regulation, told by `antin demo --regulation ID`, and looked at with other people's tools: pdfsig on every signed
form, openssl on the certificates in them, an SMTP server of our own for the letters, a token that locks.

stories.py ANTIN TROUBLE.so REGULATION [DATABASE-URL]"""
import email, email.policy, json, os, shutil, socketserver, subprocess, sys, tempfile, threading
from pathlib import Path

antin, trouble, regulation = sys.argv[1:4]
database = sys.argv[4] if len(sys.argv) > 4 else None
SOFTHSM = next((p for p in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so") if os.path.exists(p)), None)
if SOFTHSM is None or not all(map(shutil.which, ("openssl", "pdfsig"))):
    print("SoftHSM2, openssl or pdfsig is not installed")
    sys.exit(77)
work = Path(tempfile.mkdtemp(prefix="antin-stories-"))
(work / "tokens").mkdir()
(work / "softhsm2.conf").write_text(f"directories.tokendir = {work}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
control = work / "control"
control.write_text("nothing 0\n")
os.environ.update(SOFTHSM2_CONF=str(work / "softhsm2.conf"), P11_TROUBLE_MODULE=SOFTHSM, P11_TROUBLE_CONTROL=str(control), LC_ALL="C.UTF-8")
os.environ.pop("SOURCE_DATE_EPOCH", None)
home = work / "so"
passed, failures = 0, []


def check(condition, what):
    global passed
    if condition:
        passed += 1
    else:
        failures.append(what)
        print("FAILED:", what[:600], flush=True)
    return condition


def run(*args, day=None, want=0):
    env = dict(os.environ, **({"SOURCE_DATE_EPOCH": str(day)} if day else {}))
    done = subprocess.run([antin, *map(str, args), "--json"], capture_output=True, text=True, env=env)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if want is not None:
        check((done.returncode == 0) == (want == 0), f"{' '.join(map(str, args[:3]))}: exit {done.returncode} {done.stdout[-300:]} {done.stderr[-300:]}")
    return json.loads(lines[-1]) if lines else {}


def text_of(*args):
    """The whole answer, however many lines it has."""
    return subprocess.run([antin, *map(str, args), "--json"], capture_output=True, text=True).stdout


def shell(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=work)


def tell():
    extra = ["--database", database] if database else []
    story = run("demo", "--regulation", regulation, "--dir", home, "--module", trouble, *extra)
    check(story.get("failed") == 0 and story.get("steps", 0) > 120, f"the story: {[s for s in story.get('list', []) if not s['as_wanted']]}")
    refused = [s for s in story.get("list", []) if s["wanted"] == "no"]
    check(len(refused) >= 6 and all(s["article"] for s in refused), "refusals name their article")


def paper(digest):
    return home / "documents" / digest[:2] / f"{digest}.pdf"


def requests():
    """Every signed form is a PDF whose signature pdfsig and whose certificate openssl find right; paper is only the first."""
    shown = {}
    for request in run("request", "list", "--dir", home, "--as", "CB000001", "--limit", 100)["requests"]:
        shown[request["id"]] = r = run("request", "show", request["id"], "--dir", home, "--as", "CB000001")
        if not r["document"] or r["id"] == 1:
            continue
        found = shell("pdfsig", "-nocert", paper(r["document"])).stdout
        check("Signature Validation: Signature is Valid." in found and "Total document signed" in found, f"request {r['id']}: pdfsig: {found}")
        text = shell("pdftotext", "-layout", paper(r["document"]), "-").stdout
        check(r["digest"] in "".join(text.split()), f"request {r['id']}: the form shows what it is the form of")
    acts = [e["act"] for r in shown.values() for e in r["history"]]
    check(acts.count("request.execute") == sum(r["state"] in ("notified", "awaiting", "handed-over") for r in shown.values()), "each carried out once")
    check(all(i["state"] in ("done", "open") for r in shown.values() for i in r["items"]), "nothing half done")
    return shown


def differences(shown):
    recover = next(r for r in shown.values() if r["kind"] == "recover" and r["state"] == "notified")
    # 9 March 2026 is a Monday: one working day is Tuesday, three are Thursday
    if regulation == "dong-thap-2025":
        check(recover["due"].startswith("2026-03-11T00:00") and recover["addressee"] == "so-khcn", f"one working day, by the delegated body: {recover['due']}")
    if regulation == "tay-ninh-2025":
        check(recover["due"].startswith("2026-03-13T00:00") and recover["addressee"] == "so-khcn", f"three working days: {recover['due']}")
    if regulation in ("bac-ninh-2023", "binh-thuan-2017"):
        check(all(r["addressee"] == "cuc" for r in shown.values() if r["state"] in ("notified", "awaiting", "handed-over")), "Cục decides everything")
    listed = [e for r in shown.values() for e in r["history"] if e["act"] == "request.approve-list"]
    check(bool(listed) == (regulation == "binh-thuan-2017"), "only there the list is approved first")
    notices = run("notice", "list", "--dir", home, "--as", "CB000001", "--limit", 500)["notices"]
    copies = [n for n in notices if n["role"] == "trung-tam"]
    check(bool(copies) == (regulation == "bac-ninh-2023"), f"the Centre's copy: {len(copies)}")
    forms = {r["form"] for r in shown.values()}
    check(any(f.startswith("tt-185-2019") for f in forms) == (regulation == "bac-ninh-2023"), f"forms: {forms}")


def certificates(shown):
    """The head's certificate, as it stands in a signature, by openssl; and what became of the lost one."""
    crt = home / "public" / "crt"
    signed = next(r for r in shown.values() if r["id"] == 2)
    shell("pdfsig", "-dump", paper(signed["document"]))
    shutil.copy(paper(signed["document"]), work / "form.pdf")
    shell("pdfsig", "-dump", "form.pdf")
    dumped = next(iter(work.glob("form.pdf.sig*")))
    shell("openssl", "pkcs7", "-inform", "DER", "-in", dumped, "-print_certs", "-out", "chain.pem")
    chain = (work / "chain.pem").read_text().split("-----END CERTIFICATE-----")
    leaf = next((c for c in chain if "Trần" in c or "BEGIN" in c), "")
    (work / "leaf.pem").write_text(leaf[leaf.index("-----BEGIN"):] + "-----END CERTIFICATE-----\n")
    roots, subs = [], []
    for path in crt.glob("*.crt"):
        pem = shell("openssl", "x509", "-inform", "DER", "-in", path).stdout or path.read_text()
        own = shell("openssl", "x509", "-in", path, "-inform", "DER" if b"BEGIN" not in path.read_bytes() else "PEM", "-noout", "-subject", "-issuer").stdout.splitlines()
        (roots if own[0].split("=", 1)[1] == own[1].split("=", 1)[1] else subs).append(pem)
    (work / "roots.pem").write_text("".join(roots))
    (work / "subs.pem").write_text("".join(subs))
    found = shell("openssl", "verify", "-no_check_time", "-CAfile", "roots.pem", "-untrusted", "subs.pem", "leaf.pem")
    check(": OK" in found.stdout, f"openssl verify: {found.stdout} {found.stderr}")
    lost = next(i for r in shown.values() if r["kind"] == "revoke" for i in r["items"] if i["ground"] == "that-lac")
    status = run("ca", "show", lost["certificate"], "--dir", home)
    check("revoked" in json.dumps(status) and "keyCompromise" in json.dumps(status), f"the lost one: {status}")


class Post(socketserver.StreamRequestHandler):
    letters, drop = [], 1

    def handle(self):
        say = lambda line: self.wfile.write(line.encode() + b"\r\n")
        say("220 test")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                say("354 go on")
                data = b""
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    data += part[1:] if part.startswith(b".") else part
                Post.letters.append(data)
                if Post.drop:  # taken, and the answer is lost
                    Post.drop -= 1
                    return
                say("250 taken")
            elif word == b"QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")


def letters():
    """At least once, never lost, one Message-ID each; what the server took is not sent again."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Post)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(home / "antin.yaml", "a") as config:
        config.write(f'mail:\n  server: "smtp://127.0.0.1:{server.server_address[1]}"\n  from: antin@mau.gov.vn\n  allow_plain: true\n  allow_private: true\n')
    day = 2000000000
    first = run("notice", "run", "--dir", home, day=day)
    check(first["sent"] == 0 and first["later"] == 1, f"the first answer was lost: {first}")
    second = run("notice", "run", "--dir", home, day=day + 7200)
    check(second["sent"] > 5 and second["later"] == 0 and second["refused"] == 0, f"all taken: {second}")
    third = run("notice", "run", "--dir", home, day=day + 14400)
    check(third["sent"] == 0, f"nothing twice: {third}")
    mails = [email.message_from_bytes(m, policy=email.policy.SMTP) for m in Post.letters]
    ids = [m["Message-ID"] for m in mails]
    check(len(ids) == second["sent"] + 1 and len(set(ids)) == second["sent"] and ids.count(ids[0]) == 2, "one twice, with the same Message-ID")
    check(all("Kính gửi" in m.get_body().get_content() or "ngày" in m.get_body().get_content() for m in mails), "letters can be read")
    waiting = [n for n in run("notice", "list", "--dir", home, "--as", "CB000001", "--limit", 500)["notices"] if n["letter"] == "waiting"]
    check(not waiting, f"nothing waits: {waiting[:2]}")
    server.shutdown()


def killed(shown):
    """A list of five is carried out by processes that are killed at any moment: one key, one certificate each, and the end is told once."""
    head, cuc = "CB000003", "CB000001"
    agency = shown[1]["agency"]
    token = shown[1]["items"][0]["device"]
    key = ["--key", f"pkcs11:serial={token}?module-path={trouble}", "--pin-file", home / "pins" / f"user-{token}.pin"]
    officer = ["--key", f"pkcs11:token=can-bo-cuc?module-path={trouble}", "--cert", home / "can-bo-cuc.crt", "--pin-file", home / "pins" / "can-bo.pin"]
    day = started + 20 * 86400  # the head's certificate is in force
    desk = lambda who, *args, **more: run(*args, "--dir", home, "--as", who, day=day, **more)
    subscribers = []
    for n in range(5):
        person = desk(cuc, "person", "add", "--name", f"Người Thứ {n}", "--agency", agency, "--email", f"thu{n}@mau.gov.vn", "--identity", f"00108000010{n}",
                      "--identity-issued", "2016-05-04", "--identity-place", "Cục Cảnh sát", "--born", "1990-01-02", "--phone", f"091300000{n}")["number"]
        desk(cuc, "person", "post", person, "--agency", agency, "--title", "Chuyên viên", "--since", "2018-01-01")
        subscribers.append(desk(head, "subscriber", "add", "--person", person)["number"])
        desk(cuc, "device", "prepare", f"pkcs11:?module-path={trouble}", "--model", "softhsm-v2")
    (work / "list.csv").write_text("subject;ghi chú\n" + "".join(f'{s};"một; hai"\n' for s in subscribers))
    request = desk(head, "request", "new", "--list", work / "list.csv", "--number", "99/ĐN-MẪU")["id"]
    desk(head, "request", "sign", request, *key)
    desk(head, "request", "send", request)
    if regulation == "binh-thuan-2017":
        desk("CB000002", "request", "approve", request, "--key", f"pkcs11:token=can-bo-so?module-path={trouble}", "--cert", home / "can-bo-so.crt", "--pin-file", home / "pins" / "can-bo.pin")
    desk(cuc, "request", "accept", request)
    # two officers' windows decide at once: one wins
    command = [antin, *map(str, ["request", "approve", request, "--dir", home, "--as", cuc, *officer, "--json"])]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, SOURCE_DATE_EPOCH=str(day))) for _ in range(2)]
    check(sorted(p.wait() == 0 for p in both) in ([False, True], [True, True]), "decided")
    decided = desk(cuc, "request", "show", request)
    check(decided["state"] == "executing" and [e["act"] for e in decided["history"]].count("request.begin") == 1, "decided once")
    before = text_of("ca", "list", "--dir", home, "--limit", 500).count('"serial"')
    command = [antin, *map(str, ["request", "execute", request, "--dir", home, "--as", cuc, "--json"])]
    kills, state = 0, "executing"
    while state == "executing" and kills < 60:
        worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, SOURCE_DATE_EPOCH=str(day)), start_new_session=True)
        try:
            worker.wait(0.15 + 0.11 * (kills % 23))
        except subprocess.TimeoutExpired:
            os.killpg(worker.pid, 9)  # the helpers too
            worker.wait()
            kills += 1
        state = desk(cuc, "request", "show", request)["state"]
    done = desk(cuc, "request", "show", request)
    after = text_of("ca", "list", "--dir", home, "--limit", 500).count('"serial"')
    print(f"  {kills} kills", flush=True)
    check(state == "awaiting" and kills > 0, f"done in the end: {state} after {kills} kills")
    check(after - before == 5 and len({i["result"] for i in done["items"]}) == 5 and len({i["device"] for i in done["items"]}) == 5, f"five certificates, not {after - before}")
    check([e["act"] for e in done["history"]].count("request.execute") == 1, "told once")
    for item in done["items"]:
        text = text_of("token", "show", f"pkcs11:serial={item['device']}?module-path={trouble}", "--pin-file", home / "pins" / f"user-{item['device']}.pin")
        rows = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        certs = [r for r in rows if r.get("class") == "certificate"]
        # a process that dies inside the module may leave a nameless half of a key there; what bears a name is one
        keys = [r for r in rows if r.get("class") == "private-key" and r.get("id") and any(r["id"] == c["id"] for c in certs)]
        check(len(certs) == 1 and len(keys) == 1, f"one key and its certificate on {item['device']}: {[(r.get('class'), r.get('id')) for r in rows]}")


def refused(code, *args, day=None):
    done = subprocess.run([antin, *map(str, args)], capture_output=True, text=True, env=dict(os.environ, **({"SOURCE_DATE_EPOCH": str(day)} if day else {})))
    check(done.returncode != 0 and code in done.stderr, f"{' '.join(map(str, args[:2]))}: wanted {code}: exit {done.returncode} {done.stdout[-200:]} {done.stderr[-300:]}")


def attacked(shown):
    """Somebody else's serial number in a certificate of one's own, one's own request approved, the register changed after the approval, a second loss."""
    head, cuc, p1 = "CB000003", "CB000001", "CB000004"
    agency, token = shown[1]["agency"], shown[1]["items"][0]["device"]
    key = ["--key", f"pkcs11:serial={token}?module-path={trouble}", "--pin-file", home / "pins" / f"user-{token}.pin"]
    officer = ["--key", f"pkcs11:token=can-bo-cuc?module-path={trouble}", "--cert", home / "can-bo-cuc.crt", "--pin-file", home / "pins" / "can-bo.pin"]
    day = started + 30 * 86400
    desk = lambda who, *args, **more: run(*args, "--dir", home, "--as", who, day=day, **more)
    person = desk(cuc, "person", "add", "--name", "Người Bị Tấn Công", "--agency", agency, "--email", "tancong@mau.gov.vn", "--identity", "001080000199",
                  "--identity-issued", "2016-05-04", "--identity-place", "Cục Cảnh sát", "--born", "1990-01-02", "--phone", "0913000099")["number"]
    desk(cuc, "person", "post", person, "--agency", agency, "--title", "Chuyên viên", "--since", "2018-01-01")
    subscriber = desk(head, "subscriber", "add", "--person", person)["number"]
    desk(cuc, "device", "prepare", f"pkcs11:?module-path={trouble}", "--model", "softhsm-v2")
    desk(cuc, "person", "role", p1, "--role", "qltt", "--agency", agency, "--document", "77/QĐ", "--since", "2018-01-01")
    request = desk(p1 + "/qltt", "request", "new", "--subject", subscriber, "--number", "77/ĐN-MẪU")["id"]
    serial = shown[1]["items"][0]["result"]
    shell("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "forged.key", "-out", "forged.crt", "-days", "9000",
          "-subj", "/C=VN/CN=X", "-set_serial", "0x" + serial, "-addext", "keyUsage=critical,digitalSignature")
    os.chmod(work / "forged.key", 0o600)
    at = ["--dir", home, "--as", head]
    refused("AN_E_REQUEST_SIGNER", "request", "sign", request, *at, "--key", work / "forged.key", "--cert", work / "forged.crt", day=day)
    desk(head + "/qltt", "request", "sign", request, *key)
    desk(p1 + "/qltt", "request", "send", request)
    desk(cuc, "request", "accept", request)
    desk(cuc, "person", "role", head, "--role", "cuc", "--agency", "G11.07.05", "--document", "78/QĐ", "--since", "2018-01-01")
    refused("AN_E_DECISION_SELF", "request", "approve", request, "--dir", home, "--as", head + "/cuc", *key, day=day)
    desk(cuc, "request", "approve", request, *officer)
    province = {"tay-ninh-2025": "Tây Ninh", "bac-ninh-2023": "Bắc Ninh", "gia-lai-2026": "Gia Lai", "dong-thap-2025": "Đồng Tháp"}[regulation]
    carry_out = lambda want, error: check((done := desk(cuc, "request", "execute", request, want=None)).get("carried_out") == want and done["error"] == error, f"carried out: {done}, wanted {want}")
    desk(cuc, "agency", "edit", agency, "--province", "Tỉnh Khác")
    carry_out(0, "AN_E_REQUEST_CHANGED")
    desk(cuc, "agency", "edit", agency, "--province", province)
    carry_out(1, "")
    serial = desk(cuc, "request", "show", request)["items"][0]["result"]
    dossiers = set()
    for hour in (1, 2):
        dossiers.add(run("request", "emergency", "--dir", home, "--as", head + "/qltt", "--certificate", serial, "--ground", "that-lac", day=day + 3600 * hour).get("id"))
        check(run("ca", "show", serial, "--dir", home).get("status") == "hold", f"held, time {hour}")
        run("request", "emergency", "--dir", home, "--as", head + "/qltt", "--certificate", serial, "--ground", "that-lac", day=day + 3600 * hour + 60)  # again: the same
        run("ca", "release", serial, "--dir", home, want=None)
    check(len(dossiers) == 2, f"a dossier for each loss: {dossiers}")


started = {"tay-ninh-2025": 1767600000, "dong-thap-2025": 1767600000, "gia-lai-2026": 1780300000, "bac-ninh-2023": 1685900000, "binh-thuan-2017": 1520200000}[regulation]
tell()
if not failures:
    found = requests()
    differences(found)
    certificates(found)
    letters()
    killed(found)
    if regulation != "binh-thuan-2017":  # there the list manager comes between
        attacked(found)
print(f"{regulation}: {passed} passed, {len(failures)} failed, 0 skipped")
shutil.rmtree(work, ignore_errors=True)
sys.exit(1 if failures else 0)
