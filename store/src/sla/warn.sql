-- Timers that still run and have used up the policy's warning share by $1.
UPDATE sla_timers SET warned_at = $1
WHERE warn_at <= $1 AND stopped_at IS NULL AND warned_at IS NULL AND NOT excluded
