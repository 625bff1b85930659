"""Certificates, revocation lists, OCSP answers and time-stamps, right or wrong."""
import base64, hashlib
from .der import *
from .keys import Ec, Rsa

DAY = 86400


def name(cn, o="Cơ quan thử"):
    return seq(set_of(seq(oid("C"), tlv(19, b"VN"))), set_of(seq(oid("O"), utf8(o))), set_of(seq(oid("CN"), utf8(cn))))


def extension(kind, value, critical=False):
    return seq(oid(kind), TRUE if critical else b"", octets(value))


def key_usage(*numbers):
    value = 0
    for n in numbers:
        value |= 0x8000 >> n
    unused = 15 - max(numbers)
    return extension("keyUsage", bits(value.to_bytes(2, "big")[:1 if unused > 7 else 2], unused % 8), True)


def key_id(key):
    return hashlib.sha1(key.spki()).digest()


def ca_extensions(path_len=None):
    return [extension("basicConstraints", seq(TRUE, integer(path_len) if path_len is not None else b""), True), key_usage(5, 6)]


def eku(*kinds, critical=False):
    return extension("extKeyUsage", seq(*map(oid, kinds)), critical)


class Cert:
    serial = 0x1000

    def __init__(self, subject, key, issuer=None, start=0, end=0, extensions=(), digest="sha256", serial=None, signer=None,
                 algorithm=None, signature=None, issuer_name=None):
        """issuer None: self-signed. signer: another key than the issuer's."""
        Cert.serial += 1
        self.subject, self.key, self.issuer = name(subject), key, issuer or self
        self.number = Cert.serial if serial is None else serial
        self.start, self.end = start, end
        signer = signer or self.issuer.key
        self.issuer_name = issuer_name or self.issuer.subject
        algorithm = algorithm or signer.algorithm(digest)
        extensions = [extension("ski", octets(key_id(key)))] + list(extensions)
        if issuer:
            extensions.append(extension("aki", seq(ctx(0, key_id(issuer.key), constructed=False))))
        self.tbs = seq(ctx(0, integer(2)), integer(self.number), algorithm, self.issuer_name, seq(when(start), when(end)), self.subject,
                       key.spki(), ctx(3, seq(*extensions)))
        self.der = seq(self.tbs, algorithm, bits(signature if signature is not None else signer.sign(self.tbs, digest)))

    def pem(self):
        text = base64.b64encode(self.der).decode()
        return "-----BEGIN CERTIFICATE-----\n" + "\n".join(text[i:i + 64] for i in range(0, len(text), 64)) + "\n-----END CERTIFICATE-----\n"


def crl(issuer, this, next_, revoked=(), signer=None, number=1, extensions=(), digest="sha256"):
    """revoked: (serial, when, reason or None)."""
    signer = signer or issuer.key
    rows = [seq(integer(s), when(t), *([seq(extension("reasonCode", tlv(10, bytes([r]))))] if r is not None else [])) for s, t, r in revoked]
    exts = [extension("crlNumber", integer(number)), extension("aki", seq(ctx(0, key_id(signer), constructed=False)))] + list(extensions)
    tbs = seq(integer(1), signer.algorithm(digest), issuer.subject, when(this), when(next_) if next_ else b"", seq(*rows) if rows else b"", ctx(0, seq(*exts)))
    return seq(tbs, signer.algorithm(digest), bits(signer.sign(tbs, digest)))


