"use client";

import { useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { ActionResult } from "@/lib/http/action-result";
import { keyState } from "@/lib/keys/key-state";
import { LABELLED } from "./labelled";
import { RotateKey } from "./rotate-key";

interface ShownKey {
  id: string;
  name: string;
  /** Null: works for every organization. */
  organizationId: string | null;
  permissions: string[];
  expiresAt: string | null;
  eventsLastDay: number;
  clients: { client: string; lastSeenAt: string }[];
  last4: string;
  createdAt: string;
  lastUsedAt: string | null;
  revokedAt: string | null;
  ignoredFields: number;
}

interface KeyActions {
  revoke(organizationId: string, id: string): Promise<ActionResult<null>>;
  rotate(
    organizationId: string,
    input: { id: string; overlapHours: number },
  ): Promise<ActionResult<{ key: string }>>;
}

interface Props {
  organizationId: string;
  keys: ShownKey[];
  actions: KeyActions;
  /** Of keys for every organization. */
  instanceActions: KeyActions;
}

const CLIENTS_SHOWN = 3;

const isOver = (key: ShownKey) => ["ended", "revoked"].includes(keyState(key));

/** "23 Nov 2026, 14:02 UTC": the same text on the server and in any browser. */
function moment(iso: string): string {
  const time = new Date(iso);
  const day = time.toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
  return `${day}, ${iso.slice(11, 16)} UTC`;
}

export function KeysTable(props: Props) {
  const [asked, setAsked] = useState<ShownKey | null>(null);
  const [rotated, setRotated] = useState<ShownKey | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();

  const actionsOf = (key: ShownKey) =>
    key.organizationId === null ? props.instanceActions : props.actions;
  const revoke = () =>
    startTransition(async () => {
      if (!asked) return;
      const result = await actionsOf(asked).revoke(props.organizationId, asked.id);
      if (result.ok) setAsked(null);
      else setError(result.message);
    });

  if (props.keys.length === 0) return <p className="mt-6 text-(--text-3)">No keys yet.</p>;
  return (
    <>
      <table className="mt-6 w-full border-collapse text-left max-sm:block">
        <thead className="max-sm:sr-only">
          <tr className="border-b border-(--border-strong) text-[12px] text-(--text-3)">
            <th className="h-8 pr-4 font-normal">Name</th>
            <th className="h-8 pr-4 font-normal">Ends in</th>
            <th className="h-8 pr-4 font-normal">Created</th>
            <th className="h-8 pr-4 font-normal">Last used</th>
            <th className="h-8 pr-4 text-right font-normal">Events, 24 h</th>
            <th
              className="h-8 pr-4 text-right font-normal"
              title="Unknown event fields that requests with this key carried"
            >
              Ignored fields
            </th>
            <th className="h-8 font-normal">
              <span className="sr-only">State</span>
            </th>
          </tr>
        </thead>
        <tbody className="max-sm:block">
          {props.keys.map((key) => (
            <tr
              key={key.id}
              className="h-9 border-b border-(--border) max-sm:grid max-sm:h-auto max-sm:gap-0.5 max-sm:py-3"
            >
              <td className="py-1.5 pr-4">
                <span
                  className={`font-medium ${isOver(key) ? "text-(--text-3) line-through" : ""}`}
                >
                  {key.name}
                </span>
                <span className="block text-[12px] text-(--text-2)">
                  {key.permissions.join(", ")}
                  {key.organizationId === null && ", for every organization"}
                </span>
              </td>
              <td data-label="Ends in" className={`pr-4 ${LABELLED}`}>
                <span className="font-mono text-[12px]">…{key.last4}</span>
              </td>
              <td
                data-label="Created"
                className={`pr-4 whitespace-nowrap text-(--text-2) ${LABELLED}`}
              >
                {moment(key.createdAt)}
              </td>
              <td
                data-label="Last used"
                className={`pr-4 whitespace-nowrap text-(--text-2) ${LABELLED}`}
              >
                {key.lastUsedAt ? moment(key.lastUsedAt) : "never"}
                {key.clients.length > 0 && (
                  <ul
                    aria-label={`Clients of ${key.name}`}
                    className="text-[12px] whitespace-normal text-(--text-2)"
                  >
                    {key.clients.slice(0, CLIENTS_SHOWN).map(({ client }) => (
                      <li key={client} className="max-w-[36ch] truncate" title={client}>
                        {client}
                      </li>
                    ))}
                    {key.clients.length > CLIENTS_SHOWN && (
                      <li>and {key.clients.length - CLIENTS_SHOWN} more</li>
                    )}
                  </ul>
                )}
              </td>
              <td
                data-label="Events, 24 h"
                className={`pr-4 text-right tabular-nums max-sm:text-left ${LABELLED}`}
              >
                {key.eventsLastDay.toLocaleString("en-US")}
              </td>
              <td
                data-label="Ignored fields"
                className={`pr-4 text-right max-sm:text-left ${LABELLED}`}
              >
                {key.ignoredFields}
              </td>
              <td className="text-right max-sm:pt-1 max-sm:text-left">
                {isOver(key) ? (
                  <span className="text-(--text-3)">{key.revokedAt ? "revoked" : "rotated"}</span>
                ) : (
                  <span className="inline-flex flex-wrap items-center justify-end gap-2">
                    {key.expiresAt ? (
                      <span className="text-[12px] text-(--text-2)">
                        works until {moment(key.expiresAt)}
                      </span>
                    ) : (
                      <Button onClick={() => setRotated(key)}>Rotate</Button>
                    )}
                    <Button variant="danger" onClick={() => setAsked(key)}>
                      Revoke
                    </Button>
                  </span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <RotateKey
        name={rotated?.name ?? null}
        close={() => setRotated(null)}
        rotate={(overlapHours) => {
          const { id } = rotated as ShownKey;
          return actionsOf(rotated as ShownKey).rotate(props.organizationId, { id, overlapHours });
        }}
      />
      <Dialog
        open={asked !== null}
        onOpenChange={(open) => !open && setAsked(null)}
        title={`Revoke ${asked?.name ?? ""}?`}
        description="Requests with this key are refused from now on. This cannot be undone."
      >
        {error && (
          <p role="alert" className="text-(--in-failed)">
            {error}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={() => setAsked(null)}>Keep</Button>
          <Button variant="danger" onClick={revoke} disabled={isPending}>
            Revoke
          </Button>
        </div>
      </Dialog>
    </>
  );
}
