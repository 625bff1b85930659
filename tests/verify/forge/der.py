"""DER, written by hand so that it can also be written wrongly."""
import time

OIDS = {
    "data": "1.2.840.113549.1.7.1", "signedData": "1.2.840.113549.1.7.2", "tstInfo": "1.2.840.113549.1.9.16.1.4",
    "contentType": "1.2.840.113549.1.9.3", "messageDigest": "1.2.840.113549.1.9.4", "signingTime": "1.2.840.113549.1.9.5",
    "signingCertificate": "1.2.840.113549.1.9.16.2.12", "signingCertificateV2": "1.2.840.113549.1.9.16.2.47",
    "timeStampToken": "1.2.840.113549.1.9.16.2.14", "counterSignature": "1.2.840.113549.1.9.6",
    "rsa": "1.2.840.113549.1.1.1", "pss": "1.2.840.113549.1.1.10", "mgf1": "1.2.840.113549.1.1.8",
    "rsa-md5": "1.2.840.113549.1.1.4", "rsa-sha1": "1.2.840.113549.1.1.5", "rsa-sha256": "1.2.840.113549.1.1.11",
    "rsa-sha384": "1.2.840.113549.1.1.12", "rsa-sha512": "1.2.840.113549.1.1.13",
    "md5": "1.2.840.113549.2.5", "sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3",
    "ec": "1.2.840.10045.2.1", "P-256": "1.2.840.10045.3.1.7", "P-384": "1.3.132.0.34", "P-521": "1.3.132.0.35", "ed448": "1.3.101.113", "prime-field": "1.2.840.10045.1.1",
    "ecdsa-sha1": "1.2.840.10045.4.1", "ecdsa-sha256": "1.2.840.10045.4.3.2", "ecdsa-sha384": "1.2.840.10045.4.3.3",
    "ed25519": "1.3.101.112", "CN": "2.5.4.3", "C": "2.5.4.6", "O": "2.5.4.10",
    "basicConstraints": "2.5.29.19", "keyUsage": "2.5.29.15", "extKeyUsage": "2.5.29.37", "ski": "2.5.29.14", "aki": "2.5.29.35",
    "cdp": "2.5.29.31", "aia": "1.3.6.1.5.5.7.1.1", "caIssuers": "1.3.6.1.5.5.7.48.2", "ocsp": "1.3.6.1.5.5.7.48.1",
    "ocspBasic": "1.3.6.1.5.5.7.48.1.1", "ocspNoCheck": "1.3.6.1.5.5.7.48.1.5", "ocspNonce": "1.3.6.1.5.5.7.48.1.2",
    "timeStamping": "1.3.6.1.5.5.7.3.8", "ocspSigning": "1.3.6.1.5.5.7.3.9", "emailProtection": "1.3.6.1.5.5.7.3.4",
    "certificatePolicies": "2.5.29.32", "policyMappings": "2.5.29.33", "policyConstraints": "2.5.29.36", "anyPolicy": "2.5.29.32.0",
    "crlNumber": "2.5.29.20", "reasonCode": "2.5.29.21", "idp": "2.5.29.28",
}


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(size)]) + size + body


def seq(*parts):
    return tlv(0x30, *parts)


def set_of(*parts, in_order=True):
    return tlv(0x31, *(sorted(parts) if in_order else parts))


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True))


def oid(name):
    arcs = [int(a) for a in OIDS.get(name, name).split(".")]
    out = bytearray()
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        part = [arc & 127]
        while arc := arc >> 7:
            part.insert(0, arc & 127 | 128)
        out += bytes(part)
    return tlv(6, bytes(out))


def octets(*parts):
    return tlv(4, *parts)


def bits(body, unused=0):
    return tlv(3, bytes([unused]), body)


def utf8(text):
    return tlv(12, text.encode())


def when(seconds):
    t = time.gmtime(seconds)
    if 1950 <= t.tm_year < 2050:
        return tlv(0x17, time.strftime("%y%m%d%H%M%SZ", t).encode())
    return gentime(seconds)


def gentime(seconds):
    return tlv(0x18, time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds)).encode())


def ctx(number, *parts, constructed=True):
    return tlv((0xA0 if constructed else 0x80) | number, *parts)


TRUE, NULL = tlv(1, b"\xff"), b"\x05\x00"


def split(data):
    """The elements that stand in a row: (tag, header + body, body)."""
    out, at = [], 0
    while at < len(data):
        size, head = data[at + 1], 2
        if size & 128:
            head = 2 + (size & 127)
            size = int.from_bytes(data[at + 2:at + head], "big")
        out.append((data[at], data[at:at + head + size], data[at + head:at + head + size]))
        at += head + size
    return out
