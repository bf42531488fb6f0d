"""A real llama.cpp server for the tests: prints its address, serves a GGUF file, ends with its standard input."""

import sys

import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.hostnames = ["127.0.0.1"]
parameters.port = 0
parameters.n_ctx = 4096
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
