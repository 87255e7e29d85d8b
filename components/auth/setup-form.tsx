"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import type { ActionResult } from "@/lib/http/action-result";
import { signInWith } from "./sign-in-form";

export interface NewAdministrator {
  token: string;
  name: string;
  email: string;
  password: string;
}

export function SetupForm(props: {
  token: string;
  create(input: NewAdministrator): Promise<ActionResult<null>>;
}) {
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
      email: text("email"),
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
    const problem = await signInWith(input.email, input.password);
    router.push(problem ? "/sign-in" : "/o");
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
        Create administrator
      </Button>
    </form>
  );
}
