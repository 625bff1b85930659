"""Names: constraints in every form, wanted names, wildcards, empty subjects."""
from .world import *

OTHER_MAIL = "1.3.6.1.5.5.7.8.9"  # SmtpUTF8Mailbox, RFC 9598
UPN = "1.3.6.1.4.1.311.20.2.3"


def nc(permitted=(), excluded=(), critical=True):
    parts = [ctx(n, *[seq(base) if isinstance(base, bytes) else seq(*base) for base in bases]) for n, bases in ((0, permitted), (1, excluded)) if bases]
    return extension("2.5.29.30", seq(*parts), critical)


def other(kind, value):
    return ctx(0, oid(kind), ctx(0, value))


def dn(*rdns):
    return seq(*[set_of(*[seq(oid(k), utf8(v)) for k, v in (rdn if isinstance(rdn, list) else [rdn])]) for rdn in rdns])


def pairs(w, label, rows, permitted, excluded=(), **rest):
    """rows: (name in the leaf, expected)."""
    for item, expect in rows:
        peers = rest.get("peers", "")
        yield w.under(f"{label}: {item[2:].decode('latin-1')}", expect, ca_edit={"nc": nc(permitted, excluded)}, leaf_edit={"san": san(item)}, peers=peers)


def hosts(w):
    yield from pairs(w, "hosts of example.com", [
        (dns("example.com"), GOOD), (dns("EXAMPLE.com"), GOOD), (dns("a.b.example.com"), GOOD), (dns("badexample.com"), BAD), (dns("example.com.evil.org"), BAD),
        (dns("com"), BAD), (dns("*.example.com"), GOOD), (dns("*.com"), BAD), (dns("xn--exmple-cua.com"), BAD)], [dns("example.com")])
    yield from pairs(w, "hosts without bad.example.com", [
        (dns("bad.example.com"), BAD), (dns("x.bad.example.com"), BAD), (dns("good.example.com"), GOOD), (dns("BAD.EXAMPLE.COM"), BAD), (dns("*.example.com"), BAD),
        (dns("notbad.example.com"), GOOD)], [], [dns("bad.example.com")], peers="")
    for item in (dns("bad.example.com."), dns("b\xc3\xa4d.example.com"), dns(b"good.example.com\0.bad.example.com"), dns(""), dns(".bad.example.com"), dns("bad example.com")):
        yield w.under(f"hosts without bad.example.com, odd: {item[2:]!r}", BAD, ca_edit={"nc": nc([], [dns("bad.example.com")])}, leaf_edit={"san": san(item)})
    yield w.under("all hosts excluded, none there", GOOD, ca_edit={"nc": nc([], [dns("")])}, leaf_edit={"san": san(email("a@b.vn"))})
    yield w.under("all hosts excluded, one there", BAD, ca_edit={"nc": nc([], [dns("")])}, leaf_edit={"san": san(dns("a.vn"))}, why="AN_V_PATH_NAME_CONSTRAINT")
    yield w.under("base with a leading dot", BAD, lenient=GOOD, ca_edit={"nc": nc([dns(".example.com")])}, leaf_edit={"san": san(dns("a.example.com"))})
    yield w.under("base with a leading dot is no host itself", BAD, ca_edit={"nc": nc([dns(".example.com")])}, leaf_edit={"san": san(dns("example.com"))}, lenient=None)
    yield w.under("base with a wildcard", BAD, ca_edit={"nc": nc([dns("*.example.com")])}, leaf_edit={"san": san(dns("a.example.com"))})
    yield w.under("IDN as A-label", GOOD, ca_edit={"nc": nc([dns("xn--exmple-cua.com")])}, leaf_edit={"san": san(dns("a.XN--EXMPLE-CUA.com"))})
    yield w.under("one name inside, one outside", BAD, ca_edit={"nc": nc([dns("example.com")])}, leaf_edit={"san": san(dns("a.example.com"), dns("a.example.org"))}, why="AN_V_PATH_NAME_CONSTRAINT")
    yield w.under("permitted and excluded, excluded wins", BAD, ca_edit={"nc": nc([dns("example.com")], [dns("a.example.com")])}, leaf_edit={"san": san(dns("a.example.com"))}, why="AN_V_PATH_NAME_CONSTRAINT")
    yield w.under("constraints not critical still bind", BAD, ca_edit={"nc": nc([dns("example.com")], critical=False)}, leaf_edit={"san": san(dns("a.example.org"))})
    yield w.under("common name is no host", GOOD, ca_edit={"nc": nc([dns("example.com")])}, subject="www.example.org", peers="OpenSSL and GnuTLS compare a common name that looks like a host; 4.2.1.10 does not")


