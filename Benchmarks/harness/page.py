"""Makes RESULTS.md of what was measured."""
import dataclasses
import os
import platform


@dataclasses.dataclass
class Goal:
    """`met` is None where a run was not made to tell."""
    text: str
    measured: str
    met: bool | None

    @classmethod
    def at_most(cls, text, value, most, form):
        return cls(text, form.format(value), value <= most)

    @classmethod
    def at_least(cls, text, value, least, form):
        return cls(text, form.format(value), value >= least)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def goals_table(goals):
    return table(["goal", "measured", ""],
                 [[goal.text, goal.measured,
                   {True: "met", False: "**missed**", None: "not measured"}[goal.met]]
                  for goal in goals])


def mb(count):
    return f"{count / 1e6:.0f}"


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file
                      if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} "
            f"{platform.release()}")
