import type { Refusal } from "@/lib/integrity/schema";
import { Command } from "./check-elsewhere";
import { refusalSentence } from "./words";

/** Nothing is signed until somebody decides: what is missing, and what to do. */
export function RefusalView(props: { organizationId: string; refusal: Refusal }) {
  const command = `npx trailseal epoch begin --org ${props.organizationId} --reason "…"`;
  return (
    <section
      className="mt-5 max-w-[98ch] border-l-2 border-(--in-failed-line) pl-4"
      data-testid="refusal"
    >
      <h2 className="text-[14px] font-semibold tracking-[-0.012em]">Nothing is signed</h2>
      <p className="mt-1">{refusalSentence(props.refusal)}</p>
      <p className="mt-1 text-(--text-2)">
        An older backup that was restored looks like this; so does an attack. Events are stored as
        always, but no checkpoint covers them. Restore a newer backup, if there is one. If not,
        whoever runs the server lets the log go on under a new name, with a signed record of what is
        lost. Without --yes the command only says what would happen.
      </p>
      <Command label="the command" text={command} />
    </section>
  );
}
