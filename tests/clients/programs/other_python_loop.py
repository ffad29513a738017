"""The far side of other_python.py: a call a line on stdin, its value a line on stdout; what else is said goes to stderr."""

import json
import os
import sys
import traceback


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        call = json.loads(line)
        names = {}
        try:
            exec(compile(call["source"], call["function"], "exec"), names)
            answer = {"value": names[call["function"]](**call["arguments"])}
        except BaseException as error:  # also what a signal's handler raised
            answer = {"raised": type(error).__name__, "text": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()
