#!/usr/bin/env python3
"""A document signed by xmlsec1, mutated: what xmlsec1 refuses, antin must not call intact."""
import json, os, random, re, shutil, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ANTIN = sys.argv[1]
ROUNDS = 10 if os.environ.get("ANTIN_SANITIZED") else 60  # a helper process a document is slow there
DS = "http://www.w3.org/2000/09/xmldsig#"
TEMPLATE = """<?xml version="1.0" encoding="UTF-8"?>
<invoice xmlns="urn:example" Id="doc"><number>123</number><lines><line Id="l1">one</line><line Id="l2">two</line></lines>
<ds:Signature xmlns:ds="{ds}" Id="sig"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="{c14n}"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
<ds:Reference URI="{uri}"><ds:Transforms><ds:Transform Algorithm="{ds}enveloped-signature"/>
<ds:Transform Algorithm="{c14n}"/></ds:Transforms>
<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>
</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature></invoice>
"""
METHODS = ["http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2001/10/xml-exc-c14n#",
           "http://www.w3.org/2006/12/xml-c14n11"]
XMLSEC_IDS = [part for name in ("invoice", "line", "number", "lines", "evil") for part in ("--id-attr:Id", f"urn:example:{name}")]


def run(*command, **more):
    return subprocess.run(list(map(str, command)), capture_output=True, timeout=60, **more)


def make_key(folder):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
        "-days", "30", "-subj", "/CN=Mutations", check=True)


def sign(folder, uri, c14n, name):
    plain, signed = folder / f"{name}.tmpl", folder / f"{name}.xml"
    plain.write_text(TEMPLATE.format(ds=DS, uri=uri, c14n=c14n))
    run("xmlsec1", "--sign", "--privkey-pem", f"{folder}/key.pem,{folder}/cert.pem", *XMLSEC_IDS, "--output", signed, plain, check=True)
    return signed.read_bytes()


def flip(data, dice):
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << dice.randrange(7))]) + data[at + 1:]


def drop(data, dice):
    at = dice.randrange(len(data))
    return data[:at] + data[at + dice.randrange(1, 20):]


def double_element(data, dice):
    found = list(re.finditer(rb"<(line|number|ds:Reference|ds:Transform|ds:DigestValue)\b[^>]*?(/>|>.*?</\1>)", data, re.S))
    pick = dice.choice(found)
    return data[:pick.end()] + pick.group() + data[pick.end():]


def wrap(data, dice):
    """The signed root goes inside another one that says something else."""
    body = data[data.index(b"<invoice"):]
    fake = b'<evil xmlns="urn:example" Id="%s"><number>999</number>' % dice.choice([b"other", b"doc"])
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + fake + body + b"</evil>"


def change_text(data, dice):
    return data.replace(*dice.choice([(b">123<", b">999<"), (b">one<", b">1<"), (b">two<", b"><!--x-->two2<"), (b'Id="l1"', b'Id="l9"')]))


MUTATIONS = [flip, flip, drop, double_element, wrap, change_text]


def xmlsec_accepts(path):
    return run("xmlsec1", "--verify", "--insecure", "--enabled-reference-uris", "empty,same-doc", *XMLSEC_IDS, path).returncode == 0


def antin_answer(path):
    """(intact, passed): every digest and value right; and the verdict."""
    done = run(ANTIN, "verify", "--json", "--policy", "rfc5280", path)
    if done.returncode < 0 or done.returncode >= 128:
        return None
    if done.returncode not in (0, 1, 2):
        return False, False
    report = json.loads(done.stdout)
    rules = [(f["id"], f["status"]) for s in report["signatures"] for f in s["checks"]]
    parts = ("signature.value", "signature.integrity", "format.structure")
    intact = bool(rules) and all(status == "passed" for rule, status in rules if rule in parts)
    return intact, done.returncode == 0


def judge(job):
    name, path, data = job
    path.write_bytes(data)
    answer = antin_answer(path)
    theirs = xmlsec_accepts(path)
    if answer is None:
        return "crash", name
    if answer[1]:
        return "passed without an anchor", name
    return ("both" if theirs else "only antin") if answer[0] else ("only xmlsec" if theirs else "neither"), name


def main():
    if not shutil.which("xmlsec1"):
        print("xmlsec1 is not installed")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder, dice, jobs = Path(name), random.Random(20251121), []
        make_key(folder)
        for i, (uri, c14n) in enumerate([(uri, c14n) for uri in ("", "#doc") for c14n in METHODS]):
            data = sign(folder, uri, c14n, f"base{i}")
            jobs.append((f"base {uri} {c14n}", folder / f"b{i}.xml", data))
            for j in range(ROUNDS // 2):
                mutation = MUTATIONS[j % len(MUTATIONS)]
                jobs.append((f"{mutation.__name__} {i}.{j}", folder / f"m{i}-{j}.xml", mutation(data, dice)))
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(judge, jobs))
    counts = {}
    for kind, _ in results:
        counts[kind] = counts.get(kind, 0) + 1
    bad = [r for r in results if r[0] in ("crash", "only antin", "passed without an anchor")]
    bad += [r for r in results if r[1].startswith("base") and r[0] != "both"]
    print(f"{len(results)} files: {counts}")
    for kind, what in bad + [r for r in results if r[0] == "only xmlsec"]:
        print(f"  {kind}: {what}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
