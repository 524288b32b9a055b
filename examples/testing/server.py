"""Starts the program for the tests of a file, and drives it. The program ends with `stop`, or with this process."""
import subprocess

import httpx


class Server:
    def __init__(self, *options):
        command = ["rust_sse_server", "--control", "--exit-with-stdin", *options, "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.origin = self.process.stdout.readline().split()[-1].removesuffix("/events")

    def drive(self, method, path, body=None):
        return httpx.request(method, f"{self.origin}/-/{path}", content=body).raise_for_status()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
