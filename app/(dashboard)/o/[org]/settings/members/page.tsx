import type { Metadata } from "next";
import { Invitations } from "@/components/settings/invitations";
import { InviteForm } from "@/components/settings/invite-form";
import { MembersTable } from "@/components/settings/members-table";
import { PageHeader } from "@/components/shell/page-header";
import { ROLE_LABEL, ROLE_MEANING, type Role, roles } from "@/lib/auth/roles";
import { listInvitations } from "@/lib/auth/server/invitations";
import { listMembers } from "@/lib/auth/server/members";
import { pageScope } from "@/lib/auth/server/require-scope";
import {
  changeRoleAction,
  changeSightAction,
  inviteAction,
  removeMemberAction,
  restoreMemberAction,
  revokeInvitationAction,
} from "./actions";

export const metadata: Metadata = { title: "Members" };

const HEADING = "mt-8 mb-2 text-[14px] font-semibold tracking-[-0.012em]";

export default async function MembersPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/settings/members", org);
  const [members, invitations] = await Promise.all([listMembers(scope), listInvitations(scope)]);
  const { principal } = scope;
  const self = principal.kind === "user" ? principal.id : null;
  const mayGrant: readonly Role[] = roles.filter(
    (role) => role !== "owner" || scope.permissions.has("owners:manage"),
  );
  return (
    <>
      <PageHeader title="Members" />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <p className="max-w-[80ch] text-(--text-2)">
          Who signs in and sees this organization. Administrators of the instance see every
          organization and are not listed. Every change here becomes an event of the log.
        </p>
        <InviteForm organizationId={org} roles={mayGrant} invite={inviteAction} />
        {invitations.length > 0 && <h2 className={HEADING}>Invited</h2>}
        <Invitations
          organizationId={org}
          invitations={invitations}
          revoke={revokeInvitationAction}
        />
        <h2 className={HEADING}>Members</h2>
        <MembersTable
          organizationId={org}
          self={self}
          members={members}
          roles={mayGrant}
          actions={{
            change: changeRoleAction,
            see: changeSightAction,
            remove: removeMemberAction,
            restore: restoreMemberAction,
          }}
        />
        <h2 className={HEADING}>What each role may do</h2>
        <dl className="max-w-[560px] border-t border-(--border)">
          {roles.map((role) => (
            <div
              key={role}
              className="grid min-h-8 grid-cols-[9rem_minmax(0,1fr)] items-center gap-3 border-b border-(--border) py-1"
            >
              <dt className="font-medium">{ROLE_LABEL[role]}</dt>
              <dd className="text-(--text-2)">{ROLE_MEANING[role]}</dd>
            </div>
          ))}
        </dl>
      </div>
    </>
  );
}