def addresses(w):
    mask8, all6 = (255, 0, 0, 0), (255,) * 6 + (0,) * 10
    yield from pairs(w, "IPv4 10/8", [(ip(10, 1, 2, 3), GOOD), (ip(11, 1, 2, 3), BAD), (ip(*[0] * 10, 255, 255, 10, 1, 2, 3), BAD)], [ip(10, 0, 0, 0, *mask8)])
    yield from pairs(w, "IPv6 2001:db8::/48", [(ip(0x20, 1, 0xd, 0xb8, *[0] * 11, 1), GOOD), (ip(0x20, 1, 0xd, 0xb9, *[0] * 12), BAD), (ip(10, 0, 0, 1), BAD)],
                     [ip(0x20, 1, 0xd, 0xb8, *[0] * 12, *all6)])
    yield from pairs(w, "without IPv4 10/8", [(ip(10, 1, 2, 3), BAD), (ip(*[0] * 15, 1), GOOD)], [], [ip(10, 0, 0, 0, *mask8)])
    yield w.under("all addresses excluded, IPv6 there", BAD, ca_edit={"nc": nc([], [ip(*[0] * 8), ip(*[0] * 32)])}, leaf_edit={"san": san(ip(*[0] * 15, 1))})
    for label, base in (("mask with a hole", ip(10, 0, 0, 0, 255, 0, 255, 0)), ("five octets", ip(10, 0, 0, 0, 255)), ("no mask", ip(10, 0, 0, 0)), ("none", ip())):
        yield w.under(f"constraint on addresses: {label}", BAD, ca_edit={"nc": nc([base])}, leaf_edit={"san": san(ip(10, 0, 0, 1))}, lenient=BAD)
    yield w.under("address bits set outside the mask", GOOD, ca_edit={"nc": nc([ip(10, 9, 9, 9, *mask8)])}, leaf_edit={"san": san(ip(10, 1, 2, 3))}, peers="a base is compared under its mask")
    for octs in ((10, 0, 0), (10,), (10, 0, 0, 0, 0), (0,) * 17):
        yield w.under(f"address of {len(octs)} octets", BAD, leaf_edit={"san": san(ip(*octs))}, lenient=GOOD, peers="a name that nobody asked for")


def mailboxes(w):
    yield from pairs(w, "mail of the host example.com", [
        (email("a@example.com"), GOOD), (email("a@EXAMPLE.com"), GOOD), (email("a@sub.example.com"), BAD), (email("a@example.com.evil.org"), BAD), (email("example.com"), BAD),
        (email("a@b@example.com"), BAD), (email("\"a@b\"@example.com"), GOOD), (email("@example.com"), BAD), (email("a@evil.org@example.com"), BAD)], [email("example.com")])
    yield from pairs(w, "mail below .example.com", [(email("a@sub.example.com"), GOOD), (email("a@example.com"), BAD)], [email(".example.com")])
    yield from pairs(w, "one mailbox", [(email("van.a@example.com"), GOOD), (email("Van.A@example.com"), BAD), (email("van.a@EXAMPLE.COM"), GOOD), (email("b@example.com"), BAD)], [email("van.a@example.com")])
    yield from pairs(w, "without the host example.com", [(email("a@example.com"), BAD), (email("a@EXAMPLE.COM"), BAD), (email("a@sub.example.com"), GOOD), (email("a@[10.0.0.1]"), BAD), (email(b"\xc3\xa0@b.vn"), BAD)],
                     [], [email("example.com")])
    in_subject = dn(("C", "VN"), ("1.2.840.113549.1.9.1", "a@evil.org"))
    for permitted, excluded, expect in (([email("example.com")], [], BAD), ([], [email("evil.org")], BAD), ([email("evil.org")], [], GOOD)):
        yield w.under(f"mail in the subject {len(permitted)}{len(excluded)}{expect}", expect, ca_edit={"nc": nc(permitted, excluded)}, subject=in_subject)
        yield w.under(f"mail in the subject beside another in subjectAltName {len(permitted)}{len(excluded)}{expect}", expect, ca_edit={"nc": nc(permitted, excluded)}, subject=in_subject,
                      leaf_edit={"san": san(email("a@example.com" if expect == BAD else "a@evil.org"))})
    for text, expect in (("đặng@example.com", GOOD), ("đặng@evil.org", BAD), ("đặng@xn--exmple-cua.com", BAD), ("đặng@exämple.com", BAD), ("example.com", BAD)):
        yield w.under(f"international mailbox {text} under a host", expect, ca_edit={"nc": nc([email("example.com")])}, leaf_edit={"san": san(other(OTHER_MAIL, utf8(text)))})
    yield w.under("international mailbox under one mailbox", BAD, ca_edit={"nc": nc([email("a@example.com")])}, leaf_edit={"san": san(other(OTHER_MAIL, utf8("á@example.com")))})
    yield w.under("international mailbox in an excluded host", BAD, ca_edit={"nc": nc([], [email("evil.org")])}, leaf_edit={"san": san(other(OTHER_MAIL, utf8("đặng@evil.org")))})
    yield w.under("international mailbox beside an excluded host", GOOD, ca_edit={"nc": nc([], [email("evil.org")])}, leaf_edit={"san": san(other(OTHER_MAIL, utf8("đặng@example.com")))})


