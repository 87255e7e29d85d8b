import { headers } from "next/headers";
import { Onboarding } from "@/components/events/onboarding";
import type { Scope } from "@/lib/auth/scope";
import { getEnv, publicUrl } from "@/lib/env";
import { readLogHead } from "@/lib/integrity/server/log-status";
import { readIngestionAction } from "./events/actions";
import { createApiKeyAction } from "./settings/keys/actions";

/** Where this browser reached the server, unless the operator configured the address. */
export async function baseUrl(): Promise<string> {
  const { TRAILSEAL_URL: configured } = getEnv();
  if (configured) return publicUrl();
  const received = await headers();
  return `${received.get("x-forwarded-proto") ?? "http"}://${received.get("host") ?? "localhost"}`;
}

/** What a page shows of a log that no application has sent an event to. */
export async function FirstEvent({ scope }: { scope: Scope }) {
  const { nextSeq } = await readLogHead(scope);
  const hasOwn = nextSeq > 0 && scope.permissions.has("events:read");
  return (
    <Onboarding
      organizationId={scope.organizationId}
      baseUrl={await baseUrl()}
      nextSeq={nextSeq}
      ownEventsHref={hasOwn ? `/o/${scope.organizationId}/events?q=action%3Atrailseal.*` : null}
      createKey={scope.permissions.has("keys:manage") ? createApiKeyAction : null}
      readIngestion={readIngestionAction}
    />
  );
}
