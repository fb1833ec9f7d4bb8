"""Train, export, measure: `python -m train all` in models/, or one of its parts."""

import argparse
import importlib
import sys

# What each part does is said by its own --help. Loaded when asked for: a training needs none of what measures it.
PARTS = ("unpack", "autoencoder", "painter", "export", "fixtures", "evaluate", "formats")


def part(name: str, *arguments: str) -> None:
    importlib.import_module(f"{__package__}.{name}").main(list(arguments))


def everything(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="train all", description="All parts in order. Resumes where a checkpoint lies in .cache.")
    parser.add_argument("--minutes-total", type=float, default=150, help="training in all; a tenth goes to the autoencoder")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes that make pictures for the painter")
    parser.add_argument("--device", help="cpu, cuda, …; the graphics card where there is one by default")
    parser.add_argument("--models", help="where starter/, fixtures/ and evaluation/ go; this repository's models/ by default")
    parser.add_argument("--sizes", nargs="*", default=["256", "512"], help="at which the evaluation measures")
    args = parser.parse_args(arguments)
    where = ["--models", args.models] if args.models else []
    common = ["--threads", str(args.threads), *(["--device", args.device] if args.device else [])]
    part("autoencoder", "--minutes", str(args.minutes_total * 0.1), *common)
    part("painter", "--minutes", str(args.minutes_total * 0.9), "--workers", str(args.workers), *common)
    part("export", *where)
    part("fixtures", *where)
    part("evaluate", "--report-only", "--sizes", *args.sizes, *where)


def main() -> None:
    parser = argparse.ArgumentParser(prog="train", description=__doc__, epilog="Each part has its own --help.")
    parser.add_argument("part", choices=["all", *PARTS])
    args = parser.parse_args(sys.argv[1:2])
    everything(sys.argv[2:]) if args.part == "all" else part(args.part, *sys.argv[2:])


if __name__ == "__main__":
    main()
