"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import type { SignInRefusal } from "@/lib/auth/sign-in-refusal";

const REASONS: Record<SignInRefusal, string> = {
  CredentialsSignin: "The e-mail or the password is wrong.",
  Throttled: "Too many attempts. Wait a few minutes, then try again.",
  CodeNeeded: "Enter the code as well.",
  CodeWrong: "This code is wrong, or was used already. Wait for the next one.",
};
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

/**
 * Asks for e-mail and password; for a code only once they were right and there is a second factor.
 * @param props.next where to go then
 */
export function SignInForm(props: { email?: string; next?: string }) {
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
  const error = refusal === null ? null : (REASONS[refusal as SignInRefusal] ?? FAILED);

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
    <PasswordForm email={props.email} error={error} isPending={isPending} submit={submit} />
  );
}

function PasswordForm(props: {
  email?: string;
  error: string | null;
  isPending: boolean;
  submit(credentials: Credentials): void;
}) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    props.submit({ email: String(data.get("email")), password: String(data.get("password")) });
  };
  return (
    // A form sent before its script has arrived must not put the password into the address.
    <form method="post" onSubmit={submit} className="grid gap-3.5">
      <Field label="E-mail">
        {(control) => (
          <Input
            {...control}
            name="email"
            type="email"
            autoComplete="username"
            required
            autoFocus={props.email === undefined}
            defaultValue={props.email}
            placeholder="you@example.com"
            className="h-9 max-sm:h-11"
          />
        )}
      </Field>
      <Field label="Password" error={props.error}>
        {(control) => (
          <Input
            {...control}
            name="password"
            type="password"
            autoComplete="current-password"
            required
            className="h-9 max-sm:h-11"
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
