#!/usr/bin/env python3
"""Kinds of signatures made by other tools (xmlsec1, openssl, zip): each must be read as what it is, and not one flipped bit of what
it signs may pass. usage: kinds.py ANTIN [--only TEXT] [--keep DIR]"""
import argparse, base64, hashlib, io, json, re, shutil, subprocess, sys, tempfile, zipfile
from pathlib import Path

DS = "http://www.w3.org/2000/09/xmldsig#"
ENC = "http://www.w3.org/2001/04/xmlenc#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
MORE7 = "http://www.w3.org/2007/05/xmldsig-more#"
MORE21 = "http://www.w3.org/2021/04/xmldsig-more#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
C14N11 = "http://www.w3.org/2006/12/xml-c14n11"
DSIG11 = "http://www.w3.org/2009/xmldsig11#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
FILTER2 = "http://www.w3.org/2002/06/xmldsig-filter2"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XADES = {"1.1.1": "http://uri.etsi.org/01903/v1.1.1#", "1.2.2": "http://uri.etsi.org/01903/v1.2.2#", "1.3.2": "http://uri.etsi.org/01903/v1.3.2#"}
ASIC = "http://uri.etsi.org/02918/v1.2.1#"
PASSED, FAILED, OPEN = "TOTAL-PASSED", "TOTAL-FAILED", "INDETERMINATE"
IDS = [part for name in ("Object", "SignedProperties", "SignatureValue", "doc", "part", "Manifest", "KeyInfo", "SignatureProperties", "invoice")
       for part in ("--id-attr:Id", name)]


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=60, **more)
    if done.returncode:
        raise RuntimeError(f"{command[:3]}: {done.stderr.decode(errors='replace')[-800:]}")
    return done.stdout


# ---- keys ----
KEYS = {
    "rsa": ["-newkey", "rsa:2048"],
    "pss": ["-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"],
    "p256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p521": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "brainpool": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"],
    "brainpool384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1"],
    "ed25519": ["-newkey", "ed25519"],
    "ed448": ["-newkey", "ed448"],
}


class World:
    def __init__(self, folder):
        self.folder = folder
        self.made = {}
        self.count = 0

    def key(self, name):
        if name == "tsa":
            return None, self.folder / "tsa.pem"
        if name not in self.made:
            key, cert, der = (self.folder / f"{name}.{end}" for end in ("key", "pem", "der"))
            run("openssl", "req", "-x509", *KEYS[name], "-nodes", "-keyout", key, "-out", cert, "-days", "30", "-subj", f"/CN=Kind {name}",
                "-addext", "keyUsage=critical,digitalSignature,nonRepudiation")
            run("openssl", "x509", "-in", cert, "-outform", "der", "-out", der)
            self.made[name] = (key, cert, der.read_bytes())
        return self.made[name]

    def path(self, end=""):
        self.count += 1
        return self.folder / f"f{self.count}{end}"

    def put(self, data, end=""):
        path = self.path(end)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def xmlsec(self, template, key="rsa", folder=None):
        private, cert, _ = self.key(key)
        source, target = self.put(template, ".tmpl"), self.path(".xml")
        run("xmlsec1", "--sign", "--privkey-pem", f"{private},{cert}", *IDS, "--output", target, source, cwd=folder or self.folder)
        return target.read_bytes()


def resign(world, signed, method, key, *how):
    """Methods that xmlsec1 does not know: its digests, and the value over the canonical SignedInfo made by openssl."""
    text = re.sub(r'(<ds:SignatureMethod Algorithm=")[^"]*', lambda m: m.group(1) + method, signed.decode())
    info = re.search(r"<ds:SignedInfo>.*</ds:SignedInfo>", text, re.S).group()
    canonical = re.sub(r"<([\w:]+)([^<>]*)/>", r"<\1\2></\1>", info).replace("<ds:SignedInfo>", f'<ds:SignedInfo xmlns:ds="{DS}">', 1)
    private, _, der = world.key(key)
    value = run("openssl", "pkeyutl", "-sign", "-inkey", private, "-rawin", "-in", world.put(canonical), *how)
    text = re.sub(r'(<ds:SignatureValue Id="value">).*?(</ds:SignatureValue>)', lambda m: m.group(1) + base64.b64encode(value).decode() + m.group(2), text,
                  flags=re.S)
    text = re.sub(r"<ds:X509Data>.*</ds:X509Data>", f"<ds:X509Data><ds:X509Certificate>{base64.b64encode(der).decode()}</ds:X509Certificate></ds:X509Data>",
                  text, flags=re.S)
    return text.encode()


# ---- XML ----
def transforms(*items):
    parts = [i if i.startswith("<") else f'<ds:Transform Algorithm="{i}"/>' for i in items]
    return f'<ds:Transforms>{"".join(parts)}</ds:Transforms>' if parts else ""


def reference(uri, *items, digest=ENC + "sha256", more=""):
    at = "" if uri is None else f' URI="{uri}"'
    return (f'<ds:Reference{at}{more}>{transforms(*items)}<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue></ds:DigestValue>'
            "</ds:Reference>")


