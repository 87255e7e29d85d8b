import { Bot, Box, Building2, FileText, KeyRound, User } from "lucide-react";
import { HIDDEN } from "@/lib/events/sight";

const ICONS: [RegExp, typeof User][] = [
  [/user|member|person|human|root|admin/i, User],
  [/service|bot|system|role|machine|agent|aws/i, Bot],
  [/key|token|secret|credential/i, KeyRound],
  [/org|team|group|unit|account/i, Building2],
  [/doc|file|invoice|report|policy/i, FileText],
];

/** An icon for a type nobody told us about: by the words in it. */
export function TypeIcon(props: { type: string }) {
  const Icon = ICONS.find(([words]) => words.test(props.type))?.[1] ?? Box;
  return (
    <Icon size={14} strokeWidth={1.6} aria-hidden="true" className="shrink-0 text-(--text-3)" />
  );
}

export function participantName(participant: { id: string; name?: string }): string {
  const { name, id } = participant;
  return name && name !== HIDDEN ? name : id;
}

/** `/o/…/timeline?actor=user:usr_1` */
export function timelineHref(
  organizationId: string,
  role: "actor" | "target",
  participant: { type: string; id: string },
): string {
  const params = new URLSearchParams({ [role]: `${participant.type}:${participant.id}` });
  return `/o/${organizationId}/timeline?${params}`;
}
