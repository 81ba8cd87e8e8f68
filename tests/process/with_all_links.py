"""Runs a test of stages 3 and 4 on servers that speak TLS, ask for client certificates and have
every link of the chain on.

    with_all_links.py TEST [ARGUMENTS]
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from rps_process import ROOT

HERE = pathlib.Path(__file__).resolve().parent
LINKS = ["--auth=on", "--trace=on", "--trace-sampling=0.01", "--rate-limit=1000000",
         "--rate-burst=1000000", "--max-calls-in-progress=100000", "--metrics=on",
         "--access-log=on"]


def main(test: str, *arguments: str) -> int:
    if not shutil.which("openssl"):
        print("OK (skipped=all: openssl is not installed)")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([ROOT / "stage3_grpc" / "tls" / "make_certificates.sh", folder], check=True,
                       stdout=subprocess.DEVNULL)
        tls = [f"--tls-cert={folder}/server.crt", f"--tls-key={folder}/server.key",
               f"--tls-ca={folder}/ca.crt"]
        environment = {**os.environ, "RPS_GRPC_FLAGS": " ".join(tls + LINKS),
                       "RPS_GRPC_CERTIFICATES": folder}
        return subprocess.run([sys.executable, "-B", HERE / test, *arguments], env=environment,
                              check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
