"use client";

import { useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import type { ActionResult } from "@/lib/http/action-result";

/** Shows whether mails arrive. */
export function TestMail(props: { send(): Promise<ActionResult<{ to: string }>> }) {
  const [result, setResult] = useState<ActionResult<{ to: string }> | null>(null);
  const [isPending, startTransition] = useTransition();
  const send = () => startTransition(async () => setResult(await props.send()));
  return (
    <div className="grid justify-items-start gap-1">
      <Button onClick={send} disabled={isPending}>
        Send a test mail
      </Button>
      {result?.ok && <p role="status">Sent to {result.data.to}.</p>}
      {result?.ok === false && (
        <p role="alert" className="text-(--in-failed)">
          {result.message}
        </p>
      )}
    </div>
  );
}
