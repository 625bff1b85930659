#!/usr/bin/env python3
"""Devices from Cục to a subscriber and back, by the program itself, on SoftHSM2: records are PDFs signed by both sides (pdfsig judges),
a locked token is restored by whom the regulation names, a lost one is recorded, one that came back is wiped; refusals name their article.

story.py ANTIN TROUBLE.so [DATABASE-URL]"""
import json, os, shutil, subprocess, sys, tempfile
from pathlib import Path

antin, trouble = sys.argv[1], sys.argv[2]
database = sys.argv[3] if len(sys.argv) > 3 else None
SOFTHSM = next((p for p in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so") if os.path.exists(p)), None)
if SOFTHSM is None or shutil.which("openssl") is None:
    print("SoftHSM2 or openssl is not installed")
    sys.exit(77)
work = Path(tempfile.mkdtemp(prefix="antin-story-"))
(work / "tokens").mkdir()
(work / "softhsm2.conf").write_text(f"directories.tokendir = {work}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
os.environ.update(SOFTHSM2_CONF=str(work / "softhsm2.conf"), P11_TROUBLE_MODULE=SOFTHSM, P11_TROUBLE_CONTROL=str(work / "control"))
(work / "control").write_text("nothing 0\n")
MODULE = f"module-path={trouble}"
home = work / "dia-phuong"
failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def run(*args, want=0):
    done = subprocess.run([antin, *map(str, args), "--json"], capture_output=True, text=True)
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {}
    except json.JSONDecodeError:
        answer = {"text": done.stdout}
    if want is not None and (done.returncode == 0) != (want == 0):
        check(False, f"{' '.join(map(str, args[:4]))}: exit {done.returncode}: {done.stdout[-400:]} {done.stderr[-400:]}")
    return answer


def act(who, *args, refused=None):
    answer = run(*args, "--dir", home, "--as", who, want=0 if refused is None else 1)
    if refused is not None:
        text = json.dumps(answer, ensure_ascii=False)
        check(refused in text, f"{' '.join(map(str, args[:3]))} as {who}: wanted {refused} in {text[:300]}")
    return answer


def pin(name, text):
    path = work / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def shell(command):
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=work)
    if done.returncode:
        check(False, f"{command}: {done.stderr[-300:]}")
    return done.stdout


def make_home():
    extra = ["--database", database] if database else []
    run("init", home, "--name", "Cục và tỉnh (MẪU)", "--regulation", "dong-thap-2025", *extra)
    shell("openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 99 -subj '/C=VN/O=MẪU/CN=CA thử' -utf8 2>/dev/null")
    crt = home / "public" / "crt"
    crt.mkdir(parents=True, exist_ok=True)
    shutil.copy(work / "ca.pem", crt / "thu.crt")


def make_people():
    act("system", "agency", "add", "--name", "Cục Chứng thực số (MẪU)", "--code", "G11.07.05")
    act("system", "agency", "add", "--name", "Ủy ban nhân dân tỉnh Đồng Tháp (MẪU)", "--code", "H20", "--province", "Đồng Tháp", "--regulation", "dong-thap-2025")
    act("system", "agency", "add", "--name", "Sở Khoa học và Công nghệ (MẪU)", "--code", "H20.1", "--superior", "H20", "--seal-mm", "36", "--province", "Đồng Tháp")
    act("system", "agency", "add", "--name", "Sở Tài chính (MẪU)", "--code", "H20.2", "--superior", "H20", "--province", "Đồng Tháp")
    people = {}
    for key, name, agency, email in (("cuc", "Lê Cục Trưởng", "G11.07.05", "cuc@bcy.gov.vn"), ("so", "Phạm Sở Khoa", "H20.1", "so@dongthap.gov.vn"),
                                     ("qltt", "Trần Văn Bình", "H20.2", "binhtv@dongthap.gov.vn"), ("an", "Nguyễn Thị Ưởng", "H20.2", "uongnt@dongthap.gov.vn"),
                                     ("thu", "Đặng Văn Thư", "H20.2", "thudv@dongthap.gov.vn"), ("moi", "Võ Văn Mới", "H20.2", "moivv@dongthap.gov.vn")):
        people[key] = act("system", "person", "add", "--name", name, "--agency", agency, "--email", email, "--identity", f"0870{len(people):08d}", "--born",
                          "1980-02-03", "--phone", "0912345678")["number"]
    act("system", "person", "add", "--name", "Sai Thư", "--agency", "H20.2", "--email", "sai@gmail.com", refused="Mẫu số 01")
    act("system", "person", "post", people["qltt"], "--agency", "H20.2", "--title", "Giám đốc", "--head", "--since", "2020-01-01")
    for key, role, agency in (("cuc", "cuc", "G11.07.05"), ):
        act("system", "person", "role", people[key], "--role", role, "--agency", agency, "--since", "2020-01-01")
    act("system", "person", "list", refused="AN_E_REGISTRY_SETUP")
    for key, role, agency in (("so", "so-khcn", "H20.1"), ("qltt", "qltt", "H20.2")):
        act(people["cuc"], "person", "role", people[key], "--role", role, "--agency", agency, "--since", "2020-01-01")
    act(people["qltt"], "person", "role", people["thu"], "--role", "van-thu", "--agency", "H20.2", "--document", "05/QĐ-STC", "--since", "2020-01-01")
    act(people["qltt"], "person", "role", people["thu"], "--role", "cuc", "--agency", "H20.2", refused="AN_E_REGISTRY_GRANT")
    act(people["qltt"], "agency", "edit", "H20.1", "--address", "x", refused="AN_E_REGISTRY_MAY")
    return people


def personal_data(people):
    shown = act(people["thu"], "person", "show", people["an"])
    check(shown["identity"].endswith("003") and shown["identity"].startswith("****") and shown["born"] == "1980-01-01", "masked: " + str(shown["identity"]))
    check(act(people["qltt"], "person", "show", people["an"], "--reveal")["identity"] == "087000000003", "revealed to its manager")
    act(people["thu"], "person", "show", people["an"], "--reveal", refused="AN_E_REGISTRY_PERSONAL")
    # who looks says who he is; one's own entry is one's own; who keeps one agency sees that one
    check("AN_E_CLI_REQUIRED" in json.dumps(run("person", "list", "--dir", home, want=1)), "nobody looks without saying who he is")
    check(act(people["an"], "person", "show", people["an"], "--reveal")["identity"] == "087000000003", "his own")
    act(people["an"], "person", "show", people["thu"], refused="AN_E_REGISTRY_PERSONAL")
    act(people["an"], "person", "list", refused="AN_E_REGISTRY_PERSONAL")
    act(people["qltt"], "person", "list", "--agency", "H20.1", refused="AN_E_REGISTRY_PERSONAL")
    check({p["agency"] for p in act(people["qltt"], "person", "list")["people"]} == {"Sở Tài chính (MẪU)"}, "his own agency's")
    check(len(act(people["so"], "person", "list")["people"]) == 6, "everybody's")
    log = subprocess.run([antin, "audit", "list", "--dir", str(home), "--limit", "1000", "--json"], capture_output=True, text=True).stdout
    told = {(e["action"], e["actor"], e["outcome"]) for e in map(json.loads, log.splitlines())}
    for one in (("person.read", people["qltt"], "done"), ("person.read", people["thu"], "refused"), ("person.show", people["thu"], "done"),
                ("person.list", people["an"], "refused"), ("person.list", people["so"], "done")):
        check(one in told, f"told to the log: {one}")


def posts(people):
    act(people["qltt"], "person", "post", people["moi"], "--agency", "H20.2", "--title", "Chuyên viên", "--since", "2021-01-01")
    act(people["an"], "person", "end-post", people["moi"], refused="AN_E_REGISTRY_MAY")
    act(people["qltt"], "person", "end-post", people["moi"], "--title", "Giám đốc", refused="AN_E_REGISTRY_POST")
    act(people["qltt"], "person", "end-post", people["moi"])
    act(people["qltt"], "person", "end-post", people["moi"], refused="AN_E_REGISTRY_POST")
    check(act(people["qltt"], "person", "show", people["moi"])["posts"][0]["until"] is not None, "the post has ended")


def certificate(token, email):
    (work / f"{token}.ext").write_text(f"subjectAltName=email:{email}\nkeyUsage=critical,digitalSignature,nonRepudiation\n")
    shell(f"openssl x509 -new -force_pubkey {token}.spki -CA ca.pem -CAkey ca.key -subj '/C=VN/CN={token}' -days 60 -out {token}.pem -extfile {token}.ext")


def own_token(people, key, email):
    """A token that somebody has already, to sign records with."""
    made = run("token", "init", f"pkcs11:?{MODULE}", "--label", f"rieng-{key}", "--so-pin-file", pin("so.pin", "87654321"), "--pin-file", pin("rieng.pin", "123456"))
    uri = f"pkcs11:token=rieng-{key}?{MODULE}"
    done = subprocess.run([antin, "token", "generate", uri, "--label", "ky", "--id", "01", "--bits", "2048", "--pin-file", str(work / "rieng.pin")],
                          capture_output=True, text=True)
    (work / f"{key}.spki").write_text(done.stdout)
    certificate(key, email)
    run("token", "write", uri, "--cert", work / f"{key}.pem", "--id", "01", "--pin-file", work / "rieng.pin")
    return uri


def sign(people, key, record, uri, pin_file="rieng.pin", refused=None):
    return act(people[key], "device", "sign", record, "--key", uri, "--pin-file", work / pin_file, refused=refused)


def story():
    make_home()
    people = make_people()
    personal_data(people)
    posts(people)
    keys = {k: own_token(people, k, e) for k, e in (("cuc", "cuc@bcy.gov.vn"), ("so", "so@dongthap.gov.vn"), ("qltt", "binhtv@dongthap.gov.vn"),
                                                    ("an", "uongnt@dongthap.gov.vn"), ("thu", "thudv@dongthap.gov.vn"))}
    # Cục prepares a token; a clerk may not
    act(people["thu"], "device", "prepare", f"pkcs11:?{MODULE}", "--model", "softhsm-v2", refused="AN_E_REGISTRY_MAY")
    number = act(people["cuc"], "device", "prepare", f"pkcs11:?{MODULE}", "--model", "softhsm-v2")["number"]
    subscriber = act(people["qltt"], "subscriber", "add", "--person", people["an"])["number"]
    act(people["cuc"], "device", "edit", number, "--subscriber", subscriber)
    # Cục → QLTT: both sign; the wrong signer, the wrong certificate and the wrong order are refused
    record = act(people["cuc"], "device", "handover", number, "--to", "agency:H20.2", "--taker", people["qltt"])["record"]
    sign(people, "qltt", record, keys["qltt"], refused="AN_E_RECORD_SIGNER")
    sign(people, "cuc", record, keys["qltt"], refused="AN_E_RECORD_CERT")
    check(sign(people, "cuc", record, keys["cuc"])["state"] == "half-signed", "half signed")
    check(sign(people, "qltt", record, keys["qltt"])["state"] == "signed", "signed")
    act(people["cuc"], "device", "paper", record, work / "record.pdf")
    found = shell("pdfsig -nocert record.pdf")
    check(found.count("Signature Validation: Signature is Valid.") == 2, "pdfsig: " + found)
    check(found.count("Total document signed") == 1, "the second signature covers the whole: " + found)
    text = shell("pdftotext -layout record.pdf -")
    for words in ("Bàn giao thiết bị lưu khóa bí mật", "BÊN GIAO", "BÊN NHẬN", number[:8], "Nguyễn Thị Ưởng"):
        check(words in text, f"{words} on the record")
    check("087000000002" not in text, "the whole personal identifier is not on the record")
    # QLTT → subscriber; to somebody else it is refused with the article
    act(people["qltt"], "device", "handover", number, "--to", people["moi"], refused="nd-30-2020")
    record = act(people["qltt"], "device", "handover", number, "--to", people["an"])["record"]
    sign(people, "qltt", record, keys["qltt"])
    sign(people, "an", record, keys["an"])
    shown = act(people["qltt"], "device", "show", number)
    check((shown["state"], shown["holder"]) == ("dang-dung", "Nguyễn Thị Ưởng"), "in use: " + str(shown))
    # locked: three wrong PINs; restored by Sở, not by its own agency
    uri = shown["uri"]
    (work / "control").write_text("lock_after 3\nwrong_pins 3\n")
    act(people["qltt"], "device", "state", number, "bi-khoa", "--reason", "nhập sai mật khẩu quá số lần")
    act(people["qltt"], "device", "restore", number, "--new-pin-file", pin("new.pin", "Moi12345"), refused="AN_E_FORBIDDEN")
    act(people["so"], "device", "restore", number, "--new-pin-file", pin("bad.pin", "abcdefgh"), refused="AN_E_PIN_POLICY")
    act(people["so"], "device", "restore", number, "--new-pin-file", work / "new.pin")
    (work / "control").write_text("lock_after 3\n")
    listed = subprocess.run([antin, "token", "generate", uri, "--label", "k", "--id", "07", "--bits", "2048", "--pin-file", str(work / "new.pin")], capture_output=True, text=True)
    check(listed.returncode == 0, "the new PIN opens it: " + listed.stderr)
    check(act(people["so"], "device", "show", number)["state"] == "dang-dung", "restored")
    # return, and wipe
    act(people["cuc"], "device", "wipe", number, refused="AN_E_DEVICE_STATE")
    act(people["qltt"], "device", "return", number, "--to", "agency:H20.2", "--taker", people["qltt"], refused="AN_E_FORM_MISSING")  # no reason
    record = act(people["qltt"], "device", "return", number, "--to", "agency:H20.2", "--taker", people["qltt"], "--reason", "chứng thư bị thu hồi")["record"]
    sign(people, "an", record, keys["an"])
    sign(people, "qltt", record, keys["qltt"])
    record = act(people["qltt"], "device", "return", number, "--to", "buu-chinh", "--paper", "BC-123", "--reason", "bưu chính công ích")
    act(people["cuc"], "device", "return", number, "--to", "cuc", "--paper", "BC-124")
    act(people["cuc"], "device", "wipe", number)
    gone = subprocess.run([antin, "token", "show", uri, "--pin-file", str(work / "new.pin")], capture_output=True, text=True)
    check(gone.returncode != 0 and "private-key" not in gone.stdout, "nothing is left on it")
    shown = act(people["so"], "device", "show", number)
    check(shown["state"] == "chua-dung" and shown["holder_kind"] == "cuc", "ready for the next: " + str(shown["state"]))
    check([(l["from"], l["to"]) for l in shown["custody"]] == [("cuc", "agency"), ("agency", "person"), ("person", "agency"), ("agency", "buu-chinh"), ("buu-chinh", "cuc")],
          "unbroken: " + str(shown["custody"]))
    # an agency's device: change of custodian needs a written permission; then it is lost
    act(people["cuc"], "device", "add", "--number", "CQ-0001", "--model", "safenet-5110")
    agency = act(people["qltt"], "subscriber", "add", "--kind", "agency", "--agency", "H20.2", "--manager", people["thu"])["number"]
    act(people["cuc"], "device", "edit", "CQ-0001", "--subscriber", agency)
    act(people["cuc"], "device", "handover", "CQ-0001", "--to", "agency:H20.2", "--paper", "GN-01")
    record = act(people["qltt"], "device", "handover", "CQ-0001", "--to", people["thu"])["record"]
    sign(people, "qltt", record, keys["qltt"])
    sign(people, "thu", record, keys["thu"])
    act(people["qltt"], "device", "change", "CQ-0001", "--to", people["an"], refused="AN_E_")
    record = act(people["qltt"], "device", "change", "CQ-0001", "--to", people["an"], "--permission", "09/QĐ-STC")["record"]
    sign(people, "thu", record, keys["thu"])
    sign(people, "an", record, keys["an"])
    record = act(people["qltt"], "device", "lost", "CQ-0001", "--to", "agency:H20.2", "--taker", people["qltt"], "--reason", "mất khi đi công tác")["record"]
    sign(people, "an", record, keys["an"])
    sign(people, "qltt", record, keys["qltt"])
    check(act(people["qltt"], "device", "show", "CQ-0001")["state"] == "that-lac", "lost")
    sim_and_hsm(people, keys)


def moves_of(people, number):
    return [(e["from"], e["to"]) for e in act(people["so"], "device", "show", number)["events"]]


def subscriber_of(people, key):
    found = [s["number"] for s in act(people["qltt"], "subscriber", "list")["subscribers"] if s.get("person") == people[key]]
    return found[0] if found else act(people["qltt"], "subscriber", "add", "--person", people[key])["number"]


def hand_down(people, keys, number, key, kind):
    """From Cục over the agency to the holder, both steps on a record that both sides sign."""
    subscriber = subscriber_of(people, key)
    act(people["cuc"], "device", "edit", number, "--subscriber", subscriber)
    for who, to, extra in (("cuc", "agency:H20.2", ["--taker", people["qltt"]]), ("qltt", people[key], [])):
        record = act(people[who], "device", "handover", number, "--to", to, *extra)["record"]
        sign(people, who, record, keys[who])
        check(act(people[who], "device", "show", number)["state"] == "chua-dung", f"{kind}: not in use before both have signed")
        taker = key if to == people[key] else "qltt"
        check(sign(people, taker, record, keys[taker])["state"] == "signed", f"{kind}: both have signed")
    check(act(people["qltt"], "device", "show", number)["state"] == "dang-dung", f"{kind}: in use")


def sim_and_hsm(people, keys):
    """The other two kinds: every state of the table, and who may bring it about."""
    act(people["thu"], "device", "add", "--number", "SIM-1", "--kind", "sim-pki", "--carrier", "Viettel", "--phone", "0987654321", refused="AN_E_REGISTRY_MAY")
    act(people["cuc"], "device", "add", "--number", "SIM-1", "--kind", "sim-pki", "--carrier", "Gmobile", "--phone", "0987654321", refused="AN_E_DEVICE_SIM")
    act(people["cuc"], "device", "add", "--number", "SIM-1", "--kind", "sim-pki", "--carrier", "Viettel", "--phone", "0987654321")
    act(people["cuc"], "device", "edit", "SIM-1", "--phone", "98765", refused="Mẫu số 01")
    hand_down(people, keys, "SIM-1", "thu", "SIM")
    act(people["cuc"], "device", "edit", "SIM-1", "--phone", "0912345678", refused="AN_E_DEVICE_SIM")  # the number he has in use: not without /cs
    act(people["cuc"], "device", "edit", "SIM-1", "--phone", "0912345678", "--carrier", "Vinaphone/cs")
    shown = act(people["cuc"], "device", "show", "SIM-1")
    check((shown["carrier"], shown["phone"]) == ("Vinaphone/cs", "0912345678"), f"converted: {shown}")
    # locked, restored by Cục alone (Đồng Tháp Điều 11.3), broken, returned
    act(people["an"], "device", "state", "SIM-1", "bi-khoa", "--reason", "quên mật khẩu", refused="AN_E_REGISTRY_MAY")
    act(people["qltt"], "device", "state", "SIM-1", "bi-khoa", "--reason", "quên mật khẩu")
    act(people["so"], "device", "restore", "SIM-1", "--new-pin-file", pin("sim.pin", "246813"), refused="AN_E_FORBIDDEN")
    act(people["cuc"], "device", "restore", "SIM-1", "--new-pin-file", work / "sim.pin", refused="AN_E_TOKEN_ABSENT")  # it is in no reader
    run("token", "init", f"pkcs11:?{MODULE}", "--label", "sim-1", "--so-pin-file", work / "so.pin", "--pin-file", work / "rieng.pin")
    act(people["cuc"], "device", "edit", "SIM-1", "--uri", f"pkcs11:token=sim-1?{MODULE}")
    act(people["cuc"], "device", "restore", "SIM-1", "--new-pin-file", work / "sim.pin", "--so-pin-file", work / "so.pin")
    check(act(people["cuc"], "device", "show", "SIM-1")["state"] == "dang-dung", "restored by Cục")
    act(people["cuc"], "device", "state", "SIM-1", "dang-dung", refused="AN_E_DEVICE_STATE")
    act(people["qltt"], "device", "state", "SIM-1", "hong", "--reason", "rơi nước")
    act(people["cuc"], "device", "restore", "SIM-1", "--new-pin-file", work / "sim.pin", refused="AN_E_DEVICE_STATE")
    record = act(people["qltt"], "device", "return", "SIM-1", "--to", "agency:H20.2", "--taker", people["qltt"], "--reason", "hỏng")["record"]
    sign(people, "thu", record, keys["thu"])
    sign(people, "qltt", record, keys["qltt"])
    act(people["qltt"], "device", "return", "SIM-1", "--to", "cuc", "--paper", "BC-130", "--reason", "hỏng")
    act(people["cuc"], "device", "wipe", "SIM-1", "--so-pin-file", work / "so.pin")
    check(moves_of(people, "SIM-1") == [("", "chua-dung"), ("chua-dung", "dang-dung"), ("dang-dung", "bi-khoa"), ("bi-khoa", "dang-dung"), ("dang-dung", "hong"),
                                        ("hong", "da-thu-hoi"), ("da-thu-hoi", "chua-dung")], f"every state of a SIM: {moves_of(people, 'SIM-1')}")
    # lost on its way: the record, signed by both, is what makes it lost; a second SIM, locked first
    act(people["cuc"], "device", "add", "--number", "SIM-2", "--kind", "sim-pki", "--carrier", "Mobifone", "--phone", "0987654322")
    hand_down(people, keys, "SIM-2", "an", "SIM")
    act(people["qltt"], "device", "state", "SIM-2", "bi-khoa", "--reason", "nhập sai")
    act(people["qltt"], "device", "lost", "SIM-2", "--to", "agency:H20.2", "--taker", people["qltt"], refused="AN_E_FORM_MISSING")  # no reason
    record = act(people["qltt"], "device", "lost", "SIM-2", "--to", "agency:H20.2", "--taker", people["qltt"], "--reason", "mất điện thoại")["record"]
    check(sign(people, "an", record, keys["an"])["state"] == "half-signed" and act(people["so"], "device", "show", "SIM-2")["state"] == "bi-khoa", "not lost by one signature")
    sign(people, "qltt", record, keys["qltt"])
    check(moves_of(people, "SIM-2")[-1] == ("bi-khoa", "that-lac"), "lost by both")
    act(people["qltt"], "device", "state", "SIM-2", "bi-khoa", refused="AN_E_DEVICE_STATE")
    # an account on an HSM: what it needs, and its states without a record's (none is handed over: Mẫu 07 is for devices)
    act(people["cuc"], "device", "add", "--number", "HSM-1", "--kind", "hsm", refused="AN_E_DEVICE_FIELD")
    act(people["cuc"], "device", "add", "--number", "HSM-1", "--kind", "hsm", "--account", "moivv@hsm")
    act(people["cuc"], "device", "edit", "HSM-1", "--account", "", refused="AN_E_DEVICE_FIELD")
    hand_down(people, keys, "HSM-1", "an", "HSM")
    act(people["qltt"], "device", "state", "HSM-1", "bi-khoa", "--reason", "nhập sai mã")
    act(people["so"], "device", "restore", "HSM-1", "--new-pin-file", work / "sim.pin", refused="AN_E_FORBIDDEN")
    log = subprocess.run([antin, "audit", "list", "--dir", str(home), "--limit", "1000", "--json"], capture_output=True, text=True).stdout
    told = [e for e in map(json.loads, log.splitlines()) if e["action"] == "device.restore" and e["object"] == "device:HSM-1"]
    check([(e["actor"], e["outcome"]) for e in told] == [(people["so"], "refused")], f"the refusal is told before a token is looked for: {told}")


try:
    story()
finally:
    if os.environ.get("ANTIN_KEEP"):
        print(work)
    else:
        shutil.rmtree(work)
print(f"{len(failures)} failed")
sys.exit(1 if failures else 0)
