import type { ReactNode } from "react";
import { JsonBox } from "./json-box";

/** What the list shows before there is any action: how one comes. */
export function NoActions(props: { baseUrl: string; children: ReactNode }) {
  const request = `curl ${props.baseUrl}/audit_logs/actions/invoice.voided/schemas \\
  -H "Authorization: Bearer sk_…" \\
  -H "Content-Type: application/json" \\
  -d '{ "targets": [{ "type": "invoice" }],
        "metadata": { "type": "object", "properties": { "total": { "type": "number" } } } }'`;
  const file = `npx trailseal schemas pull schemas.json   # then edit it
npx trailseal schemas apply schemas.json`;
  return (
    <div className="mt-6 grid max-w-[760px] grid-cols-[minmax(0,1fr)] gap-6">
      <div>
        <h2 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">No action yet</h2>
        <p className="mt-1 max-w-[72ch] text-(--text-2)">
          An action appears here with its first event, or when somebody registers a schema for it:
          on this page, by the API, or from a file.
        </p>
        <div className="mt-4">{props.children}</div>
      </div>
      <JsonBox title="By the API, with a key of the instance" text={request} />
      <JsonBox title="From a file, on the server" text={file} />
    </div>
  );
}
