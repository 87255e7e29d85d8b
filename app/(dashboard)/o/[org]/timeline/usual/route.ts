import { handlerScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { parseSubject } from "@/lib/events/parse-subject";
import { recordTimeline } from "@/lib/events/server/record-read";
import { readUsual } from "@/lib/events/server/timeline";
import { answerJson } from "@/lib/http/json-handler";

/** What is usual for a subject, over its newest events. */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  return answerJson(async () => {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/timeline/usual", org);
    const subject = parseSubject(Object.fromEntries(new URL(request.url).searchParams));
    if (!subject) throw new AppError("invalid_request", "The address names no actor or target.");
    await recordTimeline(scope, subject, null, { isFollowUp: true });
    const usual = await readUsual(scope, subject);
    return usual;
  });
}
