"""The starter voice pack: `python -m train.voice all` in models/, or one of its parts."""

import argparse
import sys

from ..run import CACHE
from . import OUT, check, echo, evaluate, ggml, gguf_file, listen, render, rephrase, unpack

PARTS = {"render": render, "unpack": unpack, "listen": listen, "echo": echo, "rephrase": rephrase, "ggml": ggml, "gguf": gguf_file, "check": check, "evaluate": evaluate}


def everything(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="train.voice all", description="All parts in order: speech, both trainings, both files, check, evaluation. Takes up again where it was stopped.")
    parser.add_argument("--minutes", type=float, default=80, help="training in all; a quarter goes to the rephraser")
    parser.add_argument("--sentences", type=int, default=render.SETS["train"], help="spoken sentences to train with")
    parser.add_argument("--threads", type=int, default=2, help="of the trainings, and synthesisers at a time")
    parser.add_argument("--batch", type=int, default=32, help="of the listener; 128 and more on a graphics card")
    parser.add_argument("--device", help="cpu, cuda, …; the graphics card where there is one by default")
    parser.add_argument("--quick", action="store_true", help="a miniature in .cache/voice-quick that shows that every part works: 200 sentences, a minute each, nothing learned")
    args = parser.parse_args(arguments)
    cache, out, tables = (CACHE / "voice-quick", CACHE / "voice-quick/pack", CACHE / "voice-quick/evaluation") if args.quick else (render.VOICE_CACHE, OUT, OUT.parents[1] / "evaluation")
    common = ["--threads", str(args.threads), *(["--device", args.device] if args.device else [])]
    if args.quick:
        render.main(["--sentences", "200", "--talk", "40", "--words", "100", "--tests", "24", "--workers", str(args.threads)], cache)
        listen.main(["--minutes", "1", "--batch", "16", "--width", "64", "--layers", "2", *common], cache)
        echo.main(["--sentences", "64", "--threads", str(args.threads)], cache)
        rephrase.main(["--minutes", "1", "--batch", "32", "--layers", "2", *common], cache)
    else:
        render.main(["--sentences", str(args.sentences), "--workers", str(args.threads)], cache)
        listen.main(["--minutes", str(args.minutes * 0.75), "--batch", str(args.batch), *common], cache)
        echo.main(["--threads", str(args.threads)], cache)
        rephrase.main(["--minutes", str(args.minutes * 0.25), *common], cache)
    ggml.main([], cache, out)
    gguf_file.main([], cache, out)
    check.main([], cache, out)
    evaluate.main(["--threads", str(args.threads), *(["--requests", "100", "--sentences", "24", "--report-only"] if args.quick else [])], cache, out, tables)
    if not args.quick:
        print("The pack's files have changed: python -m train export --manifest-only")


def main() -> None:
    parser = argparse.ArgumentParser(prog="train.voice", description=__doc__, epilog="Each part has its own --help.")
    parser.add_argument("part", choices=["all", *PARTS])
    args = parser.parse_args(sys.argv[1:2])
    everything(sys.argv[2:]) if args.part == "all" else PARTS[args.part].main(sys.argv[2:])


if __name__ == "__main__":
    main()
