"""What honest people do to signed files, with our program, qpdf and by hand: it must pass."""
import os, subprocess, tempfile
from forge import pdf
from forge.der import octets, oid, seq, split, tlv
from forge.keys import Rsa
from forge.pki import *
from .content import FORM, HIDDEN, OCG, OCG_CATALOG
from .world import *


def dss(p, certs, crls):
    number = p.size()
    objects = {number + i: pdf.stream(der, packed=True) for i, der in enumerate(certs + crls)}
    first = " ".join(f"{number + i} 0 R" for i in range(len(certs)))
    rest = " ".join(f"{number + len(certs) + i} 0 R" for i in range(len(crls)))
    objects[1] = p.edit(1, "/Type /Catalog", f"/Type /Catalog /DSS << /Certs [{first}] /CRLs [{rest}] >>")
    return p.append(objects)


def made_by_hand(world):
    second = world.signer(cert=world.second)
    for style in ("table", "stream"):
        for level in (0, 2, 3):
            p = world.signed(style, certify=level)
            filled = {7: p.edit(7, "/V (An)", "/V (Binh)").replace(b"8 0 R", b"65 0 R"), 65: pdf.stream(b"/Tx BMC q BT /Helv 12 Tf 2 5 Td (Binh) Tj ET Q EMC", FORM)}
            yield f"{style}, DocMDP {level}: two more signatures", p.copy().sign(second, field="Hai").sign(world.signer(), field="Ba").data
            yield f"{style}, DocMDP {level}: signatures in the other style", p.copy().sign(second, field="Hai", style="table" if style == "stream" else "stream").data
            yield f"{style}, DocMDP {level}: validation material", dss(p.copy(), [world.root.der], [world.crl]).data
            lta = dss(p.copy(), [world.root.der], [world.crl]).sign(lambda d: token(d, world.tsa, world.now - 60), field="DTS", kind="DocTimeStamp", sub_filter="ETSI.RFC3161")
            yield f"{style}, DocMDP {level}: validation material and a document time-stamp", lta.data
            again = dss(lta.copy(), [world.tsa.der], [world.crl]) if False else lta.copy().sign(lambda d: token(d, world.tsa, world.now - 30), field="DTS2", kind="DocTimeStamp", sub_filter="ETSI.RFC3161")
            yield f"{style}, DocMDP {level}: two document time-stamps", again.data
            if level:
                yield f"{style}, DocMDP {level}: field filled in", p.copy().append(filled).data
                yield f"{style}, DocMDP {level}: field filled in, then signed", p.copy().append(filled).sign(second, field="Hai").data
                yield f"{style}, DocMDP {level}: box ticked", p.copy().append({12: p.edit(12, "/V /Off /AS /Off", "/V /On /AS /On")}).data
                yield f"{style}, DocMDP {level}: field filled in, then signed in an update without /Prev", p.copy().append(filled).sign(second, field="Hai", whole=()).data
            if level == 3:
                yield f"{style}, DocMDP {level}: note", p.copy().append({3: p.edit(3, "/Annots [", "/Annots [70 0 R "), 70: "<< /Type /Annot /Subtype /Text /P 3 0 R /Rect [9 9 30 30] /Contents (xem lai) >>"}).data
            q = p.copy().sign(second, field="Hai", widget="/Rect [300 72 500 150]", more={60: pdf.stream(b"0 0 1 rg 0 0 200 78 re f", "/Type /XObject /Subtype /Form /BBox [0 0 200 78]")})
            yield f"{style}, DocMDP {level}: later signature with a box at the foot", q.data
        yield f"{style}: second signature in an update without /Prev that lists everything", world.signed(style).sign(second, field="Hai", whole=()).data
        yield f"{style}: three such updates", world.signed(style).sign(second, field="Hai", whole=()).sign(world.signer(), field="Ba", whole=()).data
        yield f"{style}: such an update before an ordinary one", world.signed(style).sign(second, field="Hai", whole=()).sign(world.signer(), field="Ba").data
        yield f"{style}: second signature on its page, not named by the form", world.signed(style).sign(second, field="Hai", stray=True).data
        yield f"{style}: visible second signature not named by the form", world.signed(style).sign(second, field="Hai", stray=True, widget="/Rect [300 72 500 150] /AP << /N 60 0 R >>",
              more={60: pdf.stream(b"0 0 1 rg 0 0 200 78 re f", "/Type /XObject /Subtype /Form /BBox [0 0 200 78]")}).data
    hung = pdf.base(more={60: "<< /FT /Sig /T (Cha) /Kids [62 0 R] >>", 6: "<< /Fields [7 0 R 12 0 R 60 0 R] /DA (/Helv 0 Tf 0 g) /DR << /Font << /Helv 5 0 R >> >> >>"})
    yield "value in the widget of a field", hung.sign(world.signer(), stray=True, lock="/Parent 60 0 R").data
    yield "the same, signed again", hung.sign(second, field="Hai").data
    listed = pdf.base(more={61: "[7 0 R 12 0 R]"})
    listed.append({3: listed.edit(3, "[7 0 R 12 0 R ]", "61 0 R")})
    listed.sign(world.signer())
    yield "second signature in a list of annotations, not named by the form", listed.sign(second, field="Hai", stray=True, more={61: f"[7 0 R 12 0 R {listed.size() + 1} 0 R]"}).data
    yield "/Size counts back to what is in use", pdf.base().sign(world.signer(), size=256).sign(second, field="Hai").data
    p = pdf.base(version="1.4").sign(world.signer())
    yield "many signatures", many(world, 12).data
    empty = pdf.base(more={50: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Trong) /F 4 /P 3 0 R /Rect [72 100 200 150] >>"}, annotations="50 0 R")
    empty.body[6] = empty.body[6].replace(b"12 0 R", b"12 0 R 50 0 R")
    empty.append({6: empty.body[6]})
    yield "empty signature field left over", empty.sign(world.signer()).data


def many(world, count):
    p = world.signed()
    for i in range(count - 1):
        p.sign(world.signer(cert=world.second if i % 2 else None), field=f"Ky{i + 2}")
    return p


class Programs:
    """Files through qpdf, signatures by antin itself (an encrypted software key)."""

    def __init__(self, world, antin):
        self.world, self.antin, self.folder = world, antin, tempfile.mkdtemp(prefix="antin-lawful-")
        key = world.leaf.key
        numbers = [0, key.n, key.e, key.d, key.p, key.q, key.crt[0], key.crt[1], key.crt[2]]
        self.write("key.der", seq(*map(integer, numbers)))
        subprocess.run(["openssl", "pkcs8", "-topk8", "-inform", "DER", "-in", self.at("key.der"), "-out", self.at("key.pem"), "-passout", "pass:2468"], check=True, capture_output=True)
        self.write("pin", b"2468\n")
        self.write("leaf.der", world.leaf.der)
        self.write("root.der", world.root.der)
        self.write("ca.crl", world.crl)
        os.chmod(self.at("pin"), 0o600)
        os.chmod(self.at("key.pem"), 0o600)

    def at(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        with open(self.at(name), "wb") as f:
            f.write(data)
        return self.at(name)

    def qpdf(self, data, *options):
        self.write("in.pdf", data)
        done = subprocess.run(["qpdf", *options, self.at("in.pdf"), self.at("q.pdf")], capture_output=True)
        if done.returncode not in (0, 3):
            raise RuntimeError(done.stderr)
        with open(self.at("q.pdf"), "rb") as f:
            return f.read()

    def sign(self, data, *options):
        self.write("s.pdf", data)
        if os.path.exists(self.at("out.pdf")):
            os.unlink(self.at("out.pdf"))
        done = subprocess.run([self.antin, "sign", self.at("s.pdf"), "-o", self.at("out.pdf"), "--key", self.at("key.pem"), "--pin-file", self.at("pin"), "--cert", self.at("leaf.der"),
                               "--trust", self.at("root.der"), "--crl", self.at("ca.crl"), "--offline", *options], capture_output=True, text=True, env=dict(os.environ, LC_ALL="C.UTF-8"))
        if done.returncode:
            raise RuntimeError(done.stderr + done.stdout)
        with open(self.at("out.pdf"), "rb") as f:
            return f.read()


def by_programs(world, antin):
    """(name, bytes, password, tampered version or None)"""
    programs = Programs(world, antin)
    plain = pdf.base(pages=3).data
    shapes = {"plain": [], "object streams": ["--object-streams=generate"], "linearized": ["--linearize"], "linearized with object streams": ["--linearize", "--object-streams=generate"],
              "AES-256": ["--encrypt", "", "chu", "256", "--"], "AES-128": ["--encrypt", "", "chu", "128", "--use-aes=y", "--"],
              "RC4-128": ["--allow-weak-crypto", "--encrypt", "", "chu", "128", "--use-aes=n", "--"], "AES-256 with object streams": ["--object-streams=generate", "--encrypt", "", "chu", "256", "--"]}
    for name, options in shapes.items():
        start = programs.qpdf(plain, *options)
        first = programs.sign(start)
        yield f"{name}, signed", first, LAWFUL
        yield f"{name}, signed twice", programs.sign(first), LAWFUL
        yield f"{name}, certified", programs.sign(start, "--certify", "2"), LAWFUL
        yield f"{name}, byte of the document changed", first[:300] + bytes([first[300] ^ 1]) + first[301:], NO_ACCEPT
        at = int(first.rsplit(b"startxref", 1)[1].split()[0])
        body = b"\n3 0 obj\n<< /Type /Page /MediaBox [0 0 9 9] >>\nendobj\n"
        where = len(first) + len(body)
        row = b"xref\n3 1\n%010d 00000 n \ntrailer\n<< /Size 200 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (len(first) + 1, at, where)
        yield f"{name}, page replaced in a new revision", first + body + row, NO_ACCEPT
        yield f"{name}, rewritten by qpdf", programs.qpdf(first, "--decrypt") if "AES" in name or "RC4" in name else programs.qpdf(first), NO_ACCEPT
    p = world.signed()
    yield "signed by antin after another program", programs.sign(p.data), LAWFUL
    other = pdf.base().data
    ours = programs.sign(other)
    tail = ours[len(other):]
    yield "our signature behind another document", pdf.base(content=b"BT ET").data + tail, NO_ACCEPT


def cases(world, full):
    for name, data in made_by_hand(world):
        yield Case(name, data, LAWFUL)
    for name, data, words in by_programs(world, world.antin):
        yield Case(name, data, words)
