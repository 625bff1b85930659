"""Certificates, revocation lists and keys made with the openssl program alone."""
import os
import subprocess
from datetime import datetime, timedelta, timezone

CONFIG = """
[ca]
default_ca = here
[here]
dir = {dir}
database = {dir}/index.txt
new_certs_dir = {dir}/new
rand_serial = yes
crlnumber = {dir}/crlnumber
unique_subject = no
default_md = sha256
default_days = 365
default_crl_days = 30
policy = any
string_mask = utf8only
[any]
countryName = optional
stateOrProvinceName = optional
localityName = optional
organizationName = optional
organizationalUnitName = optional
title = optional
commonName = optional
emailAddress = optional
[req]
distinguished_name = dn
string_mask = utf8only
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[sub]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[person]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
extendedKeyUsage = clientAuth,emailProtection
subjectAltName = email:thu@vidu.gov.vn
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[agency]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
extendedKeyUsage = clientAuth,emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

KEYS = {
    "RSA-2048": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "RSA-3072": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    "P-256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "P-384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
}


def openssl(*words, data=None):
    done = subprocess.run(["openssl", *map(str, words)], input=data, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(map(str, words))}: {done.stderr.decode()}")
    return done.stdout


def stamp(days):
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class Identity:
    def __init__(self, key, cert):
        self.key, self.cert = key, cert


class Authority:
    def __init__(self, folder, name, parent=None):
        self.dir = folder
        (folder / "new").mkdir(parents=True)
        (folder / "index.txt").touch()
        (folder / "crlnumber").write_text("01\n")
        self.config = folder / "openssl.cnf"
        self.config.write_text(CONFIG.format(dir=folder), encoding="utf-8")
        self.count = 0
        self.key, self.cert = folder / "ca.key", folder / "ca.pem"
        subject = f"/C=VN/O=Thử nghiệm/CN={name}"
        if parent is None:
            self._request(subject, "P-256", self.key, folder / "ca.csr")
            self._sign(folder / "ca.csr", "root", self.cert, -1000, 3000, ["-selfsign"])
        else:
            made = parent.issue("sub", subject, days=(-900, 2500))
            os.rename(made.key, self.key)
            os.rename(made.cert, self.cert)

    def _request(self, subject, key_type, key, csr):
        openssl("genpkey", *KEYS[key_type], "-out", key)
        os.chmod(key, 0o600)
        openssl("req", "-new", "-config", self.config, "-key", key, "-utf8", "-subj", subject, "-out", csr)

    def _sign(self, csr, profile, cert, first, last, more=()):
        openssl("ca", "-batch", "-notext", "-utf8", "-preserveDN", "-config", self.config, "-keyfile", self.key, "-in", csr,
                "-out", cert, "-extensions", profile, "-startdate", stamp(first), "-enddate", stamp(last),
                *(more or ["-cert", self.cert]))

    def issue(self, profile, subject, key_type="P-256", days=(-800, 365)):
        self.count += 1
        base = self.dir / f"{profile}-{self.count}"
        key, csr, cert = base.with_suffix(".key"), base.with_suffix(".csr"), base.with_suffix(".pem")
        self._request(subject, key_type, key, csr)
        self._sign(csr, profile, cert, *days)
        return Identity(key, cert)

    def revoke(self, who):
        openssl("ca", "-config", self.config, "-keyfile", self.key, "-cert", self.cert, "-revoke", who.cert, "-crl_reason", "keyCompromise")

    def crl(self):
        path = self.dir / "current.crl"
        openssl("ca", "-gencrl", "-config", self.config, "-keyfile", self.key, "-cert", self.cert, "-out", path)
        return path
