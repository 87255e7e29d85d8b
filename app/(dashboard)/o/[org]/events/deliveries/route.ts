import { handlerScope } from "@/lib/auth/server/require-scope";
import { answerJson } from "@/lib/http/json-handler";
import { parseInput } from "@/lib/http/parse-input";
import { eventDeliveries } from "@/lib/streams/server/event-deliveries";
import { eventSeqSchema } from "@/lib/streams/work-schema";

/**
 * What became of one event on each stream.
 * @returns EventDelivery[]
 */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  return answerJson(async () => {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/deliveries", org);
    const query = Object.fromEntries(new URL(request.url).searchParams);
    return eventDeliveries(scope, parseInput(eventSeqSchema, query).seq);
  });
}
