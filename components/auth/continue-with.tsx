"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import type { Route } from "@/lib/sso/schema";

/** Goes to an identity provider, which sends people back signed in. */
export function ContinueWith(props: { route: Route; next?: string | undefined }) {
  const [state, setState] = useState<"idle" | "going" | "failed">("idle");
  const go = async () => {
    setState("going");
    try {
      const token = await fetch("/api/auth/csrf");
      const { csrfToken } = (await token.json()) as { csrfToken: string };
      const response = await fetch(`/api/auth/signin/${props.route.id}`, {
        method: "POST",
        body: new URLSearchParams({ csrfToken, callbackUrl: props.next ?? "/", json: "true" }),
      });
      const { url } = (await response.json()) as { url: string };
      location.assign(url);
    } catch {
      setState("failed");
    }
  };
  return (
    <div className="grid gap-2">
      {state === "failed" && (
        <p role="alert" className="text-(--in-failed)">
          The server did not answer. Try again.
        </p>
      )}
      <Button
        variant="primary"
        disabled={state === "going"}
        autoFocus
        onClick={go}
        className="h-9 max-sm:h-11"
      >
        Continue with {props.route.name}
      </Button>
    </div>
  );
}