def resources(w):
    yield from pairs(w, "URI at example.com", [
        (uri("http://example.com/a"), GOOD), (uri("ldap://EXAMPLE.com:389/x?y"), GOOD), (uri("http://a.example.com/"), BAD), (uri("http://example.com@evil.org/"), BAD),
        (uri("http://evil.org/#@example.com"), BAD), (uri("http://evil.org/?@example.com"), BAD), (uri("http://evil.org\\@example.com/"), BAD), (uri("http://u:p@example.com/"), GOOD),
        (uri("http://example.com:80@evil.org"), BAD), (uri("urn:example.com"), BAD), (uri("http:example.com"), BAD), (uri("http://[::1]/"), BAD), (uri("http:///example.com"), BAD),
        (uri("http://example.com:x/"), BAD)], [uri("example.com")])
    yield from pairs(w, "URI below .example.com", [(uri("http://a.example.com/"), GOOD), (uri("http://example.com/"), BAD)], [uri(".example.com")])
    yield from pairs(w, "URI without .example.com", [(uri("http://a.example.com/"), BAD), (uri("http://b.vn/"), GOOD), (uri("http://10.0.0.1/"), BAD), (uri("http://167772161/"), BAD),
                                                    (uri("http://0x0a000001/"), BAD), (uri("http://[2001:db8::1]/"), BAD), (uri("urn:x"), BAD), (uri("http://a%2eexample.com/"), BAD)], [], [uri(".example.com")])


def directories(w):
    base = dn(("C", "VN"), ("O", "Cơ quan thử"))
    for label, subject, expect in (
            ("below", dn(("C", "VN"), ("O", "Cơ quan thử"), ("CN", "A")), GOOD), ("itself", base, GOOD), ("other letters", dn(("C", "vn"), ("O", "CƠ  QUAN thử "), ("CN", "A")), GOOD),
            ("shorter", dn(("C", "VN")), BAD), ("another", dn(("C", "VN"), ("O", "Cơ quan khác"), ("CN", "A")), BAD), ("only begins like it", dn(("C", "VN"), ("O", "Cơ quan thử 2"), ("CN", "A")), BAD),
            ("in one set with more", dn(("C", "VN"), [("O", "Cơ quan thử"), ("CN", "A")]), BAD), ("another order", dn(("O", "Cơ quan thử"), ("C", "VN"), ("CN", "A")), BAD),
            ("not composed letters", dn(("C", "VN"), ("O", "Cơ quan thử"), ("CN", "A")), GOOD)):
        peers = "7.1: names are compared without case, runs of spaces and composition" if label in ("other letters", "not composed letters") else ""
        yield w.under(f"directory names permitted: {label}", expect, ca_edit={"nc": nc([directory(base)])}, subject=subject, peers=peers)
        yield w.under(f"directory names excluded: {label}", BAD if expect == GOOD else GOOD, ca_edit={"nc": nc([], [directory(base)])}, subject=subject)
    inside = dn(("C", "VN"), ("O", "Cơ quan thử"), ("CN", "A"))
    yield w.under("directory name outside in subjectAltName", BAD, ca_edit={"nc": nc([directory(base)])}, subject=inside, leaf_edit={"san": san(directory(dn(("C", "VN"), ("O", "x"))))})
    yield w.under("empty subject below constraints", GOOD, ca_edit={"nc": nc([directory(base)])}, subject=seq(), leaf_edit={"san": san(email("a@b.vn"), critical=True)})
    yield w.under("all directory names excluded", BAD, ca_edit={"nc": nc([], [directory(seq())])}, subject=inside)


