"""Much of everything: what could take long reaches a limit and is said not to be known. No clock is looked at: the limits count steps."""
from .names import nc
from .policies import mappings, policies
from .world import *

LIMIT = "AN_V_PATH_LIMIT"
refuse_all = "others have no limit, or another"


def forged(w, count, key, subject="CA"):
    """Certificates of the root over this key, each with a signature that is none."""
    rows = w.ca_extensions(key=key).values()
    out = []
    for i in range(count):
        tbs = seq(ctx(0, integer(2)), integer(10 ** 6 + i), key.algorithm(), w.root.subject, seq(when(NOW - DAY), when(NOW + DAY)), name(subject), key.spki(), ctx(3, seq(*rows)))
        cert = Made.__new__(Made)
        cert.der = seq(tbs, key.algorithm(), bits(b"\1" * 256))
        out.append(cert)
    return out


def party(subject, key):
    out = Made.__new__(Made)
    out.subject, out.key = subject, key
    return out


def crowds(w):
    yield w.case("1000 CAs of one name before the right one", GOOD, untrusted=forged(w, 1000, w.keys[5]) + [w.ca], peers=refuse_all)
    yield w.case("1000 forged certificates of the right key before the right one", BAD, untrusted=forged(w, 1000, w.keys[1]) + [w.ca], why=LIMIT)
    parties = [party(name(f"W{i}"), w.keys[i]) for i in range(7)]
    web = [Made(a.subject, a.key, b, {"bc": constraints(), "ku": key_usage(5, 6), "ski": ski(a.key), "aki": aki(b.key)}) for a in parties for b in parties if a is not b]
    end = Made("Cuối", w.keys[7], parties[0], w.leaf_extensions(w.keys[7], parties[0]))
    yield w.case("seven CAs that all certify each other, and no root", BAD, leaf=end, untrusted=web, why=LIMIT)
    ids, above, chain = [f"1.2.3.{i}" for i in range(40)], w.root, []
    for i in range(6):
        above = w.make_ca(f"P{i}", key=i + 1, issuer=above, edit={"cp": policies(*ids), "pm": mappings(*[(a, b) for a in ids for b in ids])})
        chain.append(above)
    yield w.case("forty policies all mapped to all, six times", BAD, leaf=w.make_leaf(issuer=above, edit={"cp": policies(*ids)}), untrusted=chain, why=LIMIT, options={"explicit_policy": True})
    hosts, names = [dns(f"x{i}.example") for i in range(2500)], [dns(f"y{i}.vn") for i in range(2500)]
    yield w.under("2500 constraints on hosts, 2500 hosts", BAD, ca_edit={"nc": nc([], hosts)}, leaf_edit={"san": san(*names)}, why=LIMIT)
    places, people = [directory(name(f"x{i}" + "é" * 20)) for i in range(300)], [directory(name(f"y{i}" + "ê" * 20)) for i in range(300)]
    yield w.under("300 constraints on directory names, 300 names", BAD, ca_edit={"nc": nc([], places)}, leaf_edit={"san": san(*people)}, why=LIMIT)
    yield w.under("60 constraints on directory names, 60 names", GOOD, ca_edit={"nc": nc([], places[:60])}, leaf_edit={"san": san(*people[:60])}, peers=refuse_all)


FAMILIES = {"crowds": crowds}
