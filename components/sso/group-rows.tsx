"use client";

import { X } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Input, Select } from "@/components/ui/field";
import { ROLE_LABEL, type Role, roles } from "@/lib/auth/roles";
import type { GroupRoles } from "@/lib/sso/schema";

/** What the rows of a form say. */
export function rowsOf(data: FormData): GroupRoles {
  const given = data.getAll("role");
  return data
    .getAll("group")
    .map((group, index) => ({ group: String(group), role: String(given[index]) as Role }));
}

/** Groups, each with its role; the first that fits counts. */
export function GroupRows(props: { rows: GroupRoles; error?: string | undefined }) {
  const [rows, setRows] = useState(() => props.rows.map((row, key) => ({ ...row, key })));
  const add = () =>
    setRows((before) => [
      ...before,
      { group: "", role: "viewer", key: Math.max(-1, ...before.map(({ key }) => key)) + 1 },
    ]);
  return (
    <fieldset className="grid gap-1.5">
      <legend className="mb-1 font-medium">Roles by group</legend>
      {rows.map(({ key, group, role }, index) => (
        <div key={key} className="grid grid-cols-[minmax(0,1fr)_9.5rem_auto] items-center gap-2">
          <Input
            name="group"
            aria-label={`Group ${index + 1}`}
            required
            maxLength={500}
            defaultValue={group}
            placeholder="security-team"
          />
          <Select name="role" aria-label={`Role of group ${index + 1}`} defaultValue={role}>
            {roles.map((one) => (
              <option key={one} value={one}>
                {ROLE_LABEL[one]}
              </option>
            ))}
          </Select>
          <Button
            variant="quiet"
            icon
            aria-label={`Remove group ${index + 1}`}
            onClick={() => setRows((before) => before.filter((row) => row.key !== key))}
          >
            <X size={14} aria-hidden="true" />
          </Button>
        </div>
      ))}
      <p className={`text-[12px] ${props.error ? "text-(--in-failed)" : "text-(--text-3)"}`}>
        {props.error ??
          (rows.length === 0
            ? "None: groups decide nothing."
            : "The first that somebody is in counts, at every sign-in. Who is in none has the role below, or is removed.")}
      </p>
      <div>
        <Button onClick={add}>Add a group</Button>
      </div>
    </fieldset>
  );
}
