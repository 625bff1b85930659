#!/usr/bin/env python3
"""Random acts on certificates beside a model of twenty lines; lists judged by openssl. usage: model.py TOOL [URL]

ANTIN_FULL=1: ten times as many. ANTIN_SEED: the same acts again."""
import os, random, re, shutil, signal, subprocess, sys, tempfile

TOOL, URL = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "-"
SEED = int(os.environ.get("ANTIN_SEED") or random.SystemRandom().randrange(1 << 32))
ACTS = 6000 if os.environ.get("ANTIN_FULL") else 600
GROUNDS = {"lo-khoa": "Key Compromise", "ngung-hoat-dong": "Cessation Of Operation", "quan-ly-truc-tiep": "Privilege Withdrawn", "thiet-bi-hong": None}
rng = random.Random(SEED)
folder = tempfile.mkdtemp(prefix="antin-model-")
counts, refusals, kills = {}, {}, 0


class Tool:
    def start(self):
        self.process = subprocess.Popen([TOOL, folder, URL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n", "did not start"

    def ask(self, *words):
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().split()
        except BrokenPipeError:
            return []

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


class Certificate:
    def __init__(self, days, renewals=0):
        self.days, self.renewals, self.status, self.ground, self.followed = days, renewals, "good", None, False


model, keys = {}, {}        # serial → certificate; request key → (act, arguments, outcome)
tool = Tool()
tool.start()
crl_number = 0


def expect(got, wanted, what):
    assert got == wanted, f"seed {SEED}: {what}: {got}, the model says {wanted}"


def expected(act, args):
    """What the rules say: "ok" or a code."""
    if act == "issue":
        return "ok"
    certificate = model.get(args[0])
    if act == "revoke":
        return "ok" if certificate.status in ("good", "held") else "AN_E_CERTIFY_STATUS"
    if act == "hold":
        return "ok" if certificate.status == "good" else "AN_E_CERTIFY_STATUS"
    if act == "release":
        return "ok" if certificate.status == "held" else "AN_E_CERTIFY_STATUS"
    if certificate.status != "good":
        return "AN_E_CERTIFY_STATUS"
    if certificate.days < (30 if act == "renew" else 1):
        return "AN_E_CERTIFY_LATE"
    if act == "renew" and certificate.renewals >= 1:
        return "AN_E_CERTIFY_RENEW"
    return "AN_E_CERTIFY_FOLLOWED" if certificate.followed else "ok"


def apply(act, args, serial):
    if act == "issue":
        assert serial not in model, f"serial {serial} twice"
        model[serial] = Certificate(int(args[2]))
        return
    certificate = model[args[0]]
    if act in ("revoke", "hold", "release"):
        certificate.status = {"revoke": "revoked", "hold": "held", "release": "good"}[act]
        certificate.ground = args[1] if act == "revoke" else None
        return
    assert serial not in model, f"serial {serial} twice"
    certificate.followed = True
    model[serial] = Certificate(3 * 365 if act == "renew" else certificate.days, certificate.renewals + (act == "renew"))
    if act == "change":
        certificate.status, certificate.ground = "revoked", "thay-the"


def pick():
    act = rng.choices(["issue", "revoke", "hold", "release", "renew", "change"], [5, 3, 3, 3, 2, 2])[0] if model else "issue"
    if act == "issue":
        return act, [rng.randrange(4), f"may-{rng.randrange(10**6)}", rng.choice([10, 29, 31, 200])]
    serial = rng.choice(list(model)[-40:])
    if act == "revoke":
        return act, [serial, rng.choice(list(GROUNDS))]
    if act in ("hold", "release"):
        return act, [serial]
    return act, [serial, rng.randrange(4)] + ([f"doi-{rng.randrange(10**6)}"] if act == "change" else [])


def step(number):
    """One act; sometimes the same request again, sometimes its key with another request, sometimes a kill in the middle."""
    global kills
    again = keys and rng.random() < 0.08
    if again:
        key = rng.choice(list(keys))
        act, args, outcome = keys[key]
        got = tool.ask(act, key, *args)
        expect(got, outcome, f"again {act} {args}")
        counts["again"] = counts.get("again", 0) + 1
        return
    act, args = pick()
    key = f"k:{number}"
    wanted = expected(act, args)
    if rng.random() < 0.02:
        tool.process.stdin.write(f"{act} {key} {' '.join(map(str, args))}\n")
        tool.process.stdin.flush()
        if rng.random() < 0.5:
            tool.process.stdout.readline()
        tool.kill()
        tool.start()
        kills += 1
    got = tool.ask(act, key, *args)
    if wanted != "ok":
        expect(got, ["no", wanted], f"{act} {args}")
        refusals[wanted] = refusals.get(wanted, 0) + 1
        return
    expect(got[:1], ["ok"], f"{act} {args}: {got}")
    apply(act, args, got[1] if len(got) > 1 else None)
    keys[key] = (act, args, got)
    counts[act] = counts.get(act, 0) + 1


def read_list(name):
    """openssl's reading of a list: serial → reason."""
    path = os.path.join(folder, name)
    subprocess.run(["openssl", "x509", "-inform", "DER", "-in", f"{folder}/issuer.der", "-out", f"{folder}/issuer.pem"], check=True)
    text = subprocess.run(["openssl", "crl", "-inform", "DER", "-in", path, "-noout", "-text", "-CAfile", f"{folder}/issuer.pem"], capture_output=True, text=True)
    assert "verify OK" in text.stderr, text.stderr
    entries = {}
    for entry in text.stdout.split("    Serial Number: ")[1:]:
        serial = entry.split()[0].lower()
        found = re.search(r"CRL Reason Code: \n\s+(.*)", entry)
        assert serial not in entries, f"{serial} twice in {name}"
        entries[serial] = found.group(1).strip() if found else None
    number = int(re.search(r"X509v3 CRL Number: \n\s+(\w+)", text.stdout).group(1), 0)
    return number, entries


def check_lists():
    global crl_number
    got = tool.ask("crl")
    expect(got[0], "ok", f"crl {got}")
    number, entries = read_list("full.crl")
    assert number > crl_number and number == int(got[1]), f"number {number} after {crl_number}"
    crl_number = number
    reasons = dict(GROUNDS, **{"thay-the": "Superseded"})
    wanted = {s: "Certificate Hold" if c.status == "held" else reasons[c.ground] for s, c in model.items() if c.status in ("revoked", "held")}
    expect({k.lstrip("0"): v for k, v in entries.items()}, {k.lstrip("0"): v for k, v in wanted.items()}, "full list")


def check_all():
    check_lists()
    faults, events, findings = tool.ask("check")[1:]
    expect((faults, findings), ("0", "0"), "invariants, audit")
    return int(events)


try:
    for number in range(ACTS):
        step(number)
        if number % 60 == 59:
            check_lists()
    events = check_all()
    for act in ("issue", "revoke", "hold", "release", "renew", "change", "again"):
        assert counts.get(act), f"never: {act}"
    print(f"seed {SEED}: {sum(counts.values())} acts done {counts}, {sum(refusals.values())} refused {refusals}, {kills} kills, {len(model)} certificates, "
          f"list number {crl_number}, {events} audit events, 0 findings")
    print("1 passed, 0 failed, 0 skipped")
finally:
    tool.process.kill()
    shutil.rmtree(folder, ignore_errors=True)
