"""M/M/4 at a load of 0.8 in Cimba, its model compiled; prints events (arrivals and ends) a second."""
import time

import cimba as cb
from cimba import inputs

CUSTOMERS = 2_000_000


class Queue(cb.Model):
    gap: cb.Input[float] = inputs.dist.exponential(mean=1 / 3.2)
    service_time: cb.Input[float] = inputs.dist.exponential(mean=1)
    waiting: cb.Container
    served: cb.Output[float]
    ends: int = 0

    @cb.process
    def arrivals(self):
        while True:
            cb.hold(self.gap.next())
            self.waiting.put(1)

    @cb.process(copies=4)
    def server(self):
        while True:
            self.waiting.get(1)
            cb.hold(self.service_time.next())
            self.ends += 1

    @cb.on_end
    def measure(self):
        self.served = self.ends


def play(duration):
    model = Queue()
    begin = time.perf_counter()
    results = cb.Experiment(
        model, replications=1, window=cb.Window(warmup=0, duration=duration), seed=1
    ).run()
    seconds = time.perf_counter() - begin
    return results[model].served, seconds


play(10)  # compiles the model
served, seconds = play(CUSTOMERS / 3.2)
print(2 * float(served.values[0, 0]) / seconds)
