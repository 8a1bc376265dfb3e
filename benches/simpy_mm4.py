"""M/M/4 at a load of 0.8 in SimPy's process style; prints events (arrivals and ends) a second."""
import random
import time

import simpy

CUSTOMERS = 200_000


def customer(env, servers, draw):
    with servers.request() as request:
        yield request
        yield env.timeout(draw(1.0))


def arrivals(env, servers, draw):
    for _ in range(CUSTOMERS):
        yield env.timeout(draw(3.2))
        env.process(customer(env, servers, draw))


env = simpy.Environment()
begin = time.perf_counter()
env.process(arrivals(env, simpy.Resource(env, 4), random.Random(1).expovariate))
env.run()
print(2 * CUSTOMERS / (time.perf_counter() - begin))