def signature(*references, method=MORE + "rsa-sha256", c14n=EXC, objects="", key_info="<ds:X509Data/>", more=""):
    return (f'<ds:Signature xmlns:ds="{DS}" Id="sig"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{c14n}"/>'
            f'<ds:SignatureMethod Algorithm="{method}"/>{"".join(references)}</ds:SignedInfo><ds:SignatureValue Id="value"/>'
            f'<ds:KeyInfo Id="keyinfo">{key_info}</ds:KeyInfo>{objects}{more}</ds:Signature>')


def xpath(expression, names=""):
    return f'<ds:Transform Algorithm="{XPATH}"><ds:XPath {names}>{expression}</ds:XPath></ds:Transform>'


def filter2(*filters):
    inside = "".join(f'<f:XPath Filter="{kind}" xmlns:f="{FILTER2}">{text}</f:XPath>' for kind, text in filters)
    return f'<ds:Transform Algorithm="{FILTER2}">{inside}</ds:Transform>'


def properties(world, key="rsa", version="1.3.2", v2=False, digest="sha256", formats="", name="props"):
    der, ns = world.key(key)[2], XADES[version]
    value = base64.b64encode(hashlib.new(digest, der).digest()).decode()
    dg = "ds" if version == "1.3.2" else "x"
    uri = {"sha256": ENC + "sha256", "sha512": ENC + "sha512", "sha1": DS + "sha1"}[digest]
    issuer = "" if v2 else ("<x:IssuerSerial><ds:X509IssuerName>CN=Kind</ds:X509IssuerName><ds:X509SerialNumber>1</ds:X509SerialNumber>"
                            "</x:IssuerSerial>")
    tag = "SigningCertificateV2" if v2 else "SigningCertificate"
    return (f'<ds:Object Id="propobject"><x:QualifyingProperties xmlns:x="{ns}" Target="#sig"><x:SignedProperties Id="{name}"><x:SignedSignatureProperties>'
            f"<x:SigningTime>2025-10-01T08:00:00Z</x:SigningTime><x:{tag}><x:Cert><x:CertDigest><{dg}:DigestMethod Algorithm=\"{uri}\"/>"
            f"<{dg}:DigestValue>{value}</{dg}:DigestValue></x:CertDigest>{issuer}</x:Cert></x:{tag}></x:SignedSignatureProperties>"
            f"{formats}</x:SignedProperties></x:QualifyingProperties></ds:Object>")


def props_reference(version="1.3.2", *items):
    kind = XADES[version] + "SignedProperties" if version != "1.3.2" else "http://uri.etsi.org/01903#SignedProperties"
    return reference("#props", *(items or (EXC,)), more=f' Type="{kind}"')


ENVELOPED = DS + "enveloped-signature"
TEXT = '<doc xmlns="" Id="d"><part Id="p1">m&#7897;t</part><!-- n --><part Id="p2">hai</part>%s</doc>'


class Case:
    def __init__(self, name, data, expect=PASSED, end=".xml", sub=None, coverage=None, level=None, word=None, named=(), key="rsa", mutate=None,
                 policy="rfc5280", count=None, untrusted=False, proven=None, refused=False):
        self.__dict__.update(locals())


