"use client";

import Link from "next/link";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { CreateKey, type CreateKeyAction } from "@/components/settings/create-key";
import { CopyButton } from "@/components/ui/copy-button";
import type { ActionResult } from "@/lib/http/action-result";

const POLL_MS = 1_500;

interface Props {
  organizationId: string;
  /** Address the application sends to. */
  baseUrl: string;
  /** The number of the next event: those before it are the log's own. */
  nextSeq: number;
  /** Where the log's own events are read; null for who may not, and while there is none. */
  ownEventsHref: string | null;
  /** Null for who may not make one. */
  createKey: CreateKeyAction | null;
  readIngestion(organizationId: string): Promise<ActionResult<{ hasEvents: boolean }>>;
}

function curlSnippet(baseUrl: string, organizationId: string, key: string): string {
  return `curl ${baseUrl}/audit_logs/events \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "organization_id": "${organizationId}",
    "event": {
      "action": "user.signed_in",
      "occurred_at": "${new Date().toISOString()}",
      "actor": { "type": "user", "id": "usr_1", "name": "Priya Raman" },
      "targets": [{ "type": "team", "id": "team_1", "name": "Platform" }],
      "context": { "location": "203.0.113.24", "user_agent": "curl" }
    }
  }'`;
}

function sdkSnippet(baseUrl: string, organizationId: string, key: string): string {
  const url = new URL(baseUrl);
  const port = url.port ? `, port: ${url.port}` : "";
  return `import { WorkOS } from "@workos-inc/node";

const workos = new WorkOS("${key}", { apiHostname: "${url.hostname}"${port}, https: ${url.protocol === "https:"} });

await workos.auditLogs.createEvent("${organizationId}", {
  action: "user.signed_in",
  occurredAt: new Date(),
  actor: { type: "user", id: "usr_1", name: "Priya Raman" },
  targets: [{ type: "team", id: "team_1", name: "Platform" }],
  context: { location: "203.0.113.24", userAgent: "node" },
});`;
}

/** What an organization shows before its first event: the way to send it, and the wait for it. */
export function Onboarding(props: Props) {
  const router = useRouter();
  const { organizationId, readIngestion } = props;
  const [key, setKey] = useState<string | null>(null);
  const [language, setLanguage] = useState<"curl" | "Node.js">("curl");
  const [isAway, setAway] = useState(false);

  // Asks the server until the first event is there.
  useEffect(() => {
    let stopped = false;
    const timer = setInterval(async () => {
      if (document.hidden) return;
      const result = await readIngestion(organizationId).catch(() => null);
      if (stopped) return;
      setAway(result === null || !result.ok);
      if (result?.ok && result.data.hasEvents) router.refresh();
    }, POLL_MS);
    return () => {
      stopped = true;
      clearInterval(timer);
    };
  }, [organizationId, readIngestion, router]);

  const shownKey = key ?? "sk_…";
  const snippet =
    language === "curl"
      ? curlSnippet(props.baseUrl, organizationId, shownKey)
      : sdkSnippet(props.baseUrl, organizationId, shownKey);
  return (
    <div className="min-h-0 flex-1 overflow-auto px-8 pt-8 pb-10 max-sm:p-4">
      <div className="mx-auto grid max-w-[760px] grid-cols-[minmax(0,1fr)] gap-8">
        <header className="flex items-start gap-3">
          <span
            className="relative mt-1 grid size-5 shrink-0 place-items-center"
            aria-hidden="true"
          >
            <span className="absolute size-5 animate-ping rounded-full border border-(--in-pending-line) opacity-60 motion-reduce:animate-none" />
            <span className="size-2.5 rounded-full border-[1.5px] border-(--in-pending)" />
          </span>
          <div aria-live="polite">
            <h2 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
              Waiting for event #{props.nextSeq}
            </h2>
            <p className="mt-1 text-(--text-2)">
              {isAway
                ? "The server does not answer right now. This page goes on asking."
                : "Send it in any of these ways. It is sealed as it arrives, and this page shows it at once."}
            </p>
            {props.ownEventsHref && (
              <p className="mt-1 text-(--text-2)">
                Who joined and what was changed here is{" "}
                <Link href={props.ownEventsHref} className="underline underline-offset-3">
                  in the log already
                </Link>
                .
              </p>
            )}
          </div>
        </header>
        <section>
          <h3 className="text-[14px] font-semibold">1. Create an API key</h3>
          {props.createKey ? (
            <CreateKey
              isSimple
              organizationId={organizationId}
              create={props.createKey}
              onCreated={setKey}
            />
          ) : (
            <p className="mt-1 text-(--text-2)">
              An owner or admin of this organization makes one, and gives it to the application.
            </p>
          )}
        </section>
        <section>
          <div className="flex flex-wrap items-center gap-2">
            <h3 className="mr-auto text-[14px] font-semibold">2. Send an event</h3>
            <div className="inline-flex overflow-hidden rounded-[5px] border border-(--border-strong)">
              {(["curl", "Node.js"] as const).map((name) => (
                <button
                  key={name}
                  type="button"
                  aria-pressed={name === language}
                  onClick={() => setLanguage(name)}
                  className="h-7 px-2.5 text-(--text-2) aria-pressed:bg-(--sunken) aria-pressed:font-medium aria-pressed:text-(--text) max-sm:h-11"
                >
                  {name}
                </button>
              ))}
            </div>
            <CopyButton text={snippet} label="Copy the snippet">
              Copy
            </CopyButton>
          </div>
          <pre
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box has to be reachable by keyboard.
            tabIndex={0}
            className="mt-2 overflow-auto rounded-[5px] bg-(--sunken) p-3 font-mono text-[12px] leading-[18px]"
            data-testid="snippet"
            suppressHydrationWarning
          >
            {snippet}
          </pre>
        </section>
        <section>
          <h3 className="text-[14px] font-semibold">Or bring history along</h3>
          <pre
            // biome-ignore lint/a11y/noNoninteractiveTabindex: as above.
            tabIndex={0}
            className="mt-2 overflow-auto rounded-[5px] bg-(--sunken) p-3 font-mono text-[12px] leading-[18px]"
          >
            {`npx trailseal import --org ${organizationId} --format cloudtrail logs/*.json\nnpx trailseal import --org ${organizationId} --format ndjson events.ndjson`}
          </pre>
        </section>
      </div>
    </div>
  );
}
