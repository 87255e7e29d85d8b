"use client";

import { type FormEvent, useEffect, useRef } from "react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Field, Input } from "@/components/ui/field";
import type { Enrolment } from "@/lib/auth/account";
import type { ActionResult } from "@/lib/http/action-result";
import { FormError } from "./form-error";
import { useSubmit } from "./use-submit";

/** Sets an app up: scan or type, then show that it works. */
export function EnrolmentForm(props: {
  enrolment: Enrolment;
  confirm(input: { code: string }): Promise<ActionResult<string[]>>;
  done(codes: string[]): void;
  cancel(): void;
}) {
  const { secret, uri, qr } = props.enrolment;
  const { errors, isPending, submit } = useSubmit();
  const code = useRef<HTMLInputElement>(null);
  // After the dialog that asked for the password has given the focus back to a button that is gone.
  useEffect(() => {
    const timer = setTimeout(() => code.current?.focus({ preventScroll: true }));
    return () => clearTimeout(timer);
  }, []);
  const confirm = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const typed = String(new FormData(event.currentTarget).get("code"));
    submit(() => props.confirm({ code: typed }), props.done);
  };
  return (
    <div className="flex items-start gap-5 max-sm:grid">
      <svg
        viewBox={`0 0 ${qr.size} ${qr.size}`}
        role="img"
        aria-label="QR code with the key below"
        shapeRendering="crispEdges"
        className="size-44 shrink-0 rounded-[5px] border border-(--border)"
      >
        {/* Scanners want dark on light, in either theme. */}
        <rect width={qr.size} height={qr.size} fill="#fff" />
        <path d={qr.path} fill="#000" />
      </svg>
      <div className="grid min-w-0 flex-1 gap-3">
        <p>
          Scan this with an authenticator app, or{" "}
          <a href={uri} className="underline decoration-(--border-control) underline-offset-3">
            open it
          </a>{" "}
          on this device, or type the key:
        </p>
        <div className="flex items-center gap-2">
          <code className="min-w-0 flex-1 font-mono text-[12px] break-all" data-testid="secret">
            {secret}
          </code>
          <CopyButton text={secret} label="Copy the key" />
        </div>
        <form onSubmit={confirm} className="grid gap-3">
          <FormError message={errors.form} />
          <Field label="Code" hint="The six digits that the app shows now." error={errors.code}>
            {(control) => (
              <Input
                {...control}
                ref={code}
                name="code"
                autoComplete="one-time-code"
                inputMode="numeric"
                required
                maxLength={10}
                className="font-mono"
              />
            )}
          </Field>
          <div className="flex gap-2">
            <Button type="submit" variant="primary" disabled={isPending}>
              Turn on
            </Button>
            <Button onClick={props.cancel}>Cancel</Button>
          </div>
        </form>
      </div>
    </div>
  );
}
