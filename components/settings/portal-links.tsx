"use client";

import { useState, useTransition } from "react";
import { formatMoment } from "@/components/integrity/words";
import { Button } from "@/components/ui/button";
import type { ActionResult } from "@/lib/http/action-result";
import type { PortalLink } from "@/lib/portal/link";

interface Props {
  organizationId: string;
  links: PortalLink[];
  /** Whether there is a mail server. */
  mails: boolean;
  /** These are not the newest. */
  isOlder: boolean;
  revoke(organizationId: string, id: string): Promise<ActionResult<null>>;
}

const OPENS = { audit_logs: "Events", log_streams: "Streams", any: "Events and streams" };

function stateOf({ state, until, openedAt, mailError }: PortalLink, mails: boolean): string {
  switch (state) {
    case "unsent":
      if (!mails) return "Not mailed: this server has no mail server";
      return "About to be mailed";
    case "refused":
      return `Not mailed, the address is refused: ${mailError}`;
    case "waiting":
      return `Not opened yet; it opens until ${formatMoment(until)}`;
    case "open":
      return `Opened ${formatMoment(openedAt ?? until)}; lasts until ${formatMoment(until)}`;
    case "over":
      return `Opened ${formatMoment(openedAt ?? until)}; over`;
    case "unused":
      return "Never opened; over";
  }
}

/** Links of the last days, with what became of each. */
export function PortalLinks(props: Props) {
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();
  const revoke = (id: string) =>
    startTransition(async () => {
      const result = await props.revoke(props.organizationId, id).catch(() => null);
      if (!result) setError("The server did not answer. Try again.");
      else setError(result.ok ? null : result.message);
    });
  if (props.links.length === 0)
    return (
      <p className="text-(--text-3)">
        {props.isOlder ? "There are no older ones." : "There are none yet."}
      </p>
    );
  return (
    <>
      {error && (
        <p role="alert" className="text-(--in-failed)">
          {error}
        </p>
      )}
      <ul className="max-w-[760px] border-t border-(--border)">
        {props.links.map((link) => (
          <li
            key={link.id}
            className="flex min-h-10 items-center gap-3 border-b border-(--border) py-1.5"
          >
            <div className="min-w-0 flex-1">
              <p className="break-words">
                <span className="font-medium">{OPENS[link.intent ?? "any"]}</span>
                {link.mailTo && ` for ${link.mailTo}`}
              </p>
              <p className="text-[12px] break-words text-(--text-2)">
                {stateOf(link, props.mails)}. Made {formatMoment(link.createdAt)} by{" "}
                {link.createdBy || "a key"}
              </p>
            </div>
            {link.state !== "over" && link.state !== "unused" && (
              <Button disabled={isPending} onClick={() => revoke(link.id)}>
                Revoke
              </Button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
