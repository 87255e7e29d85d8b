import { z } from "zod";
import { emailSchema } from "@/lib/auth/people";
import { type PortalIntent, portalIntents } from "./schema";

/** A link into an organization, as its administrators see it. */
export interface PortalLink {
  id: string;
  intent: PortalIntent | null;
  /** An e-mail address, or the id of a key. */
  createdBy: string;
  /** ISO 8601, UTC, like every time here. */
  createdAt: string;
  mailTo: string | null;
  /** Why the last try failed, as far as it is about the address; the rest is the operator's. */
  mailError: string | null;
  /**
   * - unsent: its mail is still to go out
   * - refused: the mail server does not take mail for this address
   * - waiting: nobody opened it yet
   * - open: what it opened goes on
   * - over: that ended
   * - unused: nobody opened it in time
   */
  state: "unsent" | "refused" | "waiting" | "open" | "over" | "unused";
  openedAt: string | null;
  /** Until it may be opened, or what it opened ends. */
  until: string;
}

/** As a form gives it; without an address the link is shown instead of mailed. */
export const newPortalLinkSchema = z.object({
  intent: z.enum(portalIntents).nullable(),
  mailTo: emailSchema.nullable(),
});
