"use client";

import { useRouter } from "next/navigation";
import { useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import type { ActionResult } from "@/lib/http/action-result";

/** Takes an invitation up, for who is signed in. */
export function JoinForm(props: {
  token: string;
  join(token: string): Promise<ActionResult<{ home: string }>>;
}) {
  const router = useRouter();
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();
  const join = () =>
    startTransition(async () => {
      const result = await props.join(props.token);
      if (result.ok) router.push(result.data.home);
      else setError(result.message);
    });
  return (
    <div className="grid gap-3">
      {error && (
        <p role="alert" className="text-(--in-failed)">
          {error}
        </p>
      )}
      <Button variant="primary" disabled={isPending} onClick={join} className="h-9 max-sm:h-11">
        Join
      </Button>
    </div>
  );
}