def forms(w):
    for label, item in (("other name", other(UPN, utf8("a@b.vn"))), ("registered ID", ctx(8, b"\x2a\x03", constructed=False)), ("EDI party", ctx(5, ctx(1, utf8("x"))))):
        yield w.under(f"a constrained form nobody compares: {label}", BAD, ca_edit={"nc": nc([item])}, leaf_edit={"san": san(item)})
        yield w.under(f"a constrained form that is not there: {label}", GOOD, ca_edit={"nc": nc([item])}, leaf_edit={"san": san(dns("a.vn"))}, peers="unknown forms bind only names of that form (4.2.1.10)")
        yield w.under(f"an excluded form that is there: {label}", BAD, ca_edit={"nc": nc([], [item])}, leaf_edit={"san": san(item)})
    yield w.under("minimum one", BAD, ca_edit={"nc": nc([(dns("example.com"), tlv(0x80, b"\1"))])}, leaf_edit={"san": san(dns("a.example.com"))})
    yield w.under("maximum given", BAD, ca_edit={"nc": nc([(dns("example.com"), tlv(0x81, b"\5"))])}, leaf_edit={"san": san(dns("a.example.com"))})
    yield w.under("minimum zero written out", None, ca_edit={"nc": nc([(dns("example.com"), tlv(0x80, b"\0"))])}, leaf_edit={"san": san(dns("a.example.com"))})
    yield w.under("constraints of nothing", BAD, ca_edit={"nc": extension("2.5.29.30", seq(), True)})
    yield w.under("permitted of nothing", BAD, ca_edit={"nc": extension("2.5.29.30", seq(ctx(0)), True)})
    yield w.under("constraints in an end entity", BAD, lenient=GOOD, leaf_edit={"nc": nc([dns("a.vn")])}, peers="6.1 does not look at it in an end entity")
    root = w.make_root(edit={"nc": nc([dns("example.com")])})
    ca = w.make_ca(issuer=root)
    for host, expect in (("a.example.com", GOOD), ("a.example.org", BAD)):
        yield w.case(f"constraints of the anchor: {host}", expect, root=root, ca=ca, leaf=w.make_leaf(issuer=ca, edit={"san": san(dns(host))}))
    # twice: the intersection of two sets, not the later one
    outer = w.make_ca("Ngoài", key=3, edit={"nc": nc([dns("example.com")])})
    inner = w.make_ca("Trong", key=4, issuer=outer, edit={"nc": nc([dns("example.org"), dns("a.example.com")])})
    for host, expect in (("a.example.com", GOOD), ("b.example.com", BAD), ("a.example.org", BAD)):
        yield w.case(f"two sets of constraints: {host}", expect, untrusted=[outer, inner], leaf=w.make_leaf(issuer=inner, edit={"san": san(dns(host))}))
    first = w.make_ca(edit={"nc": nc([directory(dn(("C", "VN"), ("O", "Khác")))])})
    again = Made(first.subject, w.keys[3], first, w.ca_extensions(w.keys[3], first))
    inside = dn(("C", "VN"), ("O", "Khác"), ("CN", "A"))
    yield w.case("a self-issued CA is exempt from constraints", GOOD, untrusted=[first, again], leaf=Made(inside, w.keys[2], again, w.leaf_extensions(w.keys[2], again)), peers="6.1.3 (b)")
    end = Made(first.subject, w.keys[2], first, w.leaf_extensions(w.keys[2], first))
    yield w.case("a self-issued end entity is not", BAD, untrusted=[first], leaf=end)


