-- The days that have a digest.
select day from digest_days
order by day
