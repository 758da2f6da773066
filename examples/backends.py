"""Puts the same question to the three backends and shows that they agree.

python backends.py
"""

import skywasm

QUESTION = "d41d8cd98f00b204e9800998ecf8427e"


def main() -> None:
    """Prints a line for each backend."""
    answers = set()
    for backend in ("auto", "wasm", "python"):
        with skywasm.use_backend(backend):
            skywasm.warm_up()
            answer = skywasm.base36_encode(QUESTION)
            print(f"{backend:7} {answer}  (engine: {skywasm.get_backend_info()['backend']})")
            answers.add(answer)
    print("all the same" if len(answers) == 1 else "THEY DIFFER")


if __name__ == "__main__":
    main()
