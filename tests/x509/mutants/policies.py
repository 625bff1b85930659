"""Certificate policies: RFC 5280 6.1.2-6.1.5 in cases that published suites leave out."""
from .world import *

P1, P2, P3, ANY = "1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.99999.2", "1.3.6.1.4.1.99999.3", "anyPolicy"


def policies(*ids, critical=False):
    return extension("certificatePolicies", seq(*[seq(oid(i)) for i in ids]), critical)


def mappings(*pairs, critical=True):
    return extension("policyMappings", seq(*[seq(oid(a), oid(b)) for a, b in pairs]), critical)


def required(explicit=None, mapping=None, critical=True):
    parts = [tlv(0x80 | n, split(integer(v))[0][2]) for n, v in ((0, explicit), (1, mapping)) if v is not None]
    return extension("policyConstraints", seq(*parts), critical)


def inhibit(n, critical=True):
    return extension("2.5.29.54", integer(n), critical)


def table(w):
    strict = {"explicit_policy": True}
    asks = lambda *ids, **more: {"policy_oids": list(ids), **strict, **more}  # noqa: E731
    ca_p1, leaf_p1, leaf_p2 = {"cp": policies(P1)}, {"cp": policies(P1)}, {"cp": policies(P2)}
    no = "AN_V_PATH_POLICY"
    rows = [
        # label, expected, CA, leaf, options, why
        ("the same policy", GOOD, ca_p1, leaf_p1, asks(P1), ""),
        ("another policy", BAD, ca_p1, leaf_p1, asks(P2), no),
        ("another policy, none required", GOOD, ca_p1, leaf_p1, {"policy_oids": [P2]}, ""),
        ("policies that do not meet", BAD, ca_p1, leaf_p2, strict, no),
        ("policies that do not meet, none required", GOOD, ca_p1, leaf_p2, {}, ""),
        ("none in the leaf", BAD, ca_p1, {}, strict, no),
        ("none in the CA", BAD, {}, leaf_p1, strict, no),
        ("any in the CA", GOOD, {"cp": policies(ANY)}, leaf_p1, asks(P1), ""),
        ("any in the leaf", GOOD, ca_p1, {"cp": policies(ANY)}, asks(P1), ""),
        ("any in both", GOOD, {"cp": policies(ANY)}, {"cp": policies(ANY)}, asks(P1), ""),
        ("any in both, inhibited", BAD, {"cp": policies(ANY)}, {"cp": policies(ANY)}, asks(P1, inhibit_any_policy=True), no),
        ("any in the leaf, inhibited", BAD, ca_p1, {"cp": policies(ANY)}, asks(P1, inhibit_any_policy=True), no),
        ("inhibited by the CA", BAD, {"cp": policies(P1), "ia": inhibit(0)}, {"cp": policies(ANY)}, asks(P1), no),
        ("inhibited by the CA one later", GOOD, {"cp": policies(P1), "ia": inhibit(1)}, {"cp": policies(ANY)}, asks(P1), ""),
        ("mapped", GOOD, {"cp": policies(P1), "pm": mappings((P1, P2))}, leaf_p2, asks(P1), ""),
        ("mapped, the leaf's own asked", BAD, {"cp": policies(P1), "pm": mappings((P1, P2))}, leaf_p2, asks(P2), no),
        ("mapped away", BAD, {"cp": policies(P1), "pm": mappings((P1, P2))}, leaf_p1, asks(P1), no),
        ("mapped to itself and another", GOOD, {"cp": policies(P1), "pm": mappings((P1, P2), (P1, P1))}, leaf_p1, asks(P1), ""),
        ("mapping inhibited", BAD, {"cp": policies(P1), "pm": mappings((P1, P2))}, leaf_p2, asks(P1, inhibit_mapping=True), no),
        ("mapped under any", GOOD, {"cp": policies(ANY), "pm": mappings((P1, P2))}, leaf_p2, asks(P1), ""),
        ("mapping of what the CA does not assert", BAD, {"cp": policies(P3), "pm": mappings((P1, P2))}, leaf_p2, asks(P1), no),
        ("mapped from any", BAD, {"cp": policies(P1), "pm": mappings((ANY, P2))}, leaf_p2, {}, no),
        ("mapped to any", BAD, {"cp": policies(P1), "pm": mappings((P1, ANY))}, leaf_p2, {}, no),
        ("mappings of nothing", BAD, {"cp": policies(P1), "pm": mappings()}, leaf_p1, {}, ""),
        ("mapping plain", GOOD, {"cp": policies(P1), "pm": mappings((P1, P2), critical=False)}, leaf_p2, asks(P1), ""),
        ("two to one, one asked", GOOD, {"cp": policies(P1, P3), "pm": mappings((P1, P2), (P3, P2))}, leaf_p2, asks(P3), ""),
        ("required by the CA", BAD, {"pc": required(0)}, leaf_p1, {}, no),
        ("required by the CA one later", BAD, {"pc": required(1)}, leaf_p1, {}, no),
        ("required by the CA two later", GOOD, {"pc": required(2)}, leaf_p1, {}, ""),
        ("required by the leaf of itself", BAD, {}, {"pc": required(0)}, {}, no),
        ("required by the leaf one later", GOOD, {}, {"pc": required(1)}, {}, ""),
        ("required and there", GOOD, {"cp": policies(P1), "pc": required(0)}, leaf_p1, {}, ""),
        ("constraints of nothing", BAD, {"pc": extension("policyConstraints", seq(), True)}, leaf_p1, {}, ""),
        ("constraints negative", BAD, {"pc": extension("policyConstraints", seq(tlv(0x80, b"\xff")), True)}, leaf_p1, {}, ""),
        ("constraints plain", GOOD, {"cp": policies(P1), "pc": required(0, critical=False)}, leaf_p1, {}, ""),
        ("constraints of 2^64", GOOD, {"pc": required(2 ** 64)}, leaf_p1, {}, ""),
        ("inhibit negative", BAD, {"ia": inhibit(-1)}, leaf_p1, {}, ""),
        ("inhibit of no octets", BAD, {"ia": extension("2.5.29.54", tlv(2), True)}, leaf_p1, {}, ""),
        ("the same policy twice", BAD, {"cp": policies(P1, P1)}, leaf_p1, {}, ""),
        ("policies of nothing", BAD, {"cp": policies()}, leaf_p1, {}, ""),
        ("policies critical", GOOD, {"cp": policies(P1, critical=True)}, {"cp": policies(P1, critical=True)}, asks(P1), ""),
        ("a policy of no octets", BAD, {"cp": extension("certificatePolicies", seq(seq(tlv(6))))}, leaf_p1, {}, ""),
        ("a qualifier unknown", GOOD, ca_p1, {"cp": extension("certificatePolicies", seq(seq(oid(P1), seq(seq(oid("1.2.3.4"), utf8("x"))))))}, asks(P1), ""),
        ("a qualifier unknown, critical", None, ca_p1, {"cp": extension("certificatePolicies", seq(seq(oid(P1), seq(seq(oid("1.2.3.4"), utf8("x"))))), True)}, asks(P1), ""),
    ]
    for label, expect, ca, leaf, options, why in rows:
        yield w.under(f"policy: {label}", expect, ca_edit=ca, leaf_edit=leaf, options=options, why=why,
                      peers="4.2.1.11 binds issuers; PKITS accepts it plain" if label.endswith("plain") else "no limit on a path of this length" if "2^64" in label else "")


