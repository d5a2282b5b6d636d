-- CreateTable
CREATE TABLE "sign_in_addresses" (
    "user_id" TEXT NOT NULL,
    "address" TEXT NOT NULL,
    "last_used_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sign_in_addresses_pkey" PRIMARY KEY ("user_id","address")
);

-- AddForeignKey
ALTER TABLE "sign_in_addresses" ADD CONSTRAINT "sign_in_addresses_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Whoever is signed in has done so from somewhere. Of IPv6 addresses, whose networks are kept, the next sign-in tells.
INSERT INTO "sign_in_addresses" ("user_id", "address", "last_used_at")
SELECT "user_id", "address", max("created_at") FROM "sessions" WHERE "address" ~ '^[0-9.]+$' GROUP BY "user_id", "address";