def ocsp(cert, issuer, responder, this, next_=None, revoked=None, produced=None, nonce=None, status=None, serial=None, digest="sha1",
         signer=None, certs=None):
    """responder: a Cert. revoked: time. status: DER of another CertStatus."""
    cert_id = seq(seq(oid(digest), NULL), octets(hashlib.new(digest, issuer.subject).digest()),
                  octets(hashlib.new(digest, split(split(issuer.key.spki())[0][2])[1][2][1:]).digest()), integer(cert.number if serial is None else serial))
    state = status or (ctx(1, gentime(revoked)) if revoked else ctx(0, constructed=False))
    single = seq(cert_id, state, gentime(this), ctx(0, gentime(next_)) if next_ else b"")
    data = seq(ctx(1, responder.subject), gentime(produced or this), seq(single),
               ctx(1, seq(extension("ocspNonce", octets(nonce)))) if nonce else b"")
    signer = signer or responder.key
    basic = seq(data, signer.algorithm(), bits(signer.sign(data)), ctx(0, seq(*[c.der for c in (certs if certs is not None else [responder])])))
    return seq(tlv(10, b"\0"), ctx(0, seq(oid("ocspBasic"), octets(basic))))


def ess(cert_der, digest="sha256", v2=True):
    hashed = octets(hashlib.new(digest, cert_der).digest())
    if not v2:
        return attribute("signingCertificate", seq(seq(seq(hashed))))
    return attribute("signingCertificateV2", seq(seq(seq(b"" if digest == "sha256" else seq(oid(digest)), hashed))))


def attribute(kind, *values):
    return seq(oid(kind), set_of(*values))


def signed_data(digest_value, cert, key=None, certs=None, digest="sha256", content=None, content_type="data", signing_time=None,
                ess_of=None, no_ess=False, edit=None, unsigned=(), signature=None, algorithm=None, signer_digest=None, sid=None,
                crls=(), sorted_attributes=True, sign=None, version=1, digest_algorithms=None, attributes_content_type=None, bare=None):
    """bare: what is signed when there are no signed attributes. The CMS object over a digest. edit(list of attributes) -> list of attributes; sign(message) -> signature octets."""
    key = key or cert.key
    attributes = [attribute("contentType", oid(attributes_content_type or content_type)), attribute("messageDigest", octets(digest_value))]
    if not no_ess:
        attributes.append(ess((ess_of or cert).der))
    if signing_time:
        attributes.append(attribute("signingTime", when(signing_time)))
    if edit:
        attributes = edit(attributes)
    body = b"".join(sorted(attributes) if sorted_attributes else attributes)
    message = tlv(0x31, b"".join(sorted(attributes) if sorted_attributes else attributes))
    if bare is not None:
        body, message = None, bare
    if signature is None:
        signature = sign(message) if sign else key.sign(message, digest)
    unsigned_part = tlv(0xA1, *sorted(unsigned(signature) if callable(unsigned) else unsigned)) if unsigned else b""
    info = seq(integer(version), sid or seq(cert.issuer_name, integer(cert.number)), seq(oid(signer_digest or digest)), tlv(0xA0, body) if body is not None else b"",
               algorithm or key.algorithm(digest), octets(signature), unsigned_part)
    certs = [cert] if certs is None else certs
    return seq(oid("signedData"), ctx(0, seq(
        integer(3 if content_type != "data" else 1), set_of(seq(oid(digest_algorithms or digest))),
        seq(oid(content_type), ctx(0, octets(content)) if content is not None else b""),
        tlv(0xA0, *[c if isinstance(c, bytes) else c.der for c in certs]) if certs else b"", tlv(0xA1, *crls) if crls else b"", set_of(info))))


def token(data, tsa, at, digest="sha256", serial=7, accuracy=b"", imprint=None, nonce=None, **options):
    """A time-stamp token over data."""
    info = seq(integer(1), oid("1.3.6.1.4.1.99999.1"), seq(seq(oid(digest), NULL), octets(imprint or hashlib.new(digest, data).digest())),
               integer(serial), gentime(at), accuracy, integer(nonce) if nonce is not None else b"")
    return signed_data(hashlib.sha256(info).digest(), tsa, content=info, content_type="tstInfo", version=options.pop("version", 1), **options)


def stamp_attribute(tsa, at, **options):
    """For signed_data(unsigned=…): the signature time-stamp over the signature just made."""
    return lambda signature: [attribute("timeStampToken", token(options.pop("over", signature), tsa, at, **options))]
