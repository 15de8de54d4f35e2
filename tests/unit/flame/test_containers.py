"""Containers by control group; the texts are as the engines make them, on version 1 and 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from invivo.tools.flame.containers import Containers, container_in

_ID = "3f4e1a2b9c0d" + "5" * 52


@pytest.mark.parametrize(("text", "container"), [
    (f"0::/system.slice/docker-{_ID}.scope\n", _ID),
    (f"12:memory:/docker/{_ID}\n11:cpu,cpuacct:/docker/{_ID}\n", _ID),
    (f"0::/machine.slice/libpod-{_ID}.scope/container\n", _ID),
    (f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{_ID}.scope\n", _ID),
    (f"3:pids:/kubepods/besteffort/pod1-2/{_ID}\n", _ID),
    ("0::/lxc.payload.buster/init.scope\n", "buster"),
    ("4:freezer:/lxc/web\n", "web"),
    ("0::/machine.slice/machine-my\\x2dbox.scope\n", "my-box"),
    ("0::/user.slice/user-0.slice/session-1.scope\n", ""),
    ("0::/\n", ""),
    ("", ""),
    (f"0::/docker-{_ID}x.scope\n", ""),
])  # fmt: skip
def test_the_container_of_a_control_group(text: str, container: str) -> None:
    assert container_in(text) == container


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_names_come_from_the_engines_files(tmp_path: Path) -> None:
    other, nameless = "a" * 64, "b" * 64
    for pid, identity in ((1, _ID), (2, other), (3, nameless)):
        write(tmp_path, f"proc/{pid}/cgroup", f"0::/system.slice/docker-{identity}.scope\n")
    write(tmp_path, f"var/lib/docker/containers/{_ID}/config.v2.json", json.dumps({"Name": "/web-1"}))
    rows = [{"id": other, "names": ["pod-1"]}]
    write(tmp_path, "var/lib/containers/storage/overlay-containers/containers.json", json.dumps(rows))
    containers = Containers(tmp_path)
    assert [containers.of(pid) for pid in (1, 2, 3, 4)] == ["web-1", "pod-1", "b" * 12, ""]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"Name": 7}', '[{"id": 7}, 3]'])
def test_damaged_files_of_engines_leave_the_identity(text: str, tmp_path: Path) -> None:
    write(tmp_path, "proc/1/cgroup", f"0::/docker/{_ID}\n")
    write(tmp_path, f"var/lib/docker/containers/{_ID}/config.v2.json", text)
    write(tmp_path, "var/lib/containers/storage/overlay-containers/containers.json", text)
    assert Containers(tmp_path).of(1) == _ID[:12]