def chains(w):
    """Three certificates: what happens in between, self-issued ones included."""
    def three(label, expect, first, second, leaf, options, same=False, **rest):
        a = w.make_ca("CA 1", key=3, edit=first)
        b = w.make_ca(a.subject if same else "CA 2", key=4, issuer=a, edit=second)
        return w.case(f"policy: {label}", expect, untrusted=[a, b], leaf=w.make_leaf(issuer=b, edit=leaf), options=options, **rest)

    asked = {"policy_oids": [P1], "explicit_policy": True}
    yield three("mapped twice", GOOD, {"cp": policies(P1), "pm": mappings((P1, P2))}, {"cp": policies(P2), "pm": mappings((P2, P3))}, {"cp": policies(P3)}, asked)
    yield three("mapped there and back", GOOD, {"cp": policies(P1), "pm": mappings((P1, P2))}, {"cp": policies(P2), "pm": mappings((P2, P1))}, {"cp": policies(P1)}, asked)
    yield three("mapping inhibited below", BAD, {"cp": policies(P1), "pc": required(mapping=0)}, {"cp": policies(P1), "pm": mappings((P1, P2))}, {"cp": policies(P2)}, asked)
    yield three("mapping inhibited below, widened", BAD, {"cp": policies(P1), "pc": required(mapping=0)}, {"cp": policies(P1), "pm": mappings((P1, P2)), "pc": required(mapping=5)}, {"cp": policies(P2)}, asked)
    yield three("any inhibited but self-issued", GOOD, {"cp": policies(P1), "ia": inhibit(0)}, {"cp": policies(ANY)}, {"cp": policies(P1)}, asked, same=True)
    yield three("any inhibited, not self-issued", BAD, {"cp": policies(P1), "ia": inhibit(0)}, {"cp": policies(ANY)}, {"cp": policies(P1)}, asked)
    yield three("required one later, a self-issued CA does not count", GOOD, {"pc": required(2)}, {}, {}, {}, same=True)
    yield three("required one later", BAD, {"pc": required(1)}, {}, {}, {})
    yield three("any, then mapped under it", GOOD, {"cp": policies(ANY)}, {"cp": policies(ANY), "pm": mappings((P1, P2))}, {"cp": policies(P2)}, asked)
    yield three("lost in the middle", BAD, {"cp": policies(P1)}, {}, {"cp": policies(P1)}, asked)


FAMILIES = {"policies": table, "policies of longer paths": chains}
