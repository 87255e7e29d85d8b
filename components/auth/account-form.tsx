"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";
import { signInWith } from "./sign-in-form";

interface NewAccount {
  token: string;
  name: string;
  email: string;
  password: string;
}

interface Props {
  /** The permission to make it. */
  token: string;
  /** What it signs in with; asked for when left out. */
  email?: string;
  /** What the button says. */
  label: string;
  create(input: NewAccount): Promise<ActionResult<unknown>>;
}

/** Makes an account and signs it in. */
export function AccountForm(props: Props) {
  const router = useRouter();
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [isPending, setPending] = useState(false);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = (name: string) => String(data.get(name) ?? "");
    setPending(true);
    const input = {
      token: props.token,
      name: text("name"),
      email: props.email ?? text("email"),
      password: text("password"),
    };
    const result = await props.create(input).catch(() => null);
    if (!result?.ok) setPending(false);
    if (!result) {
      setErrors({ form: "The server did not answer. Try again." });
      return;
    }
    if (!result.ok) {
      const byField = Object.fromEntries(result.errors.map(({ field, code }) => [field, code]));
      setErrors(result.errors.length > 0 ? byField : { form: result.message });
      return;
    }
    const { email, password } = input;
    const refused = await signInWith({ email, password });
    router.push(refused === null ? "/" : "/sign-in");
  };

  return (
    <form method="post" onSubmit={submit} className="grid gap-3.5">
      {errors.form && (
        <p role="alert" className="text-(--in-failed)">
          {errors.form}
        </p>
      )}
      <Field label="Your name" error={errors.name}>
        {(control) => (
          <Input
            {...control}
            name="name"
            autoComplete="name"
            required
            maxLength={200}
            autoFocus
            className="h-9 max-sm:h-11"
          />
        )}
      </Field>
      <Field label="E-mail" error={errors.email}>
        {(control) => (
          <Input
            {...control}
            name="email"
            type="email"
            autoComplete="username"
            required
            value={props.email}
            readOnly={props.email !== undefined}
            className="h-9 max-sm:h-11"
          />
        )}
      </Field>
      <Field label="Password" hint="At least 12 characters." error={errors.password}>
        {(control) => (
          <Input
            {...control}
            name="password"
            type="password"
            autoComplete="new-password"
            required
            minLength={12}
            className="h-9 max-sm:h-11"
          />
        )}
      </Field>
      <Button type="submit" variant="primary" disabled={isPending} className="mt-1 h-9 max-sm:h-11">
        {props.label}
      </Button>
    </form>
  );
}
