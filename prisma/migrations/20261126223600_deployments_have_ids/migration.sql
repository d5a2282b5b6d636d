-- CreateTable
CREATE TABLE "deployments" (
    "is_only" BOOLEAN NOT NULL DEFAULT true,
    "id" TEXT NOT NULL,

    CONSTRAINT "deployments_pkey" PRIMARY KEY ("is_only")
);

ALTER TABLE "deployments" ADD CONSTRAINT "deployments_is_only_check" CHECK (is_only);
