"use client";

import { useState, useTransition } from "react";
import { formatDay } from "@/components/overview/words";
import { Button } from "@/components/ui/button";
import type { Invitation } from "@/lib/auth/people";
import { ROLE_LABEL } from "@/lib/auth/roles";
import { seesEverything, sightWords } from "@/lib/events/sight";
import type { ActionResult } from "@/lib/http/action-result";

interface Props {
  organizationId: string;
  invitations: Invitation[];
  revoke(organizationId: string, id: string): Promise<ActionResult<null>>;
}

/** Who was invited and has not come yet. */
export function Invitations(props: Props) {
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();
  const revoke = (id: string) =>
    startTransition(async () => {
      const result = await props.revoke(props.organizationId, id);
      setError(result.ok ? null : result.message);
    });
  if (props.invitations.length === 0) return null;
  return (
    <>
      {error && (
        <p role="alert" className="text-(--in-failed)">
          {error}
        </p>
      )}
      <ul className="max-w-[760px] border-t border-(--border)">
        {props.invitations.map((invitation) => {
          const { sees, hidden } = sightWords(invitation.sight);
          const isOver = Date.parse(invitation.expiresAt) <= Date.now();
          return (
            <li
              key={invitation.id}
              className="flex min-h-10 items-center gap-3 border-b border-(--border) py-1.5"
            >
              <div className="min-w-0 flex-1">
                <p className="break-words">
                  <span className="font-medium">{invitation.email}</span>, as{" "}
                  {ROLE_LABEL[invitation.role].toLowerCase()}
                  {!seesEverything(invitation.sight) &&
                    `: sees ${sees}${hidden && `; hidden: ${hidden}`}`}
                </p>
                <p className="text-[12px] break-words text-(--text-2)">
                  Invited {formatDay(invitation.createdAt)} by {invitation.createdBy};{" "}
                  {isOver ? "over since" : "open until"} {formatDay(invitation.expiresAt)}
                </p>
              </div>
              <Button disabled={isPending} onClick={() => revoke(invitation.id)}>
                Revoke
              </Button>
            </li>
          );
        })}
      </ul>
    </>
  );
}
