"use client";

import { useRouter } from "next/navigation";
import { useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { ActionResult } from "@/lib/http/action-result";

type Choice = "accept" | "refuse";

const WORDS = {
  accept: {
    now: "Events of actions without a schema are accepted, and their actions are listed here.",
    change: "Accept unknown actions",
    title: "Accept events of unknown actions?",
    about:
      "Within five seconds, events whose action has no schema are stored again, unchecked, in every organization of this instance.",
  },
  refuse: {
    now: "Events of actions without a schema are refused with 400 and not stored.",
    change: "Refuse unknown actions",
    title: "Refuse events of unknown actions?",
    about:
      "Within five seconds, every event sent to the API whose action has no schema is answered 400 and not stored, in every organization of this instance. Imports are not affected.",
  },
};

/** What becomes of events of actions without a schema, and the switch for whoever may throw it. */
export function UnknownActions(props: {
  organizationId: string;
  choice: Choice;
  /** Null for those who may only look. */
  set: ((organizationId: string, choice: Choice) => Promise<ActionResult<null>>) | null;
}) {
  const router = useRouter();
  const [isAsked, setAsked] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, startTransition] = useTransition();
  const { choice, set } = props;
  const other = choice === "accept" ? "refuse" : "accept";

  const change = () =>
    startTransition(async () => {
      try {
        const result = await set?.(props.organizationId, other);
        setProblem(result && !result.ok ? result.message : null);
        if (!result?.ok) return;
        setAsked(false);
        router.refresh();
      } catch {
        setProblem("The server did not answer.");
      }
    });

  return (
    <section
      aria-label="Unknown actions"
      className="mt-4 flex flex-wrap items-center gap-x-4 gap-y-2 border-y border-(--border) py-3"
    >
      <p aria-live="polite" className="min-w-0 flex-1 max-sm:basis-full">
        {WORDS[choice].now}
      </p>
      {set && <Button onClick={() => setAsked(true)}>{WORDS[other].change}</Button>}
      <Dialog
        open={isAsked}
        onOpenChange={setAsked}
        title={WORDS[other].title}
        description={WORDS[other].about}
      >
        {problem && (
          <p role="alert" className="text-(--in-failed)">
            {problem}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={() => setAsked(false)}>Leave as it is</Button>
          <Button
            variant={other === "refuse" ? "danger" : "primary"}
            onClick={change}
            disabled={isBusy}
          >
            {other === "refuse" ? "Refuse" : "Accept"}
          </Button>
        </div>
      </Dialog>
    </section>
  );
}
