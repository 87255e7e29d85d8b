"use client";

import { Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";

/** A secret made by the server: shown this once. */
export function SecretOnce({ secret }: { secret: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(secret);
    setCopied(true);
  };
  return (
    <div>
      <p className="font-medium">Signing secret</p>
      <div className="mt-1 flex items-center gap-2">
        <code
          data-testid="signing-secret"
          className="min-w-0 flex-1 overflow-auto rounded-[5px] bg-(--sunken) px-2 py-1.5 font-mono text-[12px]"
        >
          {secret}
        </code>
        <Button onClick={copy}>
          <Copy aria-hidden="true" className="size-3.5" />
          {copied ? "Copied" : "Copy"}
        </Button>
      </div>
      <p className="mt-1 text-[12px] text-(--text-2)">
        Copy it into the receiver now. It cannot be shown again, only replaced.
      </p>
    </div>
  );
}
