"""A root, a CA and a leaf whose every field can be changed, and what a case is."""
import base64, sys, time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "verify"))
from forge.der import *
from forge.keys import Rsa
from forge.pki import DAY, extension, key_id, key_usage, name

NOW = int(time.time()) // DAY * DAY + DAY // 2
FALSE = tlv(1, b"\0")
GOOD, BAD = "valid", "invalid"


@dataclass
class Case:
    name: str
    expect: str                       # by the policy rfc5280: what RFC 5280 and RFC 6960 say, conforming issuers included
    leaf: object
    lenient: str = ""                 # for documents, "" = the same
    untrusted: list = field(default_factory=list)
    anchors: list = field(default_factory=list)
    crls: list = field(default_factory=list)
    ocsps: list = field(default_factory=list)
    at: int = NOW
    options: dict = field(default_factory=dict)
    why: str = ""                     # the code that must stand in the answer of the strict question
    peers: str = ""                   # why others may refuse what we accept
    family: str = ""


class Made:
    """A certificate: extensions is a dict of whole DER extensions, in order; None leaves one out."""

    serial = 0x2000

    def __init__(self, subject, key, issuer=None, extensions=None, version=2, serial=None, start=NOW - 30 * DAY, end=NOW + 30 * DAY,
                 issuer_name=None, signer=None, validity=None, inner=None, outer=None, tail=b"", spoil=False):
        Made.serial += 1
        self.subject = name(subject) if isinstance(subject, str) else subject
        self.key, self.issuer = key, issuer or self
        self.number = Made.serial if serial is None else serial
        signer = signer or self.issuer.key
        algorithm = signer.algorithm()
        rows = [e for e in (extensions or {}).values() if e is not None]
        self.issuer_name = issuer_name or self.issuer.subject
        self.tbs = seq(ctx(0, integer(version)) if version else b"", integer(self.number), inner or algorithm, self.issuer_name,
                       validity or seq(when(start), when(end)), self.subject, key.spki(), tail, ctx(3, seq(*rows)) if rows else b"")
        signature = signer.sign(self.tbs)
        if spoil:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        self.der = seq(self.tbs, outer or algorithm, bits(signature))


def pem(der, label="CERTIFICATE"):
    text = base64.b64encode(der).decode()
    return f"-----BEGIN {label}-----\n" + "\n".join(text[i:i + 64] for i in range(0, len(text), 64)) + f"\n-----END {label}-----\n"


def constraints(ca=True, length=None, critical=True):
    return extension("basicConstraints", seq(TRUE if ca else b"", integer(length) if length is not None else b""), critical)


def aki(key=None, identifier=None, issuer=None, serial=None, critical=False):
    parts = [ctx(0, identifier if identifier is not None else key_id(key), constructed=False)] if key or identifier is not None else []
    if issuer is not None:
        parts += [ctx(1, ctx(4, issuer)), tlv(0x82, split(integer(serial))[0][2])]
    return extension("aki", seq(*parts), critical)


def ski(key, critical=False):
    return extension("ski", octets(key_id(key)), critical)


def san(*names, critical=False):
    return extension("2.5.29.17", seq(*names), critical)


def dns(text):
    return ctx(2, text if isinstance(text, bytes) else text.encode(), constructed=False)


def email(text):
    return ctx(1, text if isinstance(text, bytes) else text.encode(), constructed=False)


def uri(text):
    return ctx(6, text.encode(), constructed=False)


def ip(*octs):
    return ctx(7, bytes(octs), constructed=False)


def directory(dn):
    return ctx(4, dn)


class World:
    """Keys are made once; the chain is made anew with what a case changes."""

    def __init__(self):
        self.keys = [Rsa.new() for _ in range(8)]
        self.root = Made("Gốc", self.keys[0], extensions=self.root_extensions(), start=NOW - 3650 * DAY, end=NOW + 3650 * DAY)
        self.ca = self.make_ca()

    def root_extensions(self, **edit):
        return {"bc": constraints(), "ku": key_usage(5, 6), "ski": ski(self.keys[0])} | edit

    def ca_extensions(self, key=None, issuer=None, **edit):
        return {"bc": constraints(), "ku": key_usage(5, 6), "ski": ski(key or self.keys[1]), "aki": aki((issuer or self.root).key)} | edit

    def leaf_extensions(self, key=None, issuer=None, **edit):
        return {"ku": key_usage(0, 1), "ski": ski(key or self.keys[2]), "aki": aki((issuer or self.ca).key)} | edit

    def make_root(self, subject="Gốc", edit=None, **options):
        options = {"start": NOW - 3650 * DAY, "end": NOW + 3650 * DAY} | options
        return Made(subject, self.keys[0], extensions=self.root_extensions(**(edit or {})), **options)

    def make_ca(self, subject="CA", key=1, issuer=None, edit=None, **options):
        issuer = issuer or self.root
        options = {"start": NOW - 300 * DAY, "end": NOW + 300 * DAY} | options
        return Made(subject, self.keys[key], issuer, self.ca_extensions(self.keys[key], issuer, **(edit or {})), **options)

    def make_leaf(self, subject="Người ký", issuer=None, edit=None, key=2, **options):
        issuer = issuer or self.ca
        return Made(subject, self.keys[key], issuer, self.leaf_extensions(self.keys[key], issuer, **(edit or {})), **options)

    def case(self, name, expect, leaf=None, ca=None, root=None, **rest):
        """untrusted and anchors are the usual ones unless given."""
        rest.setdefault("untrusted", [ca or self.ca])
        rest.setdefault("anchors", [root or self.root])
        return Case(name, expect, leaf or self.make_leaf(issuer=ca or self.ca), **rest)

    def under(self, name, expect, ca_edit=None, leaf_edit=None, subject="Người ký", **rest):
        """A leaf below a CA, both with changed extensions."""
        ca = self.make_ca(edit=ca_edit)
        return self.case(name, expect, ca=ca, leaf=self.make_leaf(subject, issuer=ca, edit=leaf_edit), **rest)
