"use client";

import { useState, useTransition } from "react";
import { formatDay } from "@/components/overview/words";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Select } from "@/components/ui/field";
import type { Member } from "@/lib/auth/people";
import { ROLE_LABEL, type Role } from "@/lib/auth/roles";
import type { ActionResult } from "@/lib/http/action-result";
import { LABELLED } from "./labelled";
import { SightChoice } from "./sight-dialog";
import type { SightDraft } from "./sight-fields";

interface Props {
  organizationId: string;
  /** The user who looks; null: no user. */
  self: string | null;
  members: Member[];
  /** Those that may be given. */
  roles: readonly Role[];
  actions: {
    change(
      organizationId: string,
      input: { userId: string; role: string },
    ): Promise<ActionResult<null>>;
    see(
      organizationId: string,
      input: { userId: string; sight: SightDraft },
    ): Promise<ActionResult<null>>;
    remove(organizationId: string, userId: string): Promise<ActionResult<null>>;
    restore(organizationId: string, userId: string): Promise<ActionResult<null>>;
  };
}

export function MembersTable(props: Props) {
  const { organizationId, members, actions } = props;
  const [asked, setAsked] = useState<Member | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();

  const run = (work: () => Promise<ActionResult<null>>) =>
    startTransition(async () => {
      const result = await work();
      setError(result.ok ? null : result.message);
      setAsked(null);
    });

  if (members.length === 0)
    return (
      <p className="text-(--text-3)">
        Nobody yet: only administrators of the instance see this organization.
      </p>
    );
  return (
    <>
      {error && (
        <p role="alert" className="mb-2 text-(--in-failed)">
          {error}
        </p>
      )}
      <table className="w-full max-w-[980px] border-collapse text-left max-sm:block">
        <thead className="max-sm:sr-only">
          <tr className="border-b border-(--border-strong) text-[12px] text-(--text-3)">
            <th className="h-8 pr-4 font-normal">Name</th>
            <th className="h-8 pr-4 font-normal">Role</th>
            <th className="h-8 pr-4 font-normal">Member since</th>
            <th className="h-8 pr-4 font-normal">Last seen</th>
            <th className="h-8 font-normal">
              <span className="sr-only">Change</span>
            </th>
          </tr>
        </thead>
        <tbody className="max-sm:block">
          {members.map((member) => (
            <tr
              key={member.userId}
              className="h-11 border-b border-(--border) max-sm:grid max-sm:h-auto max-sm:gap-1 max-sm:py-3"
            >
              <td className="py-1.5 pr-4">
                <span className={member.removedAt ? "text-(--text-2)" : "font-medium"}>
                  {member.name}
                  {member.userId === props.self && (
                    <span className="font-normal text-(--text-3)"> you</span>
                  )}
                </span>
                <span className="block text-[12px] break-all text-(--text-2)">{member.email}</span>
              </td>
              <td data-label="Role" className={`pr-4 ${LABELLED}`}>
                {member.removedAt || !props.roles.includes(member.role) ? (
                  ROLE_LABEL[member.role]
                ) : (
                  <RoleChoice
                    member={member}
                    roles={props.roles}
                    isPending={isPending}
                    onSave={(role) =>
                      run(() => actions.change(organizationId, { userId: member.userId, role }))
                    }
                  />
                )}
                {member.role === "viewer" && !member.removedAt && (
                  <SightChoice
                    member={member}
                    save={(sight) => actions.see(organizationId, { userId: member.userId, sight })}
                  />
                )}
              </td>
              <td
                data-label="Member since"
                className={`pr-4 whitespace-nowrap text-(--text-2) ${LABELLED}`}
              >
                {formatDay(member.since)}
              </td>
              <td
                data-label="Last seen"
                className={`pr-4 whitespace-nowrap text-(--text-2) ${LABELLED}`}
              >
                {member.lastSeenAt ? formatDay(member.lastSeenAt) : "not lately"}
              </td>
              <td className="text-right max-sm:pt-1 max-sm:text-left">
                <span className="inline-flex items-center gap-3">
                  {member.isDeactivated && (
                    <span className="text-[12px] text-(--text-3)">deactivated</span>
                  )}
                  {member.removedAt && (
                    <span className="text-[12px] whitespace-nowrap text-(--text-3)">
                      removed {formatDay(member.removedAt)}
                    </span>
                  )}
                  {props.roles.includes(member.role) &&
                    (member.removedAt ? (
                      <Button
                        disabled={isPending}
                        onClick={() => run(() => actions.restore(organizationId, member.userId))}
                      >
                        Restore
                      </Button>
                    ) : (
                      <Button variant="danger" onClick={() => setAsked(member)}>
                        Remove
                      </Button>
                    ))}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Dialog
        open={asked !== null}
        onOpenChange={(open) => !open && setAsked(null)}
        title={`Remove ${asked?.name ?? ""}?`}
        description={
          asked?.userId === props.self
            ? "You see nothing of this organization from now on, until somebody restores you."
            : "They see nothing of this organization from now on. They can be restored."
        }
      >
        <div className="flex justify-end gap-2">
          <Button onClick={() => setAsked(null)}>Keep</Button>
          <Button
            variant="danger"
            disabled={isPending}
            onClick={() => asked && run(() => actions.remove(organizationId, asked.userId))}
          >
            Remove
          </Button>
        </div>
      </Dialog>
    </>
  );
}

/** The keys that go through a list choose on the way: what is chosen is saved by a button. */
function RoleChoice(props: {
  member: Member;
  roles: readonly Role[];
  isPending: boolean;
  onSave(role: string): void;
}) {
  const { member } = props;
  const [chosen, setChosen] = useState<string>(member.role);
  return (
    <span className="inline-flex items-center gap-2">
      <Select
        aria-label={`Role of ${member.name}`}
        value={chosen}
        disabled={props.isPending}
        className="w-auto min-w-40"
        onChange={({ target }) => setChosen(target.value)}
      >
        {props.roles.map((role) => (
          <option key={role} value={role}>
            {ROLE_LABEL[role]}
          </option>
        ))}
      </Select>
      {chosen !== member.role && (
        <Button disabled={props.isPending} onClick={() => props.onSave(chosen)}>
          Save
        </Button>
      )}
    </span>
  );
}
