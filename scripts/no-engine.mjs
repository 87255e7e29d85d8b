#!/usr/bin/env node
// Stands in for Prisma's native schema engine, which `prisma generate` insists on finding but never runs.
process.exit(0);
