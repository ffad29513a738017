"""The connector of sqlite_endpoint.py: a module, unlike a program, is compiled once and not at each of thousands of starts."""

import os
import sys

from sqlite_endpoint import Connector

Connector().main()
sys.stdout.flush()
os._exit(0)  # at once: there is nothing to tidy up
