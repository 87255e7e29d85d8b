"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useState, useTransition } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";
import type { Route } from "@/lib/sso/schema";
import { ContinueWith } from "./continue-with";
import { INTERRUPTED, refusalWords } from "./refusal-words";

/** A server that failed says nothing about the password. */
const FAILED = "The server could not check the password. Try again.";

interface Credentials {
  email: string;
  password: string;
  code?: string;
}

/** @returns null when it worked, else why not: a SignInRefusal, or empty when the server failed. */
export async function signInWith(credentials: Credentials): Promise<string | null> {
  try {
    const token = await fetch("/api/auth/csrf");
    const { csrfToken } = (await token.json()) as { csrfToken: string };
    // What next-auth/react sends, without the rest of it.
    const response = await fetch("/api/auth/callback/credentials", {
      method: "POST",
      body: new URLSearchParams({ ...credentials, csrfToken, json: "true" }),
    });
    if (response.ok) return null;
    const { url } = (await response.json()) as { url: string };
    return new URL(url, location.origin).searchParams.get("error") ?? "";
  } catch {
    return "";
  }
}

type FindRoute = (input: { email: string }) => Promise<ActionResult<Route | null>>;

/**
 * Asks for e-mail and password; for a code only once they were right and there is a second factor. Where addresses
 * can belong to an identity provider, for the e-mail first.
 * @param props.next where to go then
 * @param props.refusal what came of the way through a provider
 * @param props.findRoute null: nobody signs in through one
 */
export function SignInForm(props: {
  email?: string;
  next?: string;
  refusal?: string | null;
  findRoute: FindRoute | null;
}) {
  const router = useRouter();
  const [refusal, setRefusal] = useState<string | null>(null);
  /** What was right, while the code is asked for. */
  const [half, setHalf] = useState<Credentials | null>(null);
  const [isPending, setPending] = useState(false);

  const submit = async (credentials: Credentials) => {
    setPending(true);
    const refused = await signInWith(credentials);
    if (refused === null) {
      router.push(props.next ?? "/");
      router.refresh();
      return;
    }
    const isAskedFor = refused === "CodeNeeded" && credentials.code === undefined;
    setHalf((before) =>
      isAskedFor ? credentials : refused === "CredentialsSignin" ? null : before,
    );
    setRefusal(isAskedFor ? null : refused);
    setPending(false);
  };
  const error = refusal === null ? null : refusalWords(refusal, FAILED);

  return half ? (
    <CodeForm
      error={error}
      isPending={isPending}
      submit={(code) => submit({ ...half, code })}
      back={() => {
        setHalf(null);
        setRefusal(null);
      }}
    />
  ) : (
    <>
      {props.refusal && refusal === null && (
        <p role="alert" className="mb-4 text-(--in-failed)">
          {refusalWords(props.refusal, INTERRUPTED)}
        </p>
      )}
      <PasswordForm {...props} error={error} isPending={isPending} submit={submit} />
    </>
  );
}

function PasswordForm(props: {
  email?: string;
  next?: string;
  findRoute: FindRoute | null;
  error: string | null;
  isPending: boolean;
  submit(credentials: Credentials): void;
}) {
  /** Null: nobody asked yet where the address signs in. */
  const [way, setWay] = useState<Route | "password" | null>(props.findRoute ? null : "password");
  const [lost, setLost] = useState<string | null>(null);
  const [isLooking, startLooking] = useTransition();

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const email = String(data.get("email"));
    if (way !== null || !props.findRoute)
      return props.submit({ email, password: String(data.get("password")) });
    const { findRoute } = props;
    startLooking(async () => {
      const result = await findRoute({ email }).catch(() => null);
      setLost(result?.ok ? null : (result?.message ?? "The server did not answer. Try again."));
      if (result?.ok) setWay(result.data ?? "password");
    });
  };
  return (
    // A form sent before its script has arrived must not put the password into the address.
    <form method="post" onSubmit={submit} className="grid gap-3.5">
      <Field label="E-mail" error={lost}>
        {(control) => (
          <Input
            {...control}
            name="email"
            type="email"
            autoComplete="username"
            required
            autoFocus={props.email === undefined}
            defaultValue={props.email}
            onChange={() => props.findRoute && setWay(null)}
            placeholder="you@example.com"
            className="h-9 max-sm:h-11"
          />
        )}
      </Field>
      {way === "password" && (
        <Field label="Password" error={props.error}>
          {(control) => (
            <Input
              {...control}
              name="password"
              type="password"
              autoComplete="current-password"
              required
              autoFocus={props.findRoute !== null}
              className="h-9 max-sm:h-11"
            />
          )}
        </Field>
      )}
      {way !== null && way !== "password" ? (
        <>
          <ContinueWith route={way} next={props.next} />
          <Button variant="quiet" onClick={() => setWay("password")}>
            Use a password
          </Button>
        </>
      ) : (
        <Button
          type="submit"
          variant="primary"
          disabled={props.isPending || isLooking}
          className="mt-1 h-9 max-sm:h-11"
        >
          {way === null ? "Continue" : "Sign in"}
        </Button>
      )}
    </form>
  );
}

/** The second step. */
function CodeForm(props: {
  error: string | null;
  isPending: boolean;
  submit(code: string): void;
  back(): void;
}) {
  const [isRecovery, setRecovery] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    props.submit(String(new FormData(event.currentTarget).get("code")));
  };
  return (
    <form method="post" onSubmit={submit} className="grid gap-3.5">
      <Field
        // Another field: what was typed and said of the other one is not about this.
        key={String(isRecovery)}
        label={isRecovery ? "Recovery code" : "Code"}
        hint={
          isRecovery
            ? "One of those that you kept when you set up the second factor. It works once."
            : "The six digits that your authenticator app shows now."
        }
        error={props.error}
      >
        {(control) => (
          <Input
            {...control}
            name="code"
            autoComplete={isRecovery ? "off" : "one-time-code"}
            inputMode={isRecovery ? "text" : "numeric"}
            spellCheck={false}
            required
            maxLength={40}
            autoFocus
            className="h-9 font-mono max-sm:h-11"
          />
        )}
      </Field>
      <Button
        type="submit"
        variant="primary"
        disabled={props.isPending}
        className="mt-1 h-9 max-sm:h-11"
      >
        Sign in
      </Button>
      <div className="flex flex-wrap justify-between gap-x-2">
        <Button variant="quiet" onClick={props.back} className="-ml-2.5">
          Back
        </Button>
        <Button variant="quiet" onClick={() => setRecovery(!isRecovery)} className="-mr-2.5">
          {isRecovery ? "Use the app" : "Use a recovery code"}
        </Button>
      </div>
    </form>
  );
}
