"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";

const REASONS: Record<string, string> = {
  CredentialsSignin: "The e-mail or the password is wrong.",
  Throttled: "Too many attempts. Wait a few minutes, then try again.",
};
/** A server that failed says nothing about the password. */
const FAILED = "The server could not check the password. Try again.";

/** @returns null when it worked, else what to show. */
export async function signInWith(email: string, password: string): Promise<string | null> {
  try {
    const token = await fetch("/api/auth/csrf");
    const { csrfToken } = (await token.json()) as { csrfToken: string };
    // What next-auth/react sends, without the rest of it.
    const response = await fetch("/api/auth/callback/credentials", {
      method: "POST",
      body: new URLSearchParams({ email, password, csrfToken, json: "true" }),
    });
    if (response.ok) return null;
    const { url } = (await response.json()) as { url: string };
    return REASONS[new URL(url, location.origin).searchParams.get("error") ?? ""] ?? FAILED;
  } catch {
    return FAILED;
  }
}

/** @param props.next where to go then */
export function SignInForm(props: { email?: string; next?: string }) {
  const router = useRouter();
  const [error, setError] = useState<string | null>(null);
  const [isPending, setPending] = useState(false);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    setPending(true);
    const problem = await signInWith(String(data.get("email")), String(data.get("password")));
    setError(problem);
    if (problem === null) {
      router.push(props.next ?? "/");
      router.refresh();
    } else {
      setPending(false);
    }
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
      <Field label="Password" error={error}>
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
      <Button type="submit" variant="primary" disabled={isPending} className="mt-1 h-9 max-sm:h-11">
        Sign in
      </Button>
    </form>
  );
}