def wanted(w):
    def asked(label, expect, names, *items, subject="Người ký", **rest):
        return w.under(f"wanted {label}", expect, subject=subject, leaf_edit={"san": san(*items)} if items else {}, options={"names": names}, why="AN_V_PATH_NAME" if expect == BAD else "", **rest)

    for pattern, host, expect in (
            ("*.example.com", "a.example.com", GOOD), ("*.example.com", "A.EXAMPLE.COM", GOOD), ("*.example.com", "a.b.example.com", BAD), ("*.example.com", "example.com", BAD),
            ("*.com", "example.com", BAD), ("a.example.com", "a.example.com.", GOOD), ("a.example.com", "b.example.com", BAD)):
        yield asked(f"{host} of {pattern}", expect, ["dns:" + host], dns(pattern), peers="one label may stand for *")
    for pattern in ("a*.example.com", "*a.example.com", "a.*.example.com", "*.*.example.com", "*", "xn--*.example.com"):
        yield w.under(f"wanted a.b.example.com of {pattern}", BAD, leaf_edit={"san": san(dns(pattern))}, options={"names": ["dns:a.b.example.com"]})
    yield asked("host in the common name only", BAD, ["dns:www.example.com"], subject="www.example.com")
    yield asked("address", GOOD, ["ip:10.0.0.1"], ip(10, 0, 0, 1))
    yield asked("address as a host", BAD, ["dns:10.0.0.1"], ip(10, 0, 0, 1))
    yield asked("address that stands as a host", BAD, ["ip:10.0.0.1"], email("a@b.vn"))
    yield asked("IPv6 in short form", GOOD, ["ip:2001:db8::1"], ip(0x20, 1, 0xd, 0xb8, *[0] * 11, 1))
    yield asked("mailbox", GOOD, ["email:van.a@example.com"], email("van.a@EXAMPLE.com"))
    yield asked("mailbox in another case", BAD, ["email:Van.A@example.com"], email("van.a@example.com"), peers="")
    yield asked("mailbox in the subject", GOOD, ["email:a@b.vn"], subject=dn(("C", "VN"), ("1.2.840.113549.1.9.1", "a@b.vn")))
    yield asked("URI", GOOD, ["uri:http://a.vn/x"], uri("http://a.vn/x"))
    yield asked("URI elsewhere", BAD, ["uri:http://a.vn/y"], uri("http://a.vn/x"))
    yield asked("directory name", GOOD, ["dn:C=VN, O=Cơ quan thử, CN=Người ký"])
    yield asked("directory name elsewhere", BAD, ["dn:C=VN, O=Cơ quan thử, CN=Người khác"])
    yield asked("two of two", GOOD, ["dns:a.vn", "dns:b.vn"], dns("a.vn"), dns("b.vn"), peers="")
    yield asked("one of two", BAD, ["dns:a.vn", "dns:c.vn"], dns("a.vn"), dns("b.vn"))
    yield asked("UPN", GOOD, ["upn:an@b.vn"], other(UPN, utf8("an@b.vn")))
    yield asked("UPN of another", BAD, ["upn:an@b.vn"], other(UPN, utf8("binh@b.vn")))
    yield asked("UPN that stands in another other name", BAD, ["upn:an@b.vn"], other("1.2.3.4", utf8("an@b.vn")))


def subjects(w):
    yield w.under("empty subject, critical names", GOOD, subject=seq(), leaf_edit={"san": san(dns("a.vn"), critical=True)})
    yield w.under("empty subject, plain names", BAD, lenient=GOOD, subject=seq(), leaf_edit={"san": san(dns("a.vn"))})
    yield w.under("empty subject, no names", BAD, lenient=GOOD, subject=seq(), peers="documents show the certificate as it is")
    yield w.under("names of nothing", BAD, lenient=GOOD, leaf_edit={"san": san()})
    yield w.under("empty subject, names of nothing", BAD, lenient=GOOD, peers="documents show the certificate as it is", subject=seq(), leaf_edit={"san": san(critical=True)})
    empty = w.make_ca(seq())
    yield w.case("CA with an empty subject", BAD, lenient=GOOD, peers="6.1 compares names, and these are equal", ca=empty, leaf=w.make_leaf(issuer=empty))
    for item in (dns("a_b.vn"), dns("a..vn"), dns(".vn"), email("nobody"), uri("no scheme"), dns(b"\xff.vn")):
        yield w.under(f"ill-formed name {item[2:]!r}", BAD, lenient=GOOD, leaf_edit={"san": san(item)}, peers="a name that nobody asked for")
    yield w.under("a name of an unknown tag", BAD, leaf_edit={"san": san(ctx(9, b"x", constructed=False))})
    yield w.under("a name with no tag of the context", BAD, leaf_edit={"san": extension("2.5.29.17", seq(utf8("x")))})


FAMILIES = {"hosts": hosts, "addresses": addresses, "mailboxes": mailboxes, "resources": resources, "directories": directories, "forms of names": forms, "wanted names": wanted, "subjects": subjects}
