import { handlerScope } from "@/lib/auth/server/require-scope";
import { readOldest } from "@/lib/events/server/restored";
import { answerJson } from "@/lib/http/json-handler";

/**
 * Since when events are kept.
 * @returns `{ oldest: string | null }`, ISO
 */
export async function GET(
  _request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  return answerJson(async () => {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/oldest", org);
    return { oldest: await readOldest(scope) };
  });
}
