"""Profiles: stacks with weights, read from and written to the formats of the field, and drawn.

    profile = read_profile("out.folded")              any format, found by its content
    write_profile(profile, "out.html")                the format by the file's name

`profile` has the value, `formats/` one file a format, `page` and `svg` the pictures, `diff` the difference of two.
Nothing here traces: collecting is `invivo.tools.flame`.
"""
