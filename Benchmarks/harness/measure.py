"""Runs programs and measures them from outside."""
import dataclasses
import json
import os
import statistics
import subprocess
import sys


class Failed(Exception):
    """A program that did not do its work; the text says which and why."""


@dataclasses.dataclass
class Measured:
    """One run of one program. Seconds and bytes; CPU and peak are of the whole process and of
    what it waited for, as the kernel counts them."""
    wall: float
    cpu: float
    peak: int
    stdout: str = ""


class Samples:
    """What several runs of one side measured."""

    def __init__(self):
        self.all = []

    def add(self, measured):
        self.all.append(measured)

    @property
    def wall(self):
        return statistics.median(self.walls)

    @property
    def walls(self):
        return [measured.wall for measured in self.all]

    @property
    def cpu(self):
        return statistics.median(measured.cpu for measured in self.all)

    @property
    def peak(self):
        return max(measured.peak for measured in self.all)


class Runner:
    """Runs commands through the launcher, in a folder for what they print."""

    # A peer that takes longer than this is no use to anybody.
    seconds_max = 1800

    def __init__(self, launcher, folder):
        self.launcher = launcher
        self.folder = folder

    def run(self, name, command):
        """Runs `command` to its end; `Failed` where it says that it failed."""
        report, stdout, stderr = (f"{self.folder}/{part}" for part in ("report", "stdout", "stderr"))
        with open(stdout, "w+b") as out, open(stderr, "w+b") as errors:
            process = subprocess.Popen([self.launcher, report, *command], cwd=self.folder,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=errors)
            try:
                status = process.wait(self.seconds_max)
            except subprocess.TimeoutExpired:
                process.terminate()  # the launcher passes it on
                process.wait()
                raise Failed(f"{name} took more than {self.seconds_max} s")
            out.seek(0)
            text = out.read().decode(errors="replace")
            errors.seek(0)
            said = errors.read().decode(errors="replace")
        if status != 0:
            raise Failed(f"{name} could not be measured: {said.strip()}")
        with open(report) as file:
            result = json.load(file)
        if result["status"] != 0:
            raise Failed(f"{name} ended with {result['status']}: {last_line(said or text)}")
        return Measured(result["wall"], result["cpu"], result["peak"], text)


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


def in_turns(rounds, sides, measure):
    """Calls `measure(side)` for every side in every round, in orders in which none always follows the
    same one: what a side leaves behind (memory that the system just got back, caches) costs the
    next."""
    for number in range(rounds):
        walls = {side: measure(side) for side in order(sides, number)}
        say(f"  round {number + 1} of {rounds}: "
            + ", ".join(f"{side} {walls[side]:.2f} s" for side in sides))


def order(sides, number):
    """The order of one round: a Williams design. As many rounds as there are sides (twice as many
    where that is odd) have each side once (twice) behind each other one."""
    count = len(sides)
    zigzag = [(place + 1) // 2 if place % 2 else -(place // 2) for place in range(count)]
    turn = [sides[(number + step) % count] for step in zigzag]
    return turn[::-1] if count % 2 and number // count % 2 else turn


def say(text):
    print(text, file=sys.stderr, flush=True)


def load():
    """Processes that wanted a processor over the last minute."""
    return os.getloadavg()[0]
