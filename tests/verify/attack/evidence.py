"""Time-stamps, certificate status and trust: whose word counts, and when."""
import hashlib
from forge import pdf
from forge.der import *
from forge.keys import Ec, Rsa
from forge.pki import *
from .world import *


# EN 319 102-1 5.5.4: a time-stamp that is not valid proves nothing and is left out; the signature may still pass now.
UNPROVEN = NO_ACCEPT | LAWFUL | {"-"}


def stamped(world, tsa=None, at=None, cert=None, crls=(), **options):
    at = at or world.now - 3600
    stamp = stamp_attribute(tsa or world.tsa, at, **options)
    return pdf.base().sign(world.signer(unsigned=stamp, cert=cert)).data


def time_stamps(world):
    now, leaf, tsa = world.now, world.leaf, world.tsa
    yield "time-stamp, right", stamped(world), LAWFUL
    yield "time-stamp over other data", stamped(world, over=b"other"), NO_ACCEPT
    yield "time-stamp with a changed token", stamped(world, imprint=b"\0" * 32), NO_ACCEPT
    plain = Cert("Không EKU", Rsa.new(), world.root, leaf.start, leaf.end, [key_usage(0, 1)])
    yield "time-stamp by a certificate without EKU", stamped(world, tsa=plain), UNPROVEN
    soft = Cert("EKU không then chốt", Rsa.new(), world.root, leaf.start, leaf.end, [key_usage(0), eku("timeStamping")])
    yield "time-stamp: EKU not critical", stamped(world, tsa=soft), UNPROVEN
    mixed = Cert("EKU lẫn", Rsa.new(), world.root, leaf.start, leaf.end, [key_usage(0), eku("timeStamping", "emailProtection", critical=True)])
    yield "time-stamp: EKU with another purpose", stamped(world, tsa=mixed), UNPROVEN
    yield "time-stamp by the signer himself", stamped(world, tsa=leaf), UNPROVEN
    stranger_root = Cert("Gốc lạ", Rsa.new(), start=now - 3000 * DAY, end=now + 3000 * DAY, extensions=ca_extensions())
    stranger = Cert("TSA lạ", Rsa.new(), stranger_root, leaf.start, leaf.end, [key_usage(0), eku("timeStamping", critical=True)])
    yield "time-stamp by a stranger", stamped(world, tsa=stranger), UNPROVEN
    yield "time-stamp from the future", stamped(world, at=now + 30 * DAY), UNPROVEN
    yield "time-stamp before the certificate was valid", stamped(world, at=now - 400 * DAY), NO_ACCEPT
    old_tsa = Cert("TSA hết hạn", Rsa.new(), world.root, now - 365 * DAY, now - 100 * DAY, [key_usage(0), eku("timeStamping", critical=True)])
    yield "time-stamp by an expired TSA within its time", stamped(world, tsa=old_tsa, at=now - 200 * DAY), LAWFUL | {NOT_ENOUGH}
    yield "time-stamp by an expired TSA after its time", stamped(world, tsa=old_tsa, at=now - 50 * DAY), UNPROVEN
    yield "time-stamp of nonsense", pdf.base().sign(world.signer(unsigned=[attribute("timeStampToken", seq())])).data, UNPROVEN
    yield "two time-stamps, the first wrong", pdf.base().sign(world.signer(unsigned=lambda s: [attribute("timeStampToken", token(b"x", tsa, now - 3600)), attribute("timeStampToken", token(s, tsa, now - 1800))])).data, NO_ACCEPT | LAWFUL
    yield "signature of the token broken", stamped(world, signature=b"\1" * 256), NO_ACCEPT
    yield "token signed with SHA-1", stamped(world, digest="sha1"), NO_ACCEPT | LAWFUL
    yield "token without signing certificate", stamped(world, no_ess=True), NO_ACCEPT
    yield "token with two signers' certificates, ESS names another", stamped(world, ess_of=leaf, certs=[tsa, leaf]), NO_ACCEPT
    doc = pdf.base().sign(world.signer()).sign(lambda d: token(d, tsa, now - 60), field="DTS", kind="DocTimeStamp", sub_filter="ETSI.RFC3161")
    yield "document time-stamp, right", doc.data, LAWFUL
    doc = pdf.base().sign(world.signer()).sign(lambda d: token(b"khac", tsa, now - 60), field="DTS", kind="DocTimeStamp", sub_filter="ETSI.RFC3161")
    yield "document time-stamp over other data", doc.data, NO_ACCEPT
    doc = pdf.base().sign(world.signer()).sign(lambda d: world.cms(d), field="DTS", kind="DocTimeStamp", sub_filter="ETSI.RFC3161")
    yield "document time-stamp that is a signature", doc.data, NO_ACCEPT


