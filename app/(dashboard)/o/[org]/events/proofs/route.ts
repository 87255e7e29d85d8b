import { z } from "zod";
import { handlerScope } from "@/lib/auth/server/require-scope";
import { answerJson } from "@/lib/http/json-handler";
import { parseInput } from "@/lib/http/parse-input";
import { readPageProofs } from "@/lib/integrity/server/page-proofs";

const MOST_PROOFS = 100;

const querySchema = z.object({
  seqs: z
    .string()
    .transform((text) => text.split(",").map(Number))
    .pipe(z.array(z.int().min(0)).min(1).max(MOST_PROOFS)),
});

/** What shows events of a page in the signed log, for the browser to check: ProofBatch. */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  return answerJson(async () => {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/proofs", org);
    const { searchParams } = new URL(request.url);
    const { seqs } = parseInput(querySchema, { seqs: searchParams.get("seqs") ?? "" });
    return readPageProofs(scope, seqs);
  });
}
