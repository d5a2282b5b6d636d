-- The minute of a conversation's latest activity. Lists of conversations are indexed by it, so that messages of one minute
-- leave the indexes alone. A trigger keeps it, for nodes of the previous version, too.
ALTER TABLE "conversations" ADD COLUMN "activity_minute" TIMESTAMPTZ(0);

CREATE FUNCTION "set_activity_minute"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.activity_minute := to_timestamp(floor(extract(epoch FROM NEW.last_activity_at) / 60) * 60);
  RETURN NEW;
END
$$;
CREATE TRIGGER "conversations_activity_minute" BEFORE INSERT OR UPDATE OF "last_activity_at" ON "conversations"
  FOR EACH ROW EXECUTE FUNCTION "set_activity_minute"();

-- Room on each page for the next version of a row, which needs no index entries if it stays on its page.
ALTER TABLE "conversations" SET (fillfactor = 80);