def status(world):
    """(name, data, words, options). The signature is right; only the certificate's state differs."""
    now, root, leaf = world.now, world.root, world.leaf
    p = pdf.base().sign(world.signer()).data
    t = stamped(world, at=now - 10 * DAY)

    def lists(*rows):
        return dict(crls=list(rows))

    yield "revoked", p, NO_ACCEPT, lists(crl(root, now - DAY, now + DAY, [(leaf.number, now - 5 * DAY, 1)]))
    yield "revoked before the time-stamp", t, NO_ACCEPT, lists(crl(root, now - DAY, now + DAY, [(leaf.number, now - 20 * DAY, 1)]))
    yield "revoked after the time-stamp", t, LAWFUL | {NOT_ENOUGH}, lists(crl(root, now - DAY, now + DAY, [(leaf.number, now - 5 * DAY, 4)]))
    yield "key compromised after the time-stamp", t, LAWFUL | {NOT_ENOUGH}, lists(crl(root, now - DAY, now + DAY, [(leaf.number, now - 5 * DAY, 1)]))
    yield "on hold", p, NO_ACCEPT, lists(crl(root, now - DAY, now + DAY, [(leaf.number, now - 5 * DAY, 6)]))
    yield "revoked without reason", p, NO_ACCEPT, lists(crl(root, now - DAY, now + DAY, [(leaf.number, now - 5 * DAY, None)]))
    yield "revoked in the future", p, NO_ACCEPT | LAWFUL, lists(crl(root, now - DAY, now + DAY, [(leaf.number, now + 5 * DAY, 1)]))
    yield "time-stamping authority revoked before", t, NO_ACCEPT | LAWFUL, lists(crl(root, now - DAY, now + DAY, [(world.tsa.number, now - 20 * DAY, 1)]))
    bad = lists(crl(root, now - DAY, now + DAY, [(leaf.number, now - 5 * DAY, 1)]))
    other = Cert("Gốc thử", Rsa.new(), start=root.start, end=root.end, extensions=ca_extensions())
    clean_wrong = crl(other, now - DAY, now + DAY)
    yield "list by a key of another, beside the right one that revokes", p, NO_ACCEPT, dict(crls=bad["crls"] + [clean_wrong])
    yield "list signed by the signer himself", p, NO_ACCEPT | LAWFUL, lists(crl(leaf, now - DAY, now + DAY))
    older = crl(root, now - 30 * DAY, now - 29 * DAY, number=1)
    yield "expired clean list beside the new one that revokes", p, NO_ACCEPT, dict(crls=[older] + bad["crls"])
    newer = crl(root, now - DAY // 2, now + DAY, number=9)
    yield "revoked in the older list, gone from the newer", p, NO_ACCEPT | LAWFUL, dict(crls=bad["crls"] + [newer])
    future = crl(root, now + DAY, now + 2 * DAY)
    need = dict(policy="cong-cong")
    yield "OCSP revoked beside a clean list", p, NO_ACCEPT, dict(ocsps=[ocsp(leaf, root, root, now - 60, now + DAY, revoked=now - DAY)])
    yield "OCSP good beside a list that revokes", p, NO_ACCEPT, dict(crls=bad["crls"], ocsps=[ocsp(leaf, root, root, now - 60, now + DAY)])
    yield "OCSP unknown, clean list", p, NO_ACCEPT | LAWFUL, dict(ocsps=[ocsp(leaf, root, root, now - 60, now + DAY, status=ctx(2, constructed=False))])
    responder = Cert("Trả lời OCSP", Rsa.new(), root, leaf.start, leaf.end, [key_usage(0), eku("ocspSigning"), extension("ocspNoCheck", NULL)])
    yield "OCSP revoked by a delegate", p, NO_ACCEPT, dict(ocsps=[ocsp(leaf, root, responder, now - 60, now + DAY, revoked=now - DAY)])


def required(world):
    """A status is demanded (a policy of official duty cannot be used: its anchors are fixed): the evidence must count."""
    now, root, leaf = world.now, world.root, world.leaf
    p = pdf.base().sign(world.signer()).data
    old = leaf
    other = Cert("Gốc thử", Rsa.new(), start=root.start, end=root.end, extensions=ca_extensions())
    responder = Cert("Trả lời OCSP", Rsa.new(), root, leaf.start, leaf.end, [key_usage(0), eku("ocspSigning"), extension("ocspNoCheck", NULL)])
    no_eku = Cert("Không được trả lời", Rsa.new(), root, leaf.start, leaf.end, [key_usage(0)])
    foreign = Cert("Trả lời lạ", Rsa.new(), other, leaf.start, leaf.end, [key_usage(0), eku("ocspSigning"), extension("ocspNoCheck", NULL)])
    expired = Cert("Trả lời hết hạn", Rsa.new(), root, now - 300 * DAY, now - 200 * DAY, [key_usage(0), eku("ocspSigning"), extension("ocspNoCheck", NULL)])
    revoked_list = [crl(root, now - DAY, now + DAY, [(responder.number, now - 30 * DAY, 1)])]
    blank = b"\x30\x00"
    rows = {
        "nothing": ([], [], NO_ACCEPT), "clean list": ([world.crl], [], LAWFUL),
        "list of another key": ([crl(other, now - DAY, now + DAY)], [], NO_ACCEPT), "list by the signer": ([crl(leaf, now - DAY, now + DAY)], [], NO_ACCEPT),
        "expired list": ([crl(root, now - 30 * DAY, now - 20 * DAY)], [], NO_ACCEPT), "list from the future": ([crl(root, now + DAY, now + 2 * DAY)], [], NO_ACCEPT),
        "list without nextUpdate": ([crl(root, now - DAY, None)], [], NO_ACCEPT | LAWFUL), "list with SHA-1": ([crl(root, now - DAY, now + DAY, digest="sha1")], [], NO_ACCEPT | LAWFUL),
        "list with an unknown critical extension": ([crl(root, now - DAY, now + DAY, extensions=[extension("1.2.3.4", NULL, True)])], [], NO_ACCEPT),
        "list for attribute certificates": ([crl(root, now - DAY, now + DAY, extensions=[extension("idp", seq(ctx(5, b"\xff", constructed=False)), True)])], [], NO_ACCEPT),
        "list for CAs only": ([crl(root, now - DAY, now + DAY, extensions=[extension("idp", seq(ctx(2, b"\xff", constructed=False)), True)])], [], NO_ACCEPT),
        "list for some reasons only": ([crl(root, now - DAY, now + DAY, extensions=[extension("idp", seq(ctx(3, b"\x06\x40", constructed=False)), True)])], [], NO_ACCEPT),
        "delta list without its base": ([crl(root, now - DAY, now + DAY, number=5, extensions=[extension("2.5.29.27", integer(4), True)])], [], NO_ACCEPT),
        "OCSP by the issuer": ([], [ocsp(leaf, root, root, now - 60, now + DAY)], LAWFUL), "OCSP by a delegate": ([], [ocsp(leaf, root, responder, now - 60, now + DAY)], LAWFUL),
        "OCSP SHA-256 identifiers": ([], [ocsp(leaf, root, root, now - 60, now + DAY, digest="sha256")], LAWFUL),
        "OCSP by a certificate without the purpose": ([], [ocsp(leaf, root, no_eku, now - 60, now + DAY)], NO_ACCEPT),
        "OCSP by another authority's delegate": ([], [ocsp(leaf, root, foreign, now - 60, now + DAY)], NO_ACCEPT),
        "OCSP by the signer himself": ([], [ocsp(leaf, root, leaf, now - 60, now + DAY)], NO_ACCEPT),
        "OCSP by an expired delegate": ([], [ocsp(leaf, root, expired, now - 60, now + DAY)], NO_ACCEPT),
        "OCSP signed with another key": ([], [ocsp(leaf, root, root, now - 60, now + DAY, signer=other.key)], NO_ACCEPT),
        "OCSP for another serial": ([], [ocsp(leaf, root, root, now - 60, now + DAY, serial=leaf.number + 1)], NO_ACCEPT),
        "OCSP for another issuer": ([], [ocsp(leaf, other, root, now - 60, now + DAY)], NO_ACCEPT),
        "OCSP stale": ([], [ocsp(leaf, root, root, now - 30 * DAY, now - 20 * DAY)], NO_ACCEPT), "OCSP from the future": ([], [ocsp(leaf, root, root, now + 2 * DAY, now + 3 * DAY)], NO_ACCEPT),
        "OCSP unknown": ([], [ocsp(leaf, root, root, now - 60, now + DAY, status=ctx(2, constructed=False))], NO_ACCEPT),
        "OCSP empty": ([], [blank], NO_ACCEPT), "OCSP try later": ([], [seq(tlv(10, b"\3"))], NO_ACCEPT),
        "OCSP successful without an answer": ([], [seq(tlv(10, b"\0"))], NO_ACCEPT),
    }
    for name, (crls, ocsps, words) in rows.items():
        yield "status demanded: " + name, p, words, dict(crls=crls or [crl(other, now - 9 * DAY, now - 8 * DAY)], ocsps=ocsps, revocation="require")


def domains(world):
    now = world.now
    p = pdf.base().sign(world.signer()).data
    other = Cert("Gốc công cộng", Rsa.new(), start=now - 3000 * DAY, end=now + 3000 * DAY, extensions=ca_extensions())
    cross = Cert("Gốc thử", world.root.key, other, now - 3000 * DAY, now + 3000 * DAY, ca_extensions())
    yield "anchor of another domain", p, NO_ACCEPT, dict(anchors=[other.der])
    yield "official duty: an anchor of one's own is not Ban Cơ yếu's", p, NO_ACCEPT, dict(policy="cong-vu")
    yield "public policy with an unlisted root", p, NO_ACCEPT | LAWFUL, dict(policy="cong-cong")
    yield "no anchor", p, NO_ACCEPT, dict(anchors=[], policy="noi-bo")
    yield "cross certificate brought along reaches the other root only if it is trusted", p, NO_ACCEPT, dict(anchors=[other.der])
    yield "the leaf as anchor", p, LAWFUL | {NOT_ENOUGH}, dict(anchors=[world.leaf.der])
    yield "before the certificate was made", p, NO_ACCEPT, dict(at="2001-01-01T00:00:00Z")
    yield "after the root's end", p, NO_ACCEPT, dict(at="2099-01-01T00:00:00Z")


def cases(world, full):
    for name, data, words in time_stamps(world):
        proven = False if words == UNPROVEN else True if words == LAWFUL else None
        yield Case(name, data, words, proven=proven)
    for part in (status, required, domains):
        for name, data, words, options in part(world):
            yield Case(name, data, words, **options)
