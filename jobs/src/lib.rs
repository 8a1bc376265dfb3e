//! What workers do, one file a job; the conductor, the queues and the scheduler.
