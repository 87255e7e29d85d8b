import type { Sight } from "@/lib/events/sight";
import type { Permission } from "./permissions";

declare const issued: unique symbol;

type Principal =
  | { kind: "user"; id: string; email: string; sessionId: string }
  | { kind: "api_key"; id: string }
  | { kind: "portal"; id: string }
  | { kind: "widget" }
  /** Has a link that this server signed. */
  | { kind: "link" }
  /** Has not signed in. */
  | { kind: "visitor" }
  | { kind: "cli" }
  | { kind: "worker" };

interface Issued {
  /** Only lib/auth can make one: the symbol is not exported. */
  readonly [issued]: true;
  readonly principal: Principal;
  readonly permissions: ReadonlySet<Permission>;
}

/** Who acts, within one organization: the first argument of every server function. */
export interface Scope extends Issued {
  readonly organizationId: string;
  /** Set for who does not see all of the log. */
  readonly sight?: Sight;
}

/** Who acts on the instance itself: creating organizations, users, keys. */
export interface InstanceScope extends Issued {
  readonly organizationId: null;
  /** From whose page somebody acts, so that its log tells of it; null: the command line or a key of the instance. */
  readonly toldIn: Scope | null;
}
