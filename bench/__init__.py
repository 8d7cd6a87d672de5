"""Benchmarks: ratios against a peer that does the same work in the same run.

`make bench` runs all, `make bench ONLY=name` one; `bench/__main__.py` lists the modules. A module
has

- `BENCHES`: what it measures, a `pairs.Bench` for each line of the table;
- `NEEDS`: which programs must be there, of "kafka" and "redis"; may be empty;
- `run(pairs: int) -> list[Result]`: starts what it needs, measures that many alternating pairs,
  stops what it started.

A figure of one side comes from a function of no arguments that returns {bench name: figure};
`pairs.alternate` calls ours and the peer's in turn. Sides last a few seconds each: the whole run
should take half an hour on two cores.
"""
