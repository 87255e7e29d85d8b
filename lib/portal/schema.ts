import { z } from "zod";

/** What a portal link may be for; without one it opens both. */
export const portalIntents = ["audit_logs", "log_streams"] as const;
export type PortalIntent = (typeof portalIntents)[number];

/** Never javascript: or another scheme: the portal shows it as a link. */
const webAddress = z
  .url({ protocol: /^https?$/, normalize: true, error: "must be an http or https URL" })
  .max(2_000);
const emails = z.array(z.email("must be e-mail addresses")).max(20, "must have at most 20 entries");

/** The body of generate_link in every SDK's dialect. */
export const generateLinkSchema = z.object({
  organization: z.string().min(1, "must not be empty"),
  intent: z
    .enum(portalIntents, { error: "must be audit_logs or log_streams: others are not supported" })
    .nullish(),
  return_url: webAddress.nullish(),
  success_url: webAddress.nullish(),
  admin_emails: emails.nullish(),
  it_contact_emails: emails.nullish(),
});
