"use client";

import { Button } from "@/components/ui/button";
import { ErrorPanel } from "@/components/ui/error-panel";

export default function OrganizationError(props: {
  error: Error & { digest?: string };
  reset(): void;
}) {
  return (
    <ErrorPanel
      title="This page could not be loaded."
      requestId={props.error.digest}
      action={
        <Button variant="primary" onClick={props.reset}>
          Retry
        </Button>
      }
    >
      Nothing was changed. If the database is away, this works again once it is back.
    </ErrorPanel>
  );
}
