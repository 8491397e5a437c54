"""The sandbox provider: a CarrierX-shaped server for the demo, the tests and trying things out.

It imports nothing of the pipeline but ``errors``: its pricing is a second, independent computation, so that
an agreement between the two means something. Every record is a pure function of (seed, index); nothing is
stored, and ten million records cost the memory of ten thousand.

    world      one seeded provider: its partners, plans, records and clock
    faults     what may be made to go wrong, each by name
    app        the HTTP interface (``/core/v2``) and the sandbox's own switches (``/sandbox``)
    server     runs it: blocking, in a thread, or in a process that dies with its parent
"""
