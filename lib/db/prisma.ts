import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "@/lib/generated/prisma/client";
import { readPool } from "./pool";

const registry = globalThis as unknown as { trailsealPrisma?: Map<string, PrismaClient> };
registry.trailsealPrisma ??= new Map();
const clients = registry.trailsealPrisma;

/** The Prisma client over the read pool: dashboard reads, settings, users, streams. */
export function getPrisma(): PrismaClient {
  const key = process.env.DATABASE_URL ?? "";
  let client = clients.get(key);
  if (!client) {
    client = new PrismaClient({ adapter: new PrismaPg(readPool()) });
    clients.set(key, client);
  }
  return client;
}
