"""`invivo doctor`: what this machine and this user may do, which engine will be used, and what mends the rest."""

from __future__ import annotations

from invivo.doctor import State, can_use_kernel_engine, can_use_process_engine, examine

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`invivo doctor` takes no options."""
    parser.epilog = "Exit status: 0 if programs can be run here, 1 if something they need is missing."


def run(namespace: argparse.Namespace) -> int:
    """Print the findings; 0 if programs can be run here, else 1."""
    del namespace
    findings = examine()
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        print(f"{finding.state.value:>8}  {finding.what:<{width}}  {finding.detail}")
        if finding.mend and finding.state is not State.OK:
            print(f"{'':>8}  {'':<{width}}  mend: {finding.mend}")
    if can_use_kernel_engine(findings):
        print("\nengine: kernel (eBPF)")
        return 0
    missing = ", ".join(finding.what for finding in findings if finding.state is State.MISSING)
    if can_use_process_engine(findings):
        print("\nengine: process (ptrace), for commands (-c) and processes (-p) of your own")
        print(f"missing for the kernel engine: {missing}")
        return 0
    print(f"\nengine: none; missing: {missing}")
    return 1
