import type { Scope } from "@/lib/auth/scope";
import type { Clause } from "../filter/ast";
import { fieldRef } from "../filter/edit";
import type { Subject } from "../subject";
import { type EventPage, listEvents, listTargetEvents, type PageRequest } from "./list";

export interface ActorTimelineRequest extends PageRequest {
  actorId: string;
  /** Unset: whatever the type. */
  actorType?: string | null;
}

/** What one actor did, newest first. */
export async function actorTimeline(
  scope: Scope,
  { actorId, actorType, ...page }: ActorTimelineRequest,
): Promise<EventPage> {
  const clauses = [isClause("actor", actorId)];
  if (actorType) clauses.push(isClause("actor.type", actorType));
  return listEvents(scope, { ...page, filter: { clauses } });
}

export interface TargetTimelineRequest extends PageRequest {
  targetType: string;
  targetId: string;
}

/** What was done to one target, newest first. */
export async function targetTimeline(
  scope: Scope,
  { targetType, targetId, ...page }: TargetTimelineRequest,
): Promise<EventPage> {
  return listTargetEvents(scope, { type: targetType, id: targetId }, page);
}

function isClause(field: "actor" | "actor.type", value: string): Clause {
  return {
    negated: false,
    condition: { kind: "any", field: fieldRef(field), matches: [{ operator: "is", value }] },
  };
}

/** What the subject did as an actor, or what was done to it as a target. */
export function readTimeline(
  scope: Scope,
  subject: Subject,
  page: PageRequest,
): Promise<EventPage> {
  return subject.role === "actor"
    ? actorTimeline(scope, { actorId: subject.id, actorType: subject.type, ...page })
    : targetTimeline(scope, { targetType: subject.type, targetId: subject.id, ...page });
}
