import { permissions } from "../permissions";
import type { InstanceScope, Scope } from "../scope";

const everything = new Set(permissions);

/** The command line or the worker, acting within one organization. */
export function systemScope(kind: "cli" | "worker", organizationId: string): Scope {
  return { principal: { kind }, permissions: everything, organizationId } as unknown as Scope;
}

/** The command line or the worker, acting on the instance itself. */
export function systemInstanceScope(kind: "cli" | "worker"): InstanceScope {
  return {
    principal: { kind },
    permissions: everything,
    organizationId: null,
    toldIn: null,
  } as unknown as InstanceScope;
}
