import type { InstanceScope } from "@/lib/auth/scope";
import { AppError } from "@/lib/errors";
import { newUlid } from "@/lib/ids";
import { sendMail } from "@/lib/mail/server/send-mail";

/**
 * Sends a mail to whoever asks for it.
 * @throws AppError conflict with what the mail server said.
 */
export async function sendTestMail({ principal }: InstanceScope): Promise<{ to: string }> {
  if (principal.kind !== "user")
    throw new AppError("conflict", "Only somebody with an address can ask for a test mail.");
  try {
    await sendMail({
      to: principal.email,
      subject: "Trailseal can send mail",
      text: "This is the test mail that you asked for on the instance page.\n",
      id: `test_${newUlid()}`,
    });
  } catch (error) {
    throw new AppError("conflict", `The mail was not taken: ${(error as Error).message}`);
  }
  return { to: principal.email };
}
