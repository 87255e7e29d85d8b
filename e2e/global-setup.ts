import { TestServer } from "./server";

export const ADMIN = { email: "admin@example.com", password: "correct horse battery" };

/** One production server for the suites that share it; its address and directory go to them by environment. */
export default async function setup(): Promise<() => Promise<void>> {
  const server = new TestServer({
    TRAILSEAL_ADMIN_EMAIL: ADMIN.email,
    TRAILSEAL_ADMIN_PASSWORD: ADMIN.password,
  });
  await server.start();
  process.env.TRAILSEAL_TEST_URL = server.url;
  process.env.TRAILSEAL_TEST_DATA_DIR = server.dataDir;
  return () => server.remove();
}
