import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeAuthority } from "@/e2e/fixtures/certificates";
import { DELIVERY_FAULTS, tryFault } from "@/e2e/fixtures/delivery-faults";
import { startSyslogReceiver } from "@/e2e/fixtures/syslog-receiver";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import {
  addStreamTo,
  append,
  drained,
  newOrganization,
  PATIENT,
  plain,
  sequences,
  tally,
  whileDelivering,
  withoutOwn,
} from "./delivery-fixtures";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-faults-"));
let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => {
  await db.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

// The others of `npm run faults` are tried, at a smaller size, in deliver.db.test.ts and crash.db.test.ts.
const here = DELIVERY_FAULTS.filter(({ name }) =>
  /^(receiver down|oversize|syslog|TLS)/.test(name),
);
it.each(here.map((fault) => [fault.name, fault] as const))(
  "%s: nothing lost, in order, copies of one batch per repeat at most",
  async (_name, fault) => {
    const settings = { ...PATIENT, deadlineMs: 2_500, leaseMs: 3_500 };
    const { violations, recoveryMs } = await tryFault(fault, 1_400, directory, settings);
    expect(violations).toEqual([]);
    expect(recoveryMs).toBeGreaterThanOrEqual(0);
  },
);

it("syslog without a fault: everything arrives once, in order, with its hash", async () => {
  const authority = makeAuthority("Receivers");
  const tls = authority.issue({ name: "siem", hosts: ["127.0.0.1"] });
  const receiver = await startSyslogReceiver({ file: path.join(directory, "sound.ndjson"), tls });
  const scope = await newOrganization();
  await append(scope, plain(1_203));
  const config = { host: "127.0.0.1", port: receiver.port, ca: authority.cert };
  const id = await addStreamTo(scope, "syslog", config);
  await whileDelivering(() => drained(scope, id), PATIENT);
  await receiver.close();
  const stored = withoutOwn(receiver.stored());
  const whole = { lost: [], copies: 0, outOfOrder: 0 };
  expect(tally(stored, await sequences(scope))).toEqual(whole);
  expect(receiver.violations).toEqual([]);
  const { rows } = await db.app.query(
    `SELECT id, encode(chain_hash, 'hex') AS "chainHash" FROM events
     WHERE organization_id = $1 AND action NOT LIKE 'trailseal.%' ORDER BY seq`,
    [scope.organizationId],
  );
  expect(stored.map(({ id: event, chainHash }) => ({ id: event, chainHash }))).toEqual(rows);
});
