#!/usr/bin/env python3
"""What the harness says of the REST gateway: its table, and a load on a gateway that runs."""

import unittest

from bench_process import Bench, measure_undisturbed
from rps_process import Server, binary


class Rest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for program in ("rps-grpc", "rps-jsonrpc"):
            binary(program)

    def test_a_short_run_fills_every_row(self):
        bench = measure_undisturbed(self, "compare", "--profile", "ci", "--tables", "rest")
        rows = [line for line in bench.text.splitlines()
                if line.startswith(("REST, ", "JSON-RPC over HTTP ", "gRPC  "))]
        self.assertEqual(len(rows), 9, bench.text)
        self.assertFalse([row for row in rows if "not measured" in row or "INVALID" in row], rows)
        self.assertTrue(all(len(line) <= 100 for line in bench.text.splitlines()[:-1]), bench.text)
        self.assertEqual({cell["subject"] for cell in bench.run["cells"]},
                         {"rest", "http", "grpc"})
        # JSON behind a header of HTTP/1.1; an answer of gRPC's port has about 85 bytes.
        trials = {trial["cell"]: trial["figures"] for trial in bench.run["trials"]}
        self.assertGreater(trials["rest/64x1"]["bytes_received_per_call"], 150)

    def test_a_load_on_a_gateway_that_runs(self):
        with Server("rps-grpc", "--rest=127.0.0.1:0", admin=True) as server:
            url = server.read_url("rest ").replace("http:", "http+rest:")
            Bench(self, "load", url, "--connections", "2", "--depth", "3", "--seconds",
                  "0.2").finish()
            metrics = server.metrics()
        self.assertGreater(metrics["rps_rest_requests_total"], 6)

    def test_a_load_on_a_port_that_is_no_gateway(self):
        with Server("rps-jsonrpc") as server:
            url = server.url.replace("jsonrpc:", "http+rest:")
            bench = Bench(self, "load", url, "--seconds", "0.2").finish(1)
        self.assertIn("refused calls", bench.trial["complaint"])


if __name__ == "__main__":
    unittest.main()
