import nodemailer from "nodemailer";
import { getEnv, publicUrl } from "@/lib/env";

const DEADLINE_MS = 15_000;

export const hasMailServer = (): boolean => getEnv().TRAILSEAL_SMTP_URL !== undefined;

/**
 * Sends plain text through the operator's mail server.
 * @param mail.id the same id is the same message, for a mail that is tried again
 * @param mail.from in whose name, where the operator set no sender
 * @throws Error with what the mail server said, or that none is configured.
 */
export async function sendMail(mail: {
  to: string | readonly string[];
  subject: string;
  text: string;
  id: string;
  from?: string;
}): Promise<void> {
  const { TRAILSEAL_SMTP_URL, TRAILSEAL_ALERT_FROM } = getEnv();
  if (!TRAILSEAL_SMTP_URL) throw new Error("TRAILSEAL_SMTP_URL is not set");
  const host = new URL(publicUrl()).hostname;
  const transport = nodemailer.createTransport({
    url: TRAILSEAL_SMTP_URL,
    connectionTimeout: DEADLINE_MS,
    greetingTimeout: DEADLINE_MS,
    socketTimeout: DEADLINE_MS,
  });
  try {
    await transport.sendMail({
      from: TRAILSEAL_ALERT_FROM ?? {
        name: mail.from ?? "Trailseal",
        address: `trailseal@${host}`,
      },
      to: [...[mail.to].flat()],
      subject: mail.subject,
      text: mail.text,
      messageId: `<${mail.id}@${host}>`,
      headers: { "Auto-Submitted": "auto-generated" },
    });
  } finally {
    transport.close();
  }
}
