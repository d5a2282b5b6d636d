-- The two indexes by kind of try take its place.
DROP INDEX IF EXISTS "pictures_next_try_at_idx";
