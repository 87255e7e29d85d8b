import type { Metadata } from "next";
import { DrillTable } from "@/components/integrity/drill-table";
import { DrillVerdict } from "@/components/integrity/drill-verdict";
import { IntegritySections } from "@/components/integrity/sections";
import { pageScope } from "@/lib/auth/server/require-scope";
import { isDrillRight } from "@/lib/integrity/drills/report";
import { readDrill } from "@/lib/integrity/server/drill-runs";
import { askForDrillAction } from "../actions";

export const metadata: Metadata = { title: "Tamper drill" };

export default async function DrillPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/integrity/drill", org);
  const { isUnderWay, last, everyHours } = await readDrill(scope);
  return (
    <>
      <IntegritySections scope={scope} current="drill" />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <DrillVerdict
          organizationId={org}
          isUnderWay={isUnderWay}
          last={last}
          isRight={last !== null && isDrillRight(last)}
          everyHours={everyHours}
          ask={askForDrillAction}
        />
        {last && last.results.length > 0 && <DrillTable results={last.results} />}
      </div>
    </>
  );
}