def xml_cases(world):
    out = []

    def add(name, sig, doc=TEXT, key="rsa", **more):
        out.append(Case("xml " + name, world.xmlsec(doc % sig, key), key=key, mutate=more.pop("mutate", (b">hai<", b">ha1<")), **more))

    for name, method in (("exclusive", EXC), ("exclusive with comments", EXC + "WithComments"), ("1.0", C14N), ("1.0 with comments", C14N + "#WithComments"),
                         ("1.1", C14N11), ("1.1 with comments", C14N11 + "#WithComments")):
        add(f"enveloped, c14n {name}", signature(reference("", ENVELOPED, method), c14n=method), coverage="whole-file")
    add("no c14n transform", signature(reference("", ENVELOPED)), coverage="whole-file")
    for digest, uri in (("sha1", DS + "sha1"), ("sha224", MORE + "sha224"), ("sha384", MORE + "sha384"), ("sha512", ENC + "sha512")):
        add(f"digest {digest}", signature(reference("", ENVELOPED, digest=uri)))
    for digest in ("sha1", "sha224", "sha384", "sha512"):
        method = (DS if digest == "sha1" else MORE) + f"rsa-{digest}"
        add(f"rsa-{digest}", signature(reference("", ENVELOPED), method=method), expect=PASSED)
    for key, digest in (("p256", "sha256"), ("p384", "sha384"), ("p521", "sha512"), ("brainpool", "sha256"), ("brainpool384", "sha384"), ("p256", "sha1")):
        add(f"ecdsa {key} {digest}", signature(reference("", ENVELOPED), method=MORE + f"ecdsa-{digest}"), key=key)
    plain = world.xmlsec(TEXT % signature(reference("", ENVELOPED, EXC)))
    for digest in ("sha256", "sha384", "sha512"):
        size = str(int(digest[3:]) // 8)
        data = resign(world, plain, MORE7 + f"{digest}-rsa-MGF1", "rsa", "-digest", digest, "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", f"rsa_pss_saltlen:{size}")
        out.append(Case(f"xml pss {digest}", data, mutate=(b">hai<", b">ha1<")))
    for key in ("ed25519", "ed448"):
        out.append(Case(f"xml {key}", resign(world, plain, MORE21 + f"eddsa-{key}", key), key=key, mutate=(b">hai<", b">ha1<")))
    add("document by id", signature(reference("#d", ENVELOPED)), coverage="whole-file")
    add("document by xpointer id", signature(reference("#xpointer(id('d'))", ENVELOPED)), coverage="whole-file")
    add("xpointer root", signature(reference("#xpointer(/)", ENVELOPED)), coverage="whole-file")
    add("both parts by id", signature(reference("#p1"), reference("#p2")), coverage="whole-file")
    add("one part by id", signature(reference("#p2")), expect=OPEN, sub="SIG_CONSTRAINTS_FAILURE", coverage="part")
    add("enveloping text", signature(reference("#o"), objects='<ds:Object Id="o">hai <b xmlns="">x</b></ds:Object>'), doc="%s", mutate=(b">hai ", b">ha1 "),
        coverage="whole-file")
    add("enveloping base64", signature(reference("#o", DS + "base64"), objects='<ds:Object Id="o" Encoding="%sbase64">aGFp</ds:Object>' % DS), doc="%s",
        mutate=(b"aGFp", b"aGFq"), coverage="whole-file")
    add("enveloping manifest", signature(reference("#m", more=f' Type="{DS}Manifest"'),
        objects=f'<ds:Object><ds:Manifest Id="m">{reference("#o")}</ds:Manifest></ds:Object><ds:Object Id="o">hai</ds:Object>'.replace(
            "<ds:DigestValue></ds:DigestValue>", "<ds:DigestValue>%s</ds:DigestValue>" % base64.b64encode(hashlib.sha256(
                b'<ds:Object xmlns:ds="%s" Id="o">hai</ds:Object>' % DS.encode()).digest()).decode())), doc="%s", coverage="whole-file")
    # internally detached: the signature beside what it signs
    add("internally detached", signature(reference("#p1"), reference("#p2")), coverage="whole-file")
    # XPath, version 1: all but signatures; and a signer who left a part out
    add("xpath without signatures", signature(reference("", xpath("not(ancestor-or-self::ds:Signature)"), EXC)), coverage="whole-file")
    add("xpath leaves a part out", signature(reference("", ENVELOPED, xpath("not(ancestor-or-self::part[@Id='p1'])"), EXC)), expect=OPEN,
        sub="SIG_CONSTRAINTS_FAILURE", coverage="part")
    add("xpath leaves an attribute out", signature(reference("", ENVELOPED, xpath("not(self::node()[name()='Id'])"), EXC)), expect=OPEN,
        sub="SIG_CONSTRAINTS_FAILURE", coverage="part")
    add("xpath takes nothing", signature(reference("", xpath("false()"), EXC)), expect=OPEN, sub="SIG_CONSTRAINTS_FAILURE", coverage="part", mutate=())
    add("filter 2 subtract signatures", signature(reference("", filter2(("subtract", "//*[local-name()='Signature']")), EXC)), coverage="whole-file")
    add("filter 2 intersect a part", signature(reference("", filter2(("intersect", "//part[@Id='p2']")), EXC)), expect=OPEN, sub="SIG_CONSTRAINTS_FAILURE",
        coverage="part")
    add("filter 2 intersect, subtract, union", signature(reference("", filter2(("intersect", "/doc"), ("subtract", "//*[local-name()='Signature']"),
                                                                               ("union", "//part[@Id='p2']")), EXC)), coverage="whole-file")
    # the signer's key
    add("certificate in KeyInfo signed too", signature(reference("", ENVELOPED), reference("#keyinfo")), coverage="whole-file")
    other = ('<ds:Object><ds:KeyInfo Id="elsewhere"><ds:X509Data/></ds:KeyInfo></ds:Object>'
             .replace("<ds:X509Data/>", "<ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data>" % base64.b64encode(world.key("rsa")[2]).decode()))
    for name, how in (("KeyInfoReference", f'<k:KeyInfoReference xmlns:k="{DSIG11}" URI="#elsewhere"/>'),
                      ("RetrievalMethod", f'<ds:RetrievalMethod URI="#elsewhere" Type="{DS}X509Data"/>')):
        data = world.xmlsec(TEXT % signature(reference("", ENVELOPED), objects=other, key_info="<ds:KeyName/>"))
        out.append(Case(f"xml {name}", re.sub(rb"<ds:KeyName>.*?</ds:KeyName>|<ds:KeyName/>", how.encode(), data), mutate=(b">hai<", b">ha1<")))
    add("no KeyInfo", signature(reference("", ENVELOPED)).replace("<ds:KeyInfo Id=\"keyinfo\"><ds:X509Data/></ds:KeyInfo>", ""), expect=OPEN,
        sub="NO_SIGNING_CERTIFICATE_FOUND")
    # XAdES of every age
    for version in XADES:
        add(f"xades {version}", signature(reference("", ENVELOPED, EXC), props_reference(version), objects=properties(world, version=version)), level="B-B",
            coverage="whole-file")
    add("xades v2 certificate", signature(reference("", ENVELOPED, EXC), props_reference(), objects=properties(world, v2=True)), level="B-B")
    add("xades sha512 certificate digest", signature(reference("", ENVELOPED, EXC), props_reference(), objects=properties(world, digest="sha512")), level="B-B")
    add("xades ecdsa", signature(reference("", ENVELOPED, EXC), props_reference(), objects=properties(world, "p384"), method=MORE + "ecdsa-sha384"),
        key="p384", level="B-B")
    add("xades no KeyInfo, certificate trusted", signature(reference("", ENVELOPED, EXC), props_reference(), objects=properties(world)).replace(
        "<ds:KeyInfo Id=\"keyinfo\"><ds:X509Data/></ds:KeyInfo>", ""), level="B-B")
    add("xades properties by filter 2", signature(reference("", ENVELOPED, EXC), reference("#propobject", filter2(
        ("intersect", "id('propobject')/*/*")), EXC, more=f' Type="{XADES["1.1.1"]}SignedProperties"'), objects=properties(world, version="1.1.1")), level="B-B")
    add("xades properties cut by filter 2", signature(reference("", ENVELOPED, EXC), reference("#props", filter2(
        ("subtract", "//*[local-name()='SigningTime']")), EXC, more=' Type="http://uri.etsi.org/01903#SignedProperties"'), objects=properties(world)),
        expect=OPEN, sub="SIG_CONSTRAINTS_FAILURE", mutate=())
    add("xades properties in an object signed whole", signature(reference("", ENVELOPED, EXC), reference(
        "#propobject", EXC, more=' Type="http://uri.etsi.org/01903#SignedProperties"'), objects=properties(world)), level="B-B")
    add("xades properties not signed", signature(reference("", ENVELOPED, EXC), objects=properties(world)), expect=OPEN, sub="SIG_CONSTRAINTS_FAILURE")
    add("xades properties without type, neutral policy", signature(reference("", ENVELOPED, EXC), reference("#props", EXC), objects=properties(world)),
        expect=OPEN, sub="SIG_CONSTRAINTS_FAILURE", policy="etsi-qes")
    add("xades another certificate named", signature(reference("", ENVELOPED, EXC), props_reference(), objects=properties(world, "p256")), expect=OPEN,
        sub="NO_SIGNING_CERTIFICATE_FOUND")
    return out


def wrapping_cases(world):
    """Signature wrapping: what is signed is still somewhere, what people read is something else."""
    good, evil = '<doc xmlns="" Id="d"><part>100</part></doc>', '<doc xmlns="" Id="e"><part>999</part></doc>'
    signed = world.xmlsec(f'<r xmlns="">{good}{signature(reference("#d", EXC))}</r>').decode()
    sig, same = re.search(r"<ds:Signature .*</ds:Signature>", signed, re.S).group(), evil.replace('"e"', '"d"')
    plain = re.search(r"<doc .*?</doc>", signed, re.S).group()

    def inside(what):
        return sig.replace("</ds:Signature>", f"<ds:Object>{what}</ds:Object></ds:Signature>")

    def around(what):
        return evil.replace("</doc>", what + "</doc>")

    made = {"evil first, good in an object": evil + inside(plain), "evil first, good last": evil + sig + plain, "good in evil": around(plain) + sig,
            "good and signature in evil": around(plain + sig), "signature in evil, good beside": around(sig) + plain, "good in an extension": evil + sig + f"<x>{plain}</x>",
            "one identifier, evil first": same + plain + sig, "one identifier, good first": plain + same + sig, "evil in an object": plain + inside(evil),
            "evil of the same identifier in an object": plain + inside(same), "evil in the object of an object": plain + inside(f"<ds:Object>{evil}</ds:Object>"),
            "good in KeyInfo": evil + sig.replace("</ds:KeyInfo>", plain + "</ds:KeyInfo>"), "evil text beside": plain + sig + "999",
            "evil in an attribute of the root": (plain + sig, ' total="999"'), "identifier by another attribute": evil.replace('Id="e"', 'ID="d"') + plain + sig,
            "identifier by xml:id": evil.replace('Id="e"', 'xml:id="d"') + plain + sig}
    out = [Case("wrapping: none", signed.encode(), coverage="whole-file", mutate=(b">100<", b">101<"))]
    for name, body in made.items():
        body, more = body if isinstance(body, tuple) else (body, "")
        out.append(Case("wrapping: " + name, f'<?xml version="1.0"?><r{more}>{body}</r>'.encode(), expect=None, refused=True))
    dtd = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e "%s">%s]>'
    out.append(Case("dtd: identifier declared for another attribute", (dtd % ("x", '<!ATTLIST doc n ID #IMPLIED>') + f"<r>{evil.replace('Id=', 'n=').replace(chr(34) + 'e', chr(34) + 'd')}{plain}{sig}</r>").encode(),
                    expect=None, refused=True))
    out.append(Case("dtd: entity holds the evil", (dtd % ("999", "") + f"<r>{plain.replace('100', '&e;')}{sig}</r>").encode(), FAILED))
    lol = "".join(f'<!ENTITY l{i} "{("&l%d;" % (i - 1)) * 10}">' for i in range(1, 12))
    out.append(Case("dtd: billion laughs", ('<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "lol">' + lol + f"]><r>{plain}{sig}&l11;</r>").encode(), expect=None, refused=True))
    out.append(Case("dtd: external entity", (f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r>{plain}{sig}<x>&e;</x></r>').encode(), expect=None,
                    refused=True))
    out.append(Case("xml: deep nesting", ("<a>" * 5000 + signed.split("?>", 1)[1] + "</a>" * 5000).encode(), expect=None, refused=True))
    return out


def detached_cases(world):
    """What is signed lies in other files, found by name."""
    folder = world.folder
    files = {"a.txt": b"mot\n", "thu muc.xml": b"<t><u>hai</u>ba</t>"}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    one = world.xmlsec(signature(reference("a.txt")), folder=folder)
    two = world.xmlsec(signature(reference("a.txt"), reference("thu%20muc.xml", C14N)), folder=folder)
    part = world.xmlsec(signature(reference("thu%20muc.xml", xpath("self::text()"), EXC)), folder=folder)
    named = [folder / n for n in files]
    return [
        Case("detached, one file", one, named=named[:1], coverage="whole-file"),
        Case("detached, file missing", one, OPEN, sub="SIGNED_DATA_NOT_FOUND"),
        Case("detached, another file", one, FAILED, sub="HASH_FAILURE", named=[world.put(b"khac")]),
        Case("detached, two files", two, named=named, coverage="whole-file"),
        Case("detached, filtered", part, OPEN, sub="SIG_CONSTRAINTS_FAILURE", named=named[1:], coverage="part"),
    ]


# ---- CMS ----
def cms(world, data, key="rsa", *more, detached=False, attached_key=True):
    private, cert, _ = world.key(key)
    return run("openssl", "cms", "-sign", "-binary", "-in", world.put(data), "-signer", cert, "-inkey", private, "-outform", "der",
               *([] if detached else ["-nodetach"]), *more)


def cms_cases(world):
    out, text = [], b"n\xe1\xbb\x99i dung"
    flip = (text, text[:-1] + b"?")
    for digest in ("sha1", "sha224", "sha256", "sha384", "sha512", "sha3-256", "sha3-512"):
        if digest != "sha3-512":
            out.append(Case(f"cms rsa {digest}", cms(world, text, "rsa", "-md", digest, "-cades"), end=".p7m", mutate=flip))
    for key in ("p256", "p384", "p521", "brainpool"):
        more = ["-md", "sha512"] if key == "p521" else []
        out.append(Case(f"cms {key}", cms(world, text, key, "-cades", *more), end=".p7m", key=key, mutate=flip))
    for salt in ("20", "32", "-1", "-2"):
        out.append(Case(f"cms pss salt {salt}", cms(world, text, "rsa", "-keyopt", "rsa_padding_mode:pss", "-keyopt", f"rsa_pss_saltlen:{salt}"), end=".p7m",
                        mutate=flip))
    out.append(Case("cms pss mgf sha1", cms(world, text, "rsa", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha1"), end=".p7m", mutate=flip))
    out.append(Case("cms pss key", cms(world, text, "pss", "-keyopt", "rsa_padding_mode:pss"), end=".p7m", key="pss", mutate=flip))
    out.append(Case("cms key identifier", cms(world, text, "rsa", "-keyid"), end=".p7m", mutate=flip))
    out.append(Case("cms without signed attributes", cms(world, text, "rsa", "-noattr"), end=".p7m", mutate=flip))
    out.append(Case("cms without certificates, signer trusted", cms(world, text, "rsa", "-nocerts", "-cades"), end=".p7m", mutate=flip))
    out.append(Case("cms without certificates", cms(world, text, "rsa", "-nocerts"), OPEN, end=".p7m", sub="NO_SIGNING_CERTIFICATE_FOUND", untrusted=True))
    out.append(Case("cms streamed (BER)", cms(world, text * 5000, "rsa", "-stream"), end=".p7m", mutate=flip))
    out.append(Case("cms detached", cms(world, text, detached=True), end=".p7s", named=[world.put(text)]))
    out.append(Case("cms detached, missing", cms(world, text, detached=True), OPEN, end=".p7s", sub="SIGNED_DATA_NOT_FOUND"))
    out.append(Case("cms detached, another", cms(world, text, detached=True), FAILED, end=".p7s", sub="HASH_FAILURE", named=[world.put(b"khac")]))
    first = world.put(cms(world, text, "rsa"), ".p7m")
    private, cert, _ = world.key("p384")
    second = run("openssl", "cms", "-resign", "-binary", "-inform", "der", "-in", first, "-signer", cert, "-inkey", private, "-nodetach",
                 "-outform", "der")
    out.append(Case("cms two signers", second, end=".p7m", mutate=flip, count=2, key=("rsa", "p384")))
    out.append(Case("cms two signers, one trusted", second, OPEN, end=".p7m", count=2, sub="NO_CERTIFICATE_CHAIN_FOUND"))
    return out


# ---- containers ----
def pack(files, kind=None):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        if kind:
            archive.writestr(zipfile.ZipInfo("mimetype"), f"application/vnd.etsi.{kind}+zip")
        for name, content in files:
            archive.writestr(name, content)
    return data.getvalue()


def manifest(sig_uri, entries, mime="application/x-pkcs7-signature"):
    rows = "".join(f'<a:DataObjectReference URI="{name}"><ds:DigestMethod Algorithm="{ENC}sha256"/><ds:DigestValue>'
                   f"{base64.b64encode(hashlib.sha256(data).digest()).decode()}</ds:DigestValue></a:DataObjectReference>" for name, data in entries)
    return (f'<a:ASiCManifest xmlns:a="{ASIC}" xmlns:ds="{DS}"><a:SigReference URI="{sig_uri}" MimeType="{mime}"/>{rows}</a:ASiCManifest>').encode()


def xades_in(world, *references):
    """An ASiC signature file: references are to the files of the container, which lie in the folder for xmlsec1."""
    sig = signature(*references, props_reference(), objects=properties(world))
    return world.xmlsec(f'<a:XAdESSignatures xmlns:a="{ASIC}">{sig}</a:XAdESSignatures>', folder=world.folder)


def container_cases(world):
    a, b = b"mot\n", b"hai\n"
    (world.folder / "a.txt").write_bytes(a)
    (world.folder / "b.txt").write_bytes(b)
    out = []

    def add(name, files, expect=PASSED, kind="asic-e", **more):
        out.append(Case("asic " + name, pack(files, kind), expect, end=".asice", **more))

    def p7s(entries, at="001"):
        text = manifest(f"META-INF/signature{at}.p7s", entries)
        return [(f"META-INF/ASiCManifest{at}.xml", text), (f"META-INF/signature{at}.p7s", cms(world, text, "rsa", "-cades", detached=True))]

    (world.folder / "empty.txt").write_bytes(b"")
    empty = xades_in(world, reference("a.txt"), reference("empty.txt"))
    xml = [("META-INF/signatures.xml", xades_in(world, reference("a.txt"), reference("b.txt")))]
    add("s cades", [("a.txt", a), ("META-INF/signature.p7s", cms(world, a, "rsa", "-cades", detached=True))], kind="asic-s", coverage="whole-file")
    add("s cades, changed", [("a.txt", b), ("META-INF/signature.p7s", cms(world, a, "rsa", "-cades", detached=True))], FAILED, kind="asic-s", sub="HASH_FAILURE")
    add("s two data objects", [("a.txt", a), ("b.txt", b), ("META-INF/signature.p7s", cms(world, a, "rsa", "-cades", detached=True))], FAILED, kind="asic-s",
        sub="FORMAT_FAILURE")
    add("s xades", [("a.txt", a), ("META-INF/signatures.xml", xades_in(world, reference("a.txt")))], kind="asic-s", coverage="whole-file")
    add("e cades", [("a.txt", a), ("b.txt", b), *p7s([("a.txt", a), ("b.txt", b)])])
    add("e cades, two manifests", [("a.txt", a), ("b.txt", b), *p7s([("a.txt", a)]), *p7s([("b.txt", b), ("a.txt", a)], "002")], count=2)
    add("e cades, changed", [("a.txt", a), ("b.txt", b + b" "), *p7s([("a.txt", a), ("b.txt", b)])], FAILED, sub="HASH_FAILURE", word="bi-hong")
    add("e cades, missing", [("a.txt", a), *p7s([("a.txt", a), ("b.txt", b)])], FAILED, word="bi-hong")
    add("e cades, more than signed", [("a.txt", a), ("b.txt", b), *p7s([("a.txt", a)])], OPEN, sub="SIG_CONSTRAINTS_FAILURE")
    add("e xades", [("a.txt", a), ("b.txt", b), *xml], coverage="whole-file")
    add("e xades, changed", [("a.txt", a), ("b.txt", a), *xml], FAILED, sub="HASH_FAILURE")
    add("e xades, missing", [("a.txt", a), *xml], OPEN, sub="SIGNED_DATA_NOT_FOUND", word="bi-hong")
    add("e xades, renamed", [("a.txt", a), ("c.txt", b), *xml], OPEN, sub="SIGNED_DATA_NOT_FOUND", word="bi-hong")
    add("e xades, more than signed", [("a.txt", a), ("b.txt", b), ("c.txt", b), *xml], OPEN, sub="SIG_CONSTRAINTS_FAILURE")
    for uri, stored in (("a+b.txt", "a+b.txt"), ("a%2Bb.txt", "a+b.txt"), ("a%20b.txt", "a b.txt"), ("./a.txt", "a.txt"), ("%C4%91.txt", "\u0111.txt"), ("x/a.txt", "x/a.txt")):
        (world.folder / "x").mkdir(exist_ok=True)
        (world.folder / stored).write_bytes(a)
        one = xades_in(world, reference(uri))
        add(f"e xades, name {stored} as {uri}", [(stored, a), ("META-INF/signatures.xml", one)], coverage="whole-file")
    for uri, stored in (("a+b.txt", "a b.txt"), ("a%20b.txt", "a b.txt")):
        add(f"e cades, name {stored} as {uri}", [(stored, a), *[(n, d) for n, d in p7s([(uri, a)])]])
    add("e xades, an empty file", [("a.txt", a), ("empty.txt", b""), ("META-INF/signatures.xml", empty)])
    add("e xades, mimetype with a line end", [("mimetype", b"application/vnd.etsi.asic-e+zip\r\n"), ("a.txt", a), ("b.txt", b), *xml], kind=None, coverage="whole-file")
    add("e xades, no mimetype", [("a.txt", a), ("b.txt", b), *xml], kind=None, coverage="whole-file")
    add("e xades, signatures named as in BDOC and ADOC", [("a.txt", a), ("b.txt", b), ("META-INF/signatures/signatures0.xml", xml[0][1])], coverage="whole-file")
    add("e xades, two signature files", [("a.txt", a), ("b.txt", b), *xml, ("META-INF/signatures1.xml", xml[0][1])], count=2)
    return out


def opendocument_cases(world):
    """META-INF/documentsignatures.xml, as LibreOffice writes it."""
    folder = world.folder
    files = {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<c>mot</c>", "META-INF/manifest.xml": b"<m/>"}
    (folder / "META-INF").mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    refs = [reference("mimetype"), reference("content.xml", C14N), reference("META-INF/manifest.xml", C14N)]
    sig = signature(*refs, props_reference(), objects=properties(world), c14n=C14N)
    signed = world.xmlsec(f'<document-signatures xmlns="urn:oasis:names:tc:opendocument:xmlns:digitalsignature:1.0">{sig}</document-signatures>')
    whole = [*files.items(), ("META-INF/documentsignatures.xml", signed)]
    changed = [(n, b"<c>hai</c>" if n == "content.xml" else d) for n, d in whole]
    return [
        Case("opendocument", pack(whole), end=".odt", coverage="whole-file"),
        Case("opendocument, changed", pack(changed), FAILED, end=".odt", sub="HASH_FAILURE"),
        Case("opendocument, a file more", pack(whole + [("Basic/script.xml", b"<x/>")]), OPEN, end=".odt", sub="SIG_CONSTRAINTS_FAILURE"),
        Case("opendocument, a file lost", pack([row for row in whole if row[0] != "content.xml"]), OPEN, end=".odt", sub="SIGNED_DATA_NOT_FOUND", word="bi-hong"),
    ]


# ---- time-stamps ----
def authority(world):
    """A time-stamping authority of openssl: what it takes to ask it."""
    key, cert = world.folder / "tsa.key", world.folder / "tsa.pem"
    if not cert.exists():
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "3000", "-subj", "/CN=Kind TSA",
            "-addext", "extendedKeyUsage=critical,timeStamping", "-addext", "keyUsage=critical,digitalSignature")
        (world.folder / "serial").write_text("01")
        (world.folder / "tsa.cnf").write_text(f"[tsa]\ndefault_tsa = t\n[t]\nserial = {world.folder}/serial\nsigner_digest = sha256\ndefault_policy = 1.2.3.4\n"
                                              "digests = sha256, sha512, sha3-256\nordering = no\ness_cert_id_chain = no\ntsa_name = no\n")
    return key, cert


def token(world, data, digest="sha256", certificate=True):
    key, cert = authority(world)
    query, reply = world.path(".tsq"), world.path(".tst")
    run("openssl", "ts", "-query", "-data", world.put(data), f"-{digest}", "-no_nonce", *(["-cert"] if certificate else []), "-out", query)
    run("openssl", "ts", "-reply", "-config", world.folder / "tsa.cnf", "-section", "t", "-queryfile", query, "-signer", cert, "-inkey", key, "-token_out", "-out", reply)
    return reply.read_bytes()


def stamped(world, kind, digest="sha256", change=False, version="1.3.2", certificate=True):
    """A signature with one time-stamp, put into its unsigned properties after it was made."""
    signed = world.xmlsec(TEXT % signature(reference("", ENVELOPED, EXC), props_reference(), objects=properties(world))).decode()
    value = re.search(r'<ds:SignatureValue Id="value">(.*?)</ds:SignatureValue>', signed, re.S).group(1)
    ns = XADES["1.3.2"] if version == "1.3.2" else "http://uri.etsi.org/01903/v1.4.1#"
    refs = '<x:CompleteCertificateRefs><x:CertRefs></x:CertRefs></x:CompleteCertificateRefs>'
    over = {"SignatureTimeStamp": f'<ds:SignatureValue xmlns:ds="{DS}" Id="value">{value}</ds:SignatureValue>',
            "SigAndRefsTimeStamp": f'<ds:SignatureValue xmlns:ds="{DS}" Id="value">{value}</ds:SignatureValue>' + refs.replace("<x:Comp", f'<x:Comp', 1).replace(
                "<x:CompleteCertificateRefs>", f'<x:CompleteCertificateRefs xmlns:x="{XADES["1.3.2"]}">'),
            "RefsOnlyTimeStamp": refs.replace("<x:CompleteCertificateRefs>", f'<x:CompleteCertificateRefs xmlns:x="{XADES["1.3.2"]}">')}[kind]
    encoded = base64.b64encode(token(world, over + ("x" if change else ""), digest, certificate)).decode()
    tail = (f'<x:UnsignedProperties><x:UnsignedSignatureProperties>{refs}<y:{kind} xmlns:y="{ns}"><ds:CanonicalizationMethod Algorithm="{EXC}"/>'
            f"<y:EncapsulatedTimeStamp>{encoded}</y:EncapsulatedTimeStamp></y:{kind}></x:UnsignedSignatureProperties></x:UnsignedProperties></x:QualifyingProperties>")
    return signed.replace("</x:QualifyingProperties>", tail).encode()


def stamp_cases(world):
    out = []
    for kind, proven in (("SignatureTimeStamp", True), ("SigAndRefsTimeStamp", True), ("RefsOnlyTimeStamp", False)):
        out.append(Case(f"stamp {kind}", stamped(world, kind), key=("rsa", "tsa"), proven=proven))
        out.append(Case(f"stamp {kind}, wrong", stamped(world, kind, change=True), OPEN, key=("rsa", "tsa"), sub="SIG_CONSTRAINTS_FAILURE", proven=False))
    out.append(Case("stamp sha512", stamped(world, "SignatureTimeStamp", "sha512"), key=("rsa", "tsa"), proven=True))
    out.append(Case("stamp sha3-256", stamped(world, "SignatureTimeStamp", "sha3-256"), key=("rsa", "tsa"), proven=True))
    out.append(Case("stamp without its certificate", stamped(world, "SignatureTimeStamp", certificate=False), key=("rsa", "tsa"), proven=True))
    return out


MAKERS = [xml_cases, wrapping_cases, stamp_cases, detached_cases, cms_cases, container_cases, opendocument_cases]


# ---- asking ----
def request(world, case, data, expect_id):
    keys = (case.key,) if isinstance(case.key, str) else case.key
    row = {"id": expect_id, "file": str(world.put(data, case.end)), "policy": case.policy, "revocation": "none",
           "trust": [] if case.untrusted else [str(world.key(k)[1]) for k in keys]}
    if case.named:
        row["content"] = [str(p) for p in case.named]
    return row


def fault(case, answer, mutated):
    """Why the answer is wrong, or None."""
    rows = [s for s in answer.get("signatures", []) if s["kind"] != "time-stamp"]
    if case.refused:
        return "accepted" if answer.get("indication") == PASSED or any(s["word"] == "hop-le" for s in rows) else None
    if "error" in answer:
        return None if mutated else f"error {answer['error']['code']} {answer['error'].get('detail')}"
    if mutated:
        return "a changed file passed" if answer["indication"] == PASSED or all(s["word"] == "hop-le" for s in rows) else None
    wrong = [f"{what} {got!r}, not {wanted!r}" for what, got, wanted in (
        ("indication", answer["indication"], case.expect), ("sub-indication", [s["subindication"] for s in rows if s["subindication"]][:1], case.sub and [case.sub]),
        ("coverage", rows and rows[0]["coverage"], case.coverage), ("level", rows and rows[0]["level"], case.level), ("word", answer["word"], case.word),
        ("signatures", len(rows), case.count), ("proven", bool(rows and rows[0]["best_time"]), case.proven)) if wanted is not None and got != wanted]
    return "; ".join(wrong) or None


def changed(case):
    """The same file with one place that it signs altered, or None."""
    if not case.mutate or case.expect != PASSED or case.mutate[0] not in case.data:
        return None
    return case.data.replace(*case.mutate)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("antin")
    arguments.add_argument("--only", default="")
    arguments.add_argument("--keep")
    options = arguments.parse_args()
    if not shutil.which("xmlsec1"):
        print("xmlsec1 is not installed")
        return 77
    with tempfile.TemporaryDirectory() as name:
        world, asked = World(Path(options.keep or name).resolve()), []
        world.folder.mkdir(exist_ok=True)
        for maker in MAKERS:
            for case in maker(world):
                if options.only not in case.name:
                    continue
                asked.append((case, False, request(world, case, case.data, len(asked))))
                if changed(case) is not None:
                    asked.append((case, True, request(world, case, changed(case), len(asked))))
        done = subprocess.run([options.antin, "verify", "--stream", "--offline"], input="".join(json.dumps(a[2]) + "\n" for a in asked), capture_output=True, text=True,
                              timeout=100)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
    faults = [(case.name, mutated, fault(case, answer, mutated)) for (case, mutated, _), answer in zip(asked, answers)]
    for what, mutated, why in faults:
        if why:
            print(f"FAILED {what}{' (changed)' if mutated else ''}: {why}")
    bad = sum(1 for f in faults if f[2]) + len(asked) - len(answers)
    print(f"{len(asked) - bad} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
