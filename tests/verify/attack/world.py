"""One small PKI, and what a case is."""
import hashlib, os, time
from dataclasses import dataclass, field
from forge import pdf
from forge.pki import DAY, Cert, Ec, Rsa, ca_extensions, crl, eku, key_usage, signed_data

# What a verdict may be called. "refused": which of the two words is right depends on how a reader looks at it.
VALID, CHANGES, MODIFIED, BROKEN, NOT_ENOUGH, ERROR = "hop-le", "hop-le-co-thay-doi-duoc-phep", "da-bi-thay-doi", "bi-hong", "chua-du-can-cu", "error"
LAWFUL = {VALID, CHANGES}
REFUSED = {MODIFIED, BROKEN, ERROR}
NO_ACCEPT = REFUSED | {NOT_ENOUGH}


@dataclass
class Case:
    name: str
    data: bytes
    words: object                  # a word or a set of words
    sub: object = None             # sub-indication of the worst signature, or a set
    crls: list = field(default_factory=list)
    ocsps: list = field(default_factory=list)
    anchors: list = None           # DER; None = the root of the world
    untrusted: list = field(default_factory=list)
    policy: str = None
    at: str = None
    content: bytes = None
    revocation: str = None
    stricter: str = ""             # why others may refuse what we accept
    proven: object = None          # False: no trusted time may be claimed; True: one must be
    seconds: float = 10
    alone: bool = False            # a process of its own, with its time and memory measured


class World:
    def __init__(self):
        self.now = now = int(time.time())
        self.root = Cert("Gốc thử", Rsa.new(), start=now - 3650 * DAY, end=now + 3650 * DAY, extensions=ca_extensions())
        self.leaf = Cert("Nguyễn Văn An", Rsa.new(), self.root, now - 365 * DAY, now + 365 * DAY, [key_usage(0, 1)])
        self.second = Cert("Trần Thị Bình", Ec(), self.root, now - 365 * DAY, now + 365 * DAY, [key_usage(0, 1)])
        self.tsa = Cert("Dấu thời gian thử", Rsa.new(), self.root, now - 365 * DAY, now + 365 * DAY, [key_usage(0), eku("timeStamping", critical=True)])
        self.crl = crl(self.root, now - DAY, now + DAY)

    def cms(self, data, cert=None, **options):
        return signed_data(hashlib.sha256(data).digest(), cert or self.leaf, **options)

    def signer(self, **options):
        return lambda data: self.cms(data, **options)

    def signed(self, style="table", certify=0, **options):
        """The ordinary victim: one page, one signature over everything."""
        return pdf.base(style, **options).sign(self.signer(), certify=certify)
