"""The API by HTTPS: what is said of certificates and keys that do not do."""

import signal
import subprocess

import pytest

import pushing
from api import serve


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """Certificates and keys, right ones and wrong ones, by name."""
    folder = tmp_path_factory.mktemp("pem")

    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

    for name in ("good", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")
    openssl("req", "-new", "-key", "good.key", "-subj", "/CN=old", "-out", "old.csr")
    openssl("x509", "-req", "-in", "old.csr", "-signkey", "good.key", "-days", "-1", "-out", "old.crt")
    openssl("pkey", "-in", "good.key", "-aes256", "-passout", "pass:x", "-out", "locked.key")
    openssl("ec", "-in", "good.key", "-aes256", "-passout", "pass:x", "-out", "locked-old-way.key")
    openssl("x509", "-in", "good.crt", "-outform", "DER", "-out", "der.crt")
    for kind in ("key", "crt"):
        whole = (folder / f"good.{kind}").read_text().splitlines()
        (folder / f"damaged.{kind}").write_text("\n".join([whole[0], whole[1][:20], whole[-1]]) + "\n")
    (folder / "empty").touch()
    (folder / "chain.crt").write_text((folder / "good.crt").read_text() + (folder / "other.crt").read_text())
    (folder / "wrong-order.crt").write_text((folder / "other.crt").read_text() + (folder / "good.crt").read_text())
    return folder


@pytest.mark.parametrize("cert, key, words", [
    ("no.crt", "good.key", ["--tls-cert: ", "no.crt: No such file"]),
    ("good.crt", "no.key", ["--tls-key: ", "no.key: No such file"]),
    (".", "good.key", ["--tls-cert: ", "is a folder"]),
    ("empty", "good.key", ["--tls-cert: ", "empty holds no certificate in PEM form"]),
    ("der.crt", "good.key", ["--tls-cert: ", "der.crt holds no certificate in PEM form"]),
    ("good.crt", "empty", ["--tls-key: ", "empty holds no private key in PEM form"]),
    ("good.key", "good.crt", ["good.key holds no certificate", "but a private key: that is for --tls-key"]),
    ("good.crt", "good.crt", ["good.crt holds no private key", "but a certificate: that is for --tls-cert"]),
    ("damaged.crt", "good.key", ["--tls-cert: the certificate in ", "damaged.crt is damaged"]),
    ("good.crt", "damaged.key", ["--tls-key: the key in ", "damaged.key is damaged"]),
    ("good.crt", "locked.key", ["locked.key is encrypted", "openssl pkey -in "]),
    ("good.crt", "locked-old-way.key", ["locked-old-way.key is encrypted"]),
    ("good.crt", "other.key", ["other.key is not that of the certificate in ", "good.crt"]),
    ("wrong-order.crt", "good.key", ["good.key is not that of the certificate in ", "wrong-order.crt"]),
])
def test_tls_files_that_do_not_do(firth, pem, cert, key, words):
    result = firth("serve", "--listen", "127.0.0.1:0", "--tls-cert", str(pem / cert), "--tls-key", str(pem / key), expect=3)
    assert all(word in result.err for word in words), result.err
    assert len(result.err.splitlines()) == 1 and "PRIVATE" not in result.err, result.err


@pytest.mark.parametrize("cert, warned", [("good.crt", False), ("chain.crt", False), ("old.crt", True)])
def test_tls_files_that_do(firth, pem, cert, warned):
    """An expired certificate stops no data: it is told, and who does not check it is answered."""
    daemon = serve(firth, "--tls-cert", str(pem / cert), "--tls-key", str(pem / "good.key"))
    assert daemon.api.url.startswith("https://") and daemon.api.ask("GET", "/v1/jobs").status == 200
    host, _, port = daemon.api.url.removeprefix("https://").rpartition(":")
    pushing.refuses_old_tls((host, int(port)))
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    told = [line for line in daemon.err if "clients that check it refuse the API" in line]
    assert len(told) == warned and all(f"{cert} expired at 20" in line for line in told), daemon.err


def test_both_are_needed(firth, pem):
    assert "--tls-cert and --tls-key need each other" in firth("serve", "--tls-cert", str(pem / "good.crt"), expect=2).err
