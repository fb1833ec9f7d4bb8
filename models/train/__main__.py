"""Train, export, measure: `python -m train all` in models/, or one of its parts."""

import argparse
import sys

from . import autoencoder, evaluate, export, fixtures, painter

PARTS = {"autoencoder": autoencoder, "painter": painter, "export": export, "fixtures": fixtures, "evaluate": evaluate}


def everything(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="train all", description="All parts in order. Resumes where a checkpoint lies in .cache.")
    parser.add_argument("--minutes", type=float, default=100, help="training in all; a fifth goes to the autoencoder")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(arguments)
    threads = ["--threads", str(args.threads)]
    autoencoder.main(["--minutes", str(args.minutes * 0.2), "--rate", "1.5e-4", *threads])
    painter.main(["--minutes", str(args.minutes * 0.8), *threads])
    export.main([])
    fixtures.main([])
    evaluate.main([])


def main() -> None:
    parser = argparse.ArgumentParser(prog="train", description=__doc__, epilog="Each part has its own --help.")
    parser.add_argument("part", choices=["all", *PARTS])
    args = parser.parse_args(sys.argv[1:2])
    everything(sys.argv[2:]) if args.part == "all" else PARTS[args.part].main(sys.argv[2:])


if __name__ == "__main__":
    main()
