"use client";

import { formatTime } from "@/components/overview/words";
import { Button } from "@/components/ui/button";
import type { OpenSession } from "@/lib/auth/account";
import type { ActionResult } from "@/lib/http/action-result";
import { FormError } from "./form-error";
import { useSubmit } from "./use-submit";

export function SessionList(props: {
  sessions: OpenSession[];
  end(id: string): Promise<ActionResult<null>>;
  endOthers(): Promise<ActionResult<null>>;
}) {
  const { errors, isPending, submit } = useSubmit();
  const run = (work: () => Promise<ActionResult<null>>) => submit(work, () => undefined);
  return (
    <>
      <FormError message={errors.form} />
      <ul className="border-t border-(--border)">
        {props.sessions.map((session) => (
          <li
            key={session.id}
            className="flex min-h-11 items-center gap-3 border-b border-(--border) py-2 max-sm:flex-wrap"
          >
            <div className="min-w-0 flex-1 max-sm:basis-full">
              <p className="break-words">
                <span className="font-medium">{session.device ?? "An unnamed program"}</span>
                {session.isCurrent && <span className="text-(--text-3)"> this session</span>}
              </p>
              <p className="text-[12px] text-(--text-2)">
                <span className="font-mono break-all">
                  {session.clientAddress ?? "unknown address"}
                </span>
                {session.provider === null ? " · by password" : ` · through ${session.provider}`}
                {" · since "}
                {formatTime(session.createdAt)}
                {" · last seen "}
                {formatTime(session.lastSeenAt)} UTC
              </p>
            </div>
            {!session.isCurrent && (
              <Button
                variant="danger"
                disabled={isPending}
                aria-label={`End the session of ${session.device ?? "an unnamed program"}, ${session.clientAddress ?? "unknown address"}`}
                onClick={() => run(() => props.end(session.id))}
              >
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
      {props.sessions.length > 1 && (
        <div>
          <Button variant="danger" disabled={isPending} onClick={() => run(props.endOthers)}>
            End all other sessions
          </Button>
        </div>
      )}
    </>
  );
}
