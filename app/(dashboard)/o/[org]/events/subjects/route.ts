import { handlerScope } from "@/lib/auth/server/require-scope";
import { findSubjects, subjectSearchSchema } from "@/lib/events/server/find-subjects";
import { answerJson } from "@/lib/http/json-handler";
import { parseInput } from "@/lib/http/parse-input";

/** Actors or targets for the command palette: `role` is `actor` or `target`, `text` part of an id or name. */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  return answerJson(async () => {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/subjects", org);
    const given = Object.fromEntries(new URL(request.url).searchParams);
    const subjects = await findSubjects(scope, parseInput(subjectSearchSchema, given));
    return { subjects };
  });
}
