"use client";

import { type FormEvent, useRef, useState, useTransition } from "react";
import { isFilter } from "@/components/streams/filter-field";
import { Button } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";
import { ROLE_LABEL, type Role } from "@/lib/auth/roles";
import { SEES_EVERYTHING, sightWords } from "@/lib/events/sight";
import type { ActionResult } from "@/lib/http/action-result";
import { ShownLink } from "./shown-link";
import { draftOf, type SightDraft, SightFields } from "./sight-fields";

interface Made {
  /** Null: it went by mail alone. */
  link: string | null;
  isMailed: boolean | null;
}

interface Props {
  organizationId: string;
  /** Those that may be given. */
  roles: readonly Role[];
  invite(
    organizationId: string,
    input: { email: string; role: string; sight?: SightDraft },
  ): Promise<ActionResult<Made>>;
}

const EVERYTHING = draftOf(SEES_EVERYTHING);

/** Invites somebody, and shows the link once. */
export function InviteForm(props: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [made, setMade] = useState<(Made & { email: string }) | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();
  const [role, setRole] = useState<string>("viewer");
  const [sight, setSight] = useState(EVERYTHING);
  const [isRefused, setRefused] = useState(false);
  const isViewer = role === "viewer";

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const email = String(data.get("email") ?? "");
    if (isViewer && !isFilter(sight.filter)) return setRefused(true);
    setRefused(false);
    startTransition(async () => {
      const result = await props.invite(props.organizationId, {
        email,
        role,
        ...(isViewer ? { sight } : {}),
      });
      setError(result.ok ? null : (result.errors[0]?.code ?? result.message));
      setMade(result.ok ? { ...result.data, email } : null);
      if (!result.ok) return;
      form.current?.reset();
      setRole("viewer");
      setSight(EVERYTHING);
    });
  };

  const { sees, hidden } = sightWords({ ...sight, filter: sight.filter || null });
  return (
    <div className="mt-5 grid max-w-[560px] gap-3">
      <form
        ref={form}
        onSubmit={submit}
        className="flex items-start gap-2 max-sm:flex-col max-sm:items-stretch"
      >
        <div className="min-w-0 flex-1">
          <Field label="E-mail" error={error}>
            {(control) => (
              <Input
                {...control}
                name="email"
                type="email"
                required
                maxLength={254}
                placeholder="grace@example.com"
              />
            )}
          </Field>
        </div>
        <Field label="Role">
          {(control) => (
            <Select
              {...control}
              name="role"
              value={role}
              onChange={({ target }) => setRole(target.value)}
            >
              {props.roles.map((role) => (
                <option key={role} value={role}>
                  {ROLE_LABEL[role]}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Button type="submit" variant="primary" disabled={isPending} className="sm:mt-6 sm:h-8">
          Invite
        </Button>
      </form>
      {isViewer && (
        <details open={isRefused || undefined}>
          <summary className="w-fit cursor-default text-(--text-2) max-sm:py-3">
            What they see: {sees}
            {hidden && `; hidden: ${hidden}`}
          </summary>
          <div className="mt-3 grid gap-4">
            <SightFields draft={sight} isRefused={isRefused} onChange={setSight} />
          </div>
        </details>
      )}
      {made && (
        <ShownLink link={made.link}>
          {made.link === null
            ? `The invitation went to ${made.email}: its link opens once, within seven days.`
            : `${made.isMailed === false ? "The mail could not be sent; the server's log says why. " : ""}Send this link to ${made.email}: it opens once, within seven days, and cannot be shown again.`}
        </ShownLink>
      )}
    </div>
  );
}
