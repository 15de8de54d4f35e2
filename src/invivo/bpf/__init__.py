"""A small library over bpf(2) that stands alone: maps, programs, links, ring buffers, BTF, features."""
