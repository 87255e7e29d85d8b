import { Webhook } from "standardwebhooks";
import { getEnv, publicUrl } from "@/lib/env";
import { sendMail } from "@/lib/mail/server/send-mail";
import { post } from "@/lib/streams/server/egress";

/** Where alerts go: settings of whoever runs the server. */
export type Channel = "email" | "webhook";

export interface Alert {
  organizationId: string;
  id: string;
  /** Such as `integrity.broken`. */
  kind: string;
  /** One line. */
  title: string;
  detail: string;
  /** Of the page that shows it. */
  path: string;
  createdAt: Date;
}

const DEADLINE_MS = 15_000;

export function configuredChannels(): Channel[] {
  const { TRAILSEAL_SMTP_URL, TRAILSEAL_ALERT_WEBHOOK } = getEnv();
  return [
    ...(TRAILSEAL_SMTP_URL ? (["email"] as const) : []),
    ...(TRAILSEAL_ALERT_WEBHOOK ? (["webhook"] as const) : []),
  ];
}

/** @throws Error with what the mail server, the receiver or the guard said */
export async function send(channel: Channel, alert: Alert): Promise<void> {
  if (channel === "email") await sendEmail(alert);
  else await sendWebhook(alert);
}

const linkOf = ({ path }: Alert) => publicUrl() + path;

async function sendEmail(alert: Alert): Promise<void> {
  await sendMail({
    to: getEnv().TRAILSEAL_ALERT_EMAIL ?? [],
    subject: alert.title,
    text: `${alert.detail}\n\n${linkOf(alert)}\n\nOrganization ${alert.organizationId}, ${alert.createdAt.toISOString()}\n`,
    id: alert.id,
  });
}

/** Shaped and signed after Standard Webhooks 1.0 (standardwebhooks.com). */
async function sendWebhook(alert: Alert): Promise<void> {
  const { TRAILSEAL_ALERT_WEBHOOK, TRAILSEAL_ALERT_WEBHOOK_SECRET } = getEnv();
  if (!TRAILSEAL_ALERT_WEBHOOK) throw new Error("TRAILSEAL_ALERT_WEBHOOK is not set any more");
  const body = JSON.stringify({
    type: alert.kind,
    timestamp: alert.createdAt.toISOString(),
    data: {
      organization_id: alert.organizationId,
      title: alert.title,
      detail: alert.detail,
      url: linkOf(alert),
    },
  });
  const now = new Date();
  const signature: Record<string, string> = TRAILSEAL_ALERT_WEBHOOK_SECRET
    ? {
        "webhook-signature": new Webhook(TRAILSEAL_ALERT_WEBHOOK_SECRET).sign(alert.id, now, body),
      }
    : {};
  const { status } = await post(
    TRAILSEAL_ALERT_WEBHOOK,
    {
      "content-type": "application/json",
      "webhook-id": alert.id,
      "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
      ...signature,
    },
    body,
    { deadlineMs: DEADLINE_MS },
  );
  if (status < 200 || status > 299) throw new Error(`the receiver answered ${status}`);
}
