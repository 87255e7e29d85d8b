"use client";

import { useState } from "react";
import { count, formatDay } from "@/components/overview/words";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { Enrolment, SecondFactor } from "@/lib/auth/account";
import type { ActionResult } from "@/lib/http/action-result";
import { EnrolmentForm } from "./enrolment-form";
import { type Proof, ProofForm } from "./proof-form";
import { RecoveryCodes } from "./recovery-codes";

interface Props {
  /** Null: none is on. */
  secondFactor: SecondFactor | null;
  actions: {
    start(input: { password: string }): Promise<ActionResult<Enrolment>>;
    confirm(input: { code: string }): Promise<ActionResult<string[]>>;
    renew(input: Proof): Promise<ActionResult<string[]>>;
    disable(input: Proof): Promise<ActionResult<null>>;
  };
}

export function SecondFactorPanel({ secondFactor, actions }: Props) {
  const [asked, setAsked] = useState<"start" | "renew" | "disable" | null>(null);
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const close = () => setAsked(null);
  /** Closes the question, and goes on with what the answer brought. */
  const then =
    <T,>(go: (data: T) => void) =>
    (data: T) => {
      close();
      go(data);
    };

  return (
    <>
      {secondFactor ? (
        <p>
          On since {formatDay(secondFactor.enabledAt)}: sign-in asks for a code of your
          authenticator app after the password. {recoveryWords(secondFactor.recoveryCodesLeft)}
        </p>
      ) : (
        <p className="text-(--text-2)">
          Off. With it, sign-in asks for a code of an authenticator app after the password, so that
          a password alone is worth nothing.
        </p>
      )}
      {codes && <RecoveryCodes codes={codes} onKept={() => setCodes(null)} />}
      {enrolment && !secondFactor ? (
        <EnrolmentForm
          enrolment={enrolment}
          confirm={actions.confirm}
          done={(made) => {
            setEnrolment(null);
            setCodes(made);
          }}
          cancel={() => setEnrolment(null)}
        />
      ) : (
        <div className="flex flex-wrap gap-2">
          {secondFactor ? (
            <>
              <Button onClick={() => setAsked("renew")}>New recovery codes</Button>
              <Button variant="danger" onClick={() => setAsked("disable")}>
                Turn off
              </Button>
            </>
          ) : (
            <Button onClick={() => setAsked("start")}>Set up</Button>
          )}
        </div>
      )}
      <Dialog
        open={asked === "start"}
        onOpenChange={close}
        title="Set up a second factor"
        description="Your password first, since this session may be in somebody else's hands."
      >
        <ProofForm
          withCode={false}
          label="Go on"
          send={actions.start}
          done={then(setEnrolment)}
          cancel={close}
        />
      </Dialog>
      <Dialog
        open={asked === "renew"}
        onOpenChange={close}
        title="New recovery codes?"
        description="Those that you have stop working."
      >
        <ProofForm
          withCode
          label="Make new codes"
          send={actions.renew}
          done={then(setCodes)}
          cancel={close}
        />
      </Dialog>
      <Dialog
        open={asked === "disable"}
        onOpenChange={close}
        title="Turn off the second factor?"
        description="The password alone signs you in then."
      >
        <ProofForm
          withCode
          isDanger
          label="Turn off"
          send={actions.disable}
          done={then(() => setCodes(null))}
          cancel={close}
        />
      </Dialog>
    </>
  );
}

function recoveryWords(left: number): string {
  if (left === 0) return "No recovery code is left: make new ones.";
  return left === 1 ? "One recovery code is left." : `${count(left)} recovery codes are left.`;
}
