import Link from "next/link";
import { formatMoment } from "@/components/integrity/words";
import type { ActionSchema } from "@/lib/schemas/schema";
import { actionHref } from "./links";
import { targetTypes } from "./words";

export interface ListedAction {
  name: string;
  schema: (ActionSchema & { registeredBy: string | null }) | null;
  lastEventAt: string | null;
}

const CELL = "border-b border-(--border)/60 px-2 py-2 align-middle first:pl-0";
const HEAD =
  "h-7 border-b border-(--border) px-2 text-left text-[12px] font-normal text-(--text-3) first:pl-0";
const LINK =
  "block font-mono text-[12px] group-hover:underline after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:shadow-(--focus-inset)";

/** Actions, each leading to its versions. */
export function ActionList(props: { organizationId: string; actions: ListedAction[] }) {
  const hrefOf = ({ name }: ListedAction) => actionHref(props.organizationId, { name });
  return (
    <>
      <table className="mt-4 w-full table-fixed border-separate border-spacing-0 max-md:hidden">
        <thead>
          <tr>
            <th className={HEAD}>Action</th>
            <th className={`${HEAD} w-[112px]`}>Schema</th>
            <th className={`${HEAD} w-[22%]`}>Targets</th>
            <th className={`${HEAD} w-[216px]`}>Registered</th>
            <th className={`${HEAD} w-[192px]`}>Last event here</th>
          </tr>
        </thead>
        <tbody>
          {props.actions.map((action) => (
            <tr key={action.name} className="group relative hover:bg-(--hover)">
              <td className={CELL}>
                <Link href={hrefOf(action)} className={`${LINK} truncate`}>
                  {action.name}
                </Link>
              </td>
              <td className={CELL}>
                <Version schema={action.schema} />
              </td>
              <td className={`${CELL} truncate font-mono text-[12px]`}>
                {action.schema && targetTypes(action.schema)}
              </td>
              <td className={`${CELL} text-[12px] text-(--text-2) tabular-nums`}>
                {action.schema && formatMoment(action.schema.createdAt)}
                <By schema={action.schema} />
              </td>
              <td className={`${CELL} text-[12px] text-(--text-2) tabular-nums`}>
                {action.lastEventAt ? formatMoment(action.lastEventAt) : "None"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <ul className="mt-3 md:hidden">
        {props.actions.map((action) => (
          <li key={action.name} className="relative border-b border-(--border) py-3">
            <div className="flex items-baseline gap-2">
              <Link href={hrefOf(action)} className={`${LINK} min-w-0 flex-1 break-all`}>
                {action.name}
              </Link>
              <Version schema={action.schema} />
            </div>
            <p className="truncate text-[12px] text-(--text-2)">
              {action.schema ? `Targets: ${targetTypes(action.schema)}` : "Seen in this log"}
            </p>
            <p className="text-[12px] text-(--text-3) tabular-nums">
              {action.lastEventAt
                ? `Last event ${formatMoment(action.lastEventAt)}`
                : "No event here"}
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}

function Version({ schema }: Pick<ListedAction, "schema">) {
  return schema ? (
    <span className="whitespace-nowrap">Version {schema.version}</span>
  ) : (
    <span className="whitespace-nowrap text-(--text-3)">No schema</span>
  );
}

function By({ schema }: Pick<ListedAction, "schema">) {
  if (!schema?.registeredBy) return null;
  return <span className="block truncate text-(--text-3)">by {schema.registeredBy}</span>;
}
